// Starts the real binary with three nodes on loopback and gives a browser that
// knows their people. Everything lives in a folder of its own and ends with the
// test.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
export const axeSource = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
export const binary = process.env.CAUSEWAY ?? new URL("../../../../../bin/causeway", import.meta.url).pathname;
const browserPath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** A block of free ports: pages count up from it, lines begin 1,000 above. */
async function freeBase() {
  for (let tries = 0; tries < 50; tries++) {
    const base = 20000 + Math.floor(Math.random() * 20000);
    const free = await Promise.all(
      [base, base + 1, base + 2, base + 1000, base + 1001, base + 1002].map(
        (port) =>
          new Promise((resolve) => {
            const probe = createServer();
            probe.once("error", () => resolve(false));
            probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
          }),
      ),
    );
    if (free.every(Boolean)) return base;
  }
  throw new Error("no free ports found");
}

export async function startWorld() {
  const dir = await mkdtemp(join(tmpdir(), "causeway-browser-"));
  const base = await freeBase();
  const demo = spawn(binary, ["demo", "--dir", join(dir, "demo"), "--addr", `127.0.0.1:${base}`], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  const ready = new Promise((resolve, reject) => {
    const take = (chunk) => {
      out += chunk;
      if (out.includes("Ctrl-C ends the demo")) resolve();
    };
    demo.stdout.on("data", take);
    demo.stderr.on("data", take);
    demo.once("exit", (code) => reject(new Error(`the demo ended with ${code}:\n${out}`)));
    setTimeout(() => reject(new Error(`the demo did not get ready:\n${out}`)), 120_000).unref();
  });
  await ready;
  const nodes = {};
  let current;
  for (const line of out.split("\n")) {
    const head = /^(\S+)\s+(https:\S+)\s+password (\S+)/.exec(line);
    if (head) current = nodes[head[1]] = { name: head[1], url: head[2], password: head[3], people: {} };
    const person = /^\s+(\S+)\s+\[([^\]]*)\]/.exec(line);
    if (person && current) for (const role of person[2].split(" ")) current.people[role] ??= person[1];
  }
  const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"] });
  return {
    dir,
    nodes,
    browser,
    run: (...args) => {
      const done = spawnSync(binary, args, { encoding: "utf8" });
      if (done.status !== 0) throw new Error(`causeway ${args.join(" ")}: ${done.stderr}`);
      return done.stdout;
    },
    file: async (name, text) => {
      const path = join(dir, name);
      await mkdir(dir, { recursive: true });
      await writeFile(path, text);
      return path;
    },
    stop: async () => {
      await browser.close();
      const ended = once(demo, "exit");
      demo.removeAllListeners("exit");
      const gone = once(demo, "exit");
      demo.kill("SIGINT");
      await Promise.race([ended, gone, new Promise((resolve) => setTimeout(resolve, 15_000).unref())]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A fresh node: "causeway init", then "causeway serve". Gives the code that it prints, for the first person. */
export async function startFresh(world, name, nation) {
  const data = join(world.dir, name.toLowerCase());
  const base = await freeBase();
  world.run("init", "--nation", nation, "--name", name, "--data", data, "--web", `127.0.0.1:${base}`, "--line", `127.0.0.1:${base + 1000}`);
  const serve = spawn(binary, ["serve", "--data", data], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  const code = await new Promise((resolve, reject) => {
    const take = (chunk) => {
      out += chunk;
      const found = /give the code (\S+)/.exec(out);
      if (found) resolve(found[1]);
    };
    serve.stdout.on("data", take);
    serve.stderr.on("data", take);
    serve.once("exit", (status) => reject(new Error(`the node ended with ${status}:\n${out}`)));
    setTimeout(() => reject(new Error(`the node did not get ready:\n${out}`)), 60_000).unref();
  });
  world.nodes[name] = { name, url: `https://127.0.0.1:${base}`, password: "a long enough phrase", people: {} };
  return {
    code,
    stop: async () => {
      serve.removeAllListeners("exit");
      const gone = once(serve, "exit");
      serve.kill("SIGINT");
      await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 10_000).unref())]);
    },
  };
}

/** A browser that nobody is signed in at. */
export async function visit(world, nodeName, options = {}) {
  const node = world.nodes[nodeName];
  const context = await world.browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1360, height: 900 }, locale: "en-GB", acceptDownloads: true, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/WebGL|ERR_ABORTED/.test(message.text())) problems.push(message.text());
  });
  const visitor = {
    node,
    page,
    context,
    problems,
    clicks: 0,
    async click(selector) {
      visitor.clicks++;
      await page.locator(selector).first().click();
    },
    go: (path) => page.goto(node.url + path),
  };
  return visitor;
}

/** Somebody at a node's pages, signed in by role. Counts clicks. */
export async function signIn(world, nodeName, role, options = {}) {
  const visitor = await visit(world, nodeName, options);
  const { node, page } = visitor;
  await page.goto(`${node.url}/sign-in?lang=en`);
  await page.fill("#person", node.people[role]);
  await page.fill("#password", node.password);
  await page.click("form button.primary");
  await page.waitForURL(`${node.url}/`);
  return visitor;
}

/** Waits for an address; when it does not come, says what the page says instead. */
export async function arrive(page, address) {
  try {
    await page.waitForURL(address, { timeout: 20_000 });
  } catch {
    const said = await page.locator("main .notice, main h1, main dl.facts dd").allTextContents();
    throw new Error(`at ${page.url()}, not ${address}: ${said.join(" | ")}`);
  }
}

/** Runs axe on a page of the visitor's session; the page's own policy would keep the tool out. */
export async function axe(visitor, path) {
  visitor.checked ??= visitor.context.browser().newContext({
    ignoreHTTPSErrors: true,
    bypassCSP: true,
    viewport: { width: 1360, height: 900 },
    colorScheme: visitor.scheme ?? "light",
    storageState: await visitor.context.storageState(),
  }).then((context) => context.newPage());
  const page = await visitor.checked;
  await page.goto(visitor.node.url + path);
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map((v) => `${path}: ${v.id}: ${v.nodes[0].html.slice(0, 160)}: ${v.nodes[0].failureSummary}`);
}

export const shots = process.env.SHOTS;

/** Takes a picture. A whole page is pictured in a window as high as it, so that the marking stays at its ends. */
export async function shot(page, name, whole = false) {
  if (!shots) return;
  await mkdir(shots, { recursive: true });
  const size = page.viewportSize();
  if (whole) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width: size.width, height: Math.min(height + 40, 4000) });
  }
  await page.screenshot({ path: join(shots, `${name}.png`), animations: "disabled" });
  if (whole) await page.setViewportSize(size);
}
