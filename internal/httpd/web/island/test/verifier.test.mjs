// The page that checks a published site, as a stranger meets it: from any
// static web server, and from a folder with no server at all.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { axeSource, binary, shot } from "./world.mjs";

const id = "00000000-0000-4000-8000-000000000001";
const kinds = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".json": "application/json" };
let dir, site, server, base, browser;

function run(...args) {
  const done = spawnSync(binary, args, { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`causeway ${args.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

const statement = {
  id: `urn:uuid:${id}`, version: 1, kind: "rebuttal", sample: true, valid_from: "2026-01-01T00:00:00Z", authentic: ["en", "ja"],
  texts: { en: { title: "The treaty area has not changed", body: "Article 6 still bounds it." }, ja: { title: "条約の対象地域は変わっていません", body: "第6条が引き続き範囲を定めます。" } },
  signatories: [
    { agency: "Ministry A", nation: "JP", domain: "a.example", key: "a.example/statements", role: "lead" },
    { agency: "Ministry B", nation: "BE", domain: "b.example", key: "b.example/statements", role: "co-signer" },
  ],
  policy: { k: 2, of: ["JP", "BE"] },
  evidence: [{ id: "e1", supports: ["body"], what: "Treaty text", locator: "https://treaty.example/text", sha256: "ab".repeat(32) }],
  contact: "Press office", corrections_url: "https://a.example/corrections",
};

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "causeway-verifier-"));
  site = join(dir, "site");
  for (const [name, purpose, nation] of [
    ["a.example/statements", "statement", "JP"], ["b.example/statements", "statement", "BE"], ["a.example/log", "log", "JP"], ["a.example/metadata", "metadata", "JP"],
    ["w1.example/w", "witness", "FR"], ["w2.example/w", "witness", "NZ"], ["w3.example/w", "witness", "KR"],
  ]) run("statement", "key", name, "--purpose", purpose, "--nation", nation, "--dir", dir, "--at", "2026-01-01T00:00:00Z");
  const now = new Date();
  statement.valid_from = new Date(now - 86_400_000).toISOString().replace(/\.\d+/, "");
  statement.valid_until = new Date(+now + 90 * 86_400_000).toISOString().replace(/\.\d+/, "");
  await writeFile(join(dir, "s.json"), JSON.stringify(statement));
  run("statement", "draft", join(dir, "s.json"), "--dir", dir);
  for (const key of ["a.example/statements", "b.example/statements"]) run("statement", "sign", join(dir, "drafts", `${id}-1.json`), "--key", key, "--dir", dir);
  run("statement", "publish", "--dir", dir);
  server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname)).replace(/\/$/, "/index.html");
    if (path === "/favicon.ico") return response.writeHead(204).end(); // the browser's own wish
    try {
      const file = await readFile(join(site, path));
      response.writeHead(200, { "Content-Type": kinds[extname(path)] ?? "application/octet-stream" }).end(file);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${server.address().port}/`;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
  server?.close();
  await rm(dir, { recursive: true, force: true });
});

async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (e) => page.problems.push(e.message));
  page.on("console", (m) => m.type() === "error" && page.problems.push(m.text()));
  await page.goto(address);
  return page;
}

const verdict = async (page) => {
  await page.waitForSelector("#verdict, .verdict h2", { timeout: 30_000 });
  return page.locator(".verdict h2").textContent();
};
const again = async (page) => {
  await page.locator("#check button").click();
  await page.waitForSelector("#answer:not(:empty)");
  return verdict(page);
};

test("a stranger checks a site from its own page", async () => {
  const page = await open(`${base}index.html`);
  await page.locator("a", { hasText: "Check this site" }).click();
  assert.match(await verdict(page), /✓ Whole and current/);
  assert.match(await page.locator(".answers").textContent(), /signed words\?✓ yes.*nations and witnesses signed\?✓ yes.*in force\?✓ yes.*past unchanged\?✓ yes/);
  assert.match(await page.locator("#answer").textContent(), /3 witnesses of 3 nations co-signed the log; 3 of 3 nations/);
  assert.match(await page.locator(".verdict p").textContent(), /not who signed/);
  await shot(page, "verify", true);

  await page.locator("details summary").first().click();
  await page.setInputFiles("#policy", join(site, ".well-known/causeway/provider-metadata.json"));
  await page.setInputFiles("#since", join(site, "checkpoint"));
  await page.fill("#words", "Article 6  still bounds it.\nArticle 6 no longer bounds it.");
  await again(page);
  assert.match(await page.locator(".verdict p").textContent(), /keys that you brought/);
  const found = page.locator(".found li");
  assert.match(await found.nth(0).textContent(), /✓ These are words of The treaty area has not changed \(version 1, in force\)/);
  assert.match(await found.nth(1).textContent(), /✗ No statement of this site says this/);
  await page.fill("#words", await readFile(join(site, "s", id, "1", "statement.json"), "utf8"));
  await again(page);
  assert.match(await found.first().textContent(), /✓ This is the signed record/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a changed word, a rewritten log and an old checkpoint are told", async () => {
  const name = join(site, "s", id, "1", "ja.html");
  const good = await readFile(name, "utf8");
  await writeFile(name, good.replace("引き続き", "もはや"));
  const page = await open(`${base}verify/ja.html`, { colorScheme: "dark" });
  assert.match(await verdict(page), /✗ 署名どおりで有効とは言えません:問題 1 件/);
  assert.match(await page.locator("#answer").textContent(), /ファイルが、署名された記録から得られるものと異なります.*s\/.*\/1\/ja\.html/s);
  await shot(page, "verify-changed-dark-ja", true);
  await writeFile(name, good);
  assert.match(await again(page), /✓ 完全で有効です/);
  await writeFile(join(dir, "forged"), (await readFile(join(site, "checkpoint"), "utf8")).replace(/\n1\n/, "\n2\n"));
  await page.locator("details summary").first().click();
  await page.setInputFiles("#since", join(dir, "forged"));
  assert.match(await again(page), /✗/);
  assert.match(await page.locator("#answer").textContent(), /ログの先頭に、ログの鍵の署名がありません/);
  await page.context().close();
});

test("the page works from a folder, with no server", async () => {
  const page = await open(pathToFileURL(join(site, "verify/index.html")).href);
  await page.setInputFiles("#folder", site);
  assert.match(await again(page), /✓ Whole and current/);
  const copy = join(dir, "copy");
  await cp(site, copy, { recursive: true });
  await writeFile(join(copy, "extra.html"), "x");
  await page.setInputFiles("#folder", copy);
  assert.match(await again(page), /✗ Not as signed and current: 1 wrong/);
  assert.match(await page.locator("#answer").textContent(), /no signed record gives this file/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("without scripts the page says how to check by hand, and the commands do", async () => {
  const page = await open(`${base}verify/`, { javaScriptEnabled: false });
  assert.equal(await page.locator("#check").isVisible(), false);
  assert.match(await page.locator("main").textContent(), /Without scripts this page cannot check/);
  const commands = (await page.locator("pre").first().textContent()).replaceAll("UUID", id);
  const done = spawnSync("sh", ["-c", commands], { cwd: site, encoding: "utf8" });
  const [mine, signed] = done.stdout.trim().split("\n");
  assert.equal(mine, signed);
  await page.context().close();
});

test("axe finds nothing on the checking page or on a statement's, in both languages, light and dark", async () => {
  const found = [];
  for (const [path, colorScheme] of [["verify/index.html", "light"], ["verify/ja.html", "dark"], ["index.html", "light"], [`s/${id}/1/en.html`, "light"], [`s/${id}/1/ja.html`, "dark"]]) {
    const page = await open(base + path, { bypassCSP: true, colorScheme });
    if (path.startsWith("verify")) await verdict(page);
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => window.axe.run());
    found.push(...violations.map((v) => `${path}: ${v.id}: ${v.nodes[0].html.slice(0, 160)}: ${v.nodes[0].failureSummary}`));
    await page.context().close();
  }
  assert.deepEqual(found, []);
});
