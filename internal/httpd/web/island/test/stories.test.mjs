// The stories of the pages, walked in a real browser on three real nodes.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { arrive, axe, shot, signIn, startWorld } from "./world.mjs";

let world;
let finding; // path of the finding that the first story makes
let assessment;
let match; // path of the blind match
let product; // path of the product of the fifth

before(async () => {
  world = await startWorld();
});
after(async () => {
  await world?.stop();
});

const title = (page) => page.locator("h1").first().textContent();

test("from posts to a release to one partner, in under 15 clicks", async () => {
  const posts = await world.file("posts.csv", "");
  world.run("synth", "posts", "--n", "6000", "--seed", "7", "--plant", "private:2x12", "--out", posts);

  const analyst = await signIn(world, "Tokyo", "analyst");
  const { page } = analyst;
  await shot(page, "today");
  await analyst.click("a[data-go=d]");
  await page.setInputFiles("#posts", posts);
  await page.fill("#title", "Posts about the strait");
  await shot(page, "detect");
  await analyst.click("form[action='/detect'] button.primary");
  await arrive(page, /\/detect\/[0-9a-f]{16}/);
  await page.waitForSelector("a[href$='/finding']", { timeout: 60_000 });
  await page.waitForSelector("[data-network][data-ready]", { timeout: 30_000 });
  await shot(page, "network");

  await analyst.click("a[href$='/finding']");
  await page.fill("#title", "Accounts that push one story about the strait");
  await analyst.click("input[name=community][value='1']");
  await chooseLabel(analyst);
  await shot(page, "finding-form", true);
  await analyst.click("form.stack button.primary");
  await arrive(page, /\/object\/grouping--/);
  finding = new URL(page.url()).pathname;
  await shot(page, "finding", true);

  await analyst.click(`a[href='${finding}/assess']`);
  await page.fill("#judgement", "The accounts are run together to make one story look spontaneous.");
  await page.selectOption("#likelihood", "very-likely");
  await page.selectOption("#confidence", "moderate");
  const reasons = page.locator("input[name=reason]");
  for (let i = 0; i < 4; i++) await reasons.nth(i).fill("The posts follow each other within seconds on objects that nobody else shares.");
  await page.fill("#gaps", "Who pays for the accounts.");
  await shot(page, "assess", true);
  await analyst.click("form.stack button.primary");
  await arrive(page, /x-causeway-assessment--/);
  assessment = new URL(page.url()).pathname;
  await shot(page, "assessment");
  assert.deepEqual(analyst.problems, []);

  const officer = await signIn(world, "Tokyo", "release-officer");
  await officer.go(assessment);
  await officer.click(`a[href='${assessment}/release']`);
  const rows = officer.page.locator("form table").first().locator("tbody tr");
  assert.match(await rows.filter({ hasText: "Canberra" }).textContent(), /would not/);
  await shot(officer.page, "release");
  await officer.click("form[action$='/release'] button.primary");
  await officer.page.waitForSelector(".notice.good");
  assert.match(await officer.page.locator(".notice.good").textContent(), /Released .* to Brussels/);
  assert.ok(analyst.clicks + officer.clicks < 15, `${analyst.clicks + officer.clicks} clicks`);

  await officer.page.waitForFunction(() => document.body.textContent.includes("receipt signed") || (location.reload(), false), undefined, { timeout: 30_000, polling: 1500 });
  await shot(officer.page, "released");

  const partner = await signIn(world, "Brussels", "analyst");
  await partner.go(assessment);
  assert.match(await title(partner.page), /run together/);
  assert.match(await partner.page.locator(".lede").first().textContent(), /received from Tokyo/);
  await partner.go(finding);
  await shot(partner.page, "partner", true);

  const stranger = await signIn(world, "Canberra", "analyst");
  const answer = await stranger.go(assessment);
  assert.equal(answer.status(), 404);
  const absent = await stranger.go("/object/x-causeway-assessment--00000000-0000-4000-8000-000000000000");
  assert.equal(absent.status(), 404);
  await Promise.all([analyst, officer, partner, stranger].map((v) => v.context.close()));
});

test("a network keeps its name in the next run, and two runs compare", async () => {
  const first = await readFile(`${world.dir}/posts.csv`, "utf8");
  const truth = (await readFile(`${world.dir}/posts.truth.csv`, "utf8")).trim().split("\n").slice(1).map((row) => row.split(","));
  const left = new Set(truth.filter(([, network]) => network === "1").slice(0, 3).map(([account]) => account));
  const later = await world.file("later.csv", first.split("\n").filter((row) => !left.has(row.split(",")[1])).join("\n"));

  const analyst = await signIn(world, "Tokyo", "analyst");
  const { page } = analyst;
  await analyst.go("/detect");
  await analyst.click("th[scope=row] a[href^='/detect/']");
  await arrive(page, /\/detect\/[0-9a-f]{16}$/);
  const run = new URL(page.url()).pathname;
  const network = `${run}/network/1`;
  for (const n of [1, 2]) {
    await analyst.go(`${run}/network/${n}`);
    await page.fill("#name", `Strait choir ${n}`);
    await page.selectOption("#kind", "amplifiers");
    await page.fill("#note", "Posts within seconds, always at the same hours.");
    await analyst.click("form.stack button.primary");
    await page.waitForSelector(".notice.good");
    assert.equal(await title(page), `Strait choir ${n}`);
  }
  await shot(page, "network-named", true);

  await analyst.go("/detect");
  await page.setInputFiles("#posts", later);
  await page.fill("#title", "A week later");
  await analyst.click("form[action='/detect'] button.primary");
  await arrive(page, /\/detect\/[0-9a-f]{16}/);
  await page.reload(); // the page of a run survives
  await page.waitForSelector("a[href$='/compare']", { timeout: 60_000 });
  const names = await page.locator("section.aside th[scope=row]").allTextContents();
  assert.ok(names.some((name) => name.includes("Strait choir 1")) && names.some((name) => name.includes("Strait choir 2")), names.join());
  await analyst.click("a[href$='/compare']");
  await arrive(page, /\/compare$/);
  await page.selectOption("#with", { label: await page.locator("#with option", { hasText: "Posts about the strait" }).first().textContent() });
  await analyst.click("form.filter button");
  await arrive(page, /\/compare\?with=[0-9a-f]{16}$/);
  const compared = new URL(page.url()).pathname + new URL(page.url()).search;
  assert.equal(await title(page), "From Posts about the strait to A week later");
  const rows = page.locator("main table tbody tr");
  assert.match(await rows.filter({ hasText: "shrank" }).textContent(), /Strait choir \d\s*shrank\s*12\s*9/);
  assert.match(await rows.filter({ hasText: "unchanged" }).textContent(), /Strait choir \d/);
  assert.ok((await page.locator("figure svg .flow").count()) >= 3);
  await shot(page, "compare", true);
  assert.deepEqual(analyst.problems, []);
  await analyst.context.close();

  const reader = await signIn(world, "Tokyo", "analyst", { javaScriptEnabled: false });
  for (const path of [network, compared]) {
    assert.equal((await reader.go(path)).status(), 200, path);
    assert.equal(await reader.page.locator("figure svg").count(), 1, path);
  }
  await reader.context.close();

  const found = [];
  for (const [scheme, lang] of [["light", "en"], ["dark", "ja"]]) {
    const visitor = await signIn(world, "Tokyo", "analyst", { colorScheme: scheme });
    visitor.scheme = scheme;
    await visitor.go(`${compared}&lang=${lang}`);
    await shot(visitor.page, `compare-${scheme}-${lang}`, true);
    for (const path of [network, compared]) found.push(...(await axe(visitor, path)));
    await visitor.context.close();
  }
  assert.deepEqual(found, []);
});

/** Chooses a label in the NATO policy's own words: restricted, for the members and Japan. */
async function chooseLabel(visitor) {
  const policy = visitor.page.locator(".policy").filter({ has: visitor.page.locator("strong", { hasText: /^NATO/ }) }).first();
  for (const choice of [
    "input[name=policy]",
    "input[type=radio][value=RESTRICTED]",
    "[role=group][aria-label^='Context'] input[value=NATO]",
    "[role=group][aria-label^='Context'] input[value=Releasable]",
    "[role=group][aria-label^='Releasable To'] input[value=NATO]",
    "[role=group][aria-label^='Releasable To'] input[value=JPN]",
  ]) {
    const box = policy.locator(choice);
    if (await box.isChecked()) continue; // the form starts from the label used last
    await box.check();
    visitor.clicks++;
  }
}

test("why can Brussels read this, and why can Canberra not: two clicks", async () => {
  const analyst = await signIn(world, "Tokyo", "analyst");
  await analyst.click(".items .what a");
  await analyst.click(".title a[href$='/why']");
  assert.equal(analyst.clicks, 2);
  const table = analyst.page.locator("main table").first();
  assert.match(await table.locator("tr", { hasText: "Brussels" }).textContent(), /can read it/);
  assert.match(await table.locator("tr", { hasText: "Canberra" }).textContent(), /cannot read it/);
  await shot(analyst.page, "why");
  await analyst.go("/control/mine");
  await shot(analyst.page, "mine");
  await analyst.context.close();
});

test("a FLASH arrives while somebody reads something else", async () => {
  const reader = await signIn(world, "Brussels", "analyst");
  await reader.go("/control/policies");
  const analyst = await signIn(world, "Tokyo", "analyst");
  await analyst.go(finding);
  await analyst.page.locator("details", { hasText: "Say what we think of it" }).locator("summary").click();
  await analyst.page.check("input[name=opinion][value=agree]");
  await analyst.page.fill("#explanation", "We see the same accounts on a second platform.");
  await analyst.page.locator("form[action$='/comment'] button.primary").click();
  await analyst.page.waitForSelector(".notice.good");
  const opinion = await analyst.page.locator("blockquote a[href*='opinion--']").first().getAttribute("href");
  const officer = await signIn(world, "Tokyo", "release-officer");
  await officer.go(`${opinion}/release`);
  await officer.page.selectOption("#precedence", "FLASH");
  await officer.page.locator("form[action$='/release'] button.primary").click();
  const card = reader.page.locator(".arrival", { hasText: "second platform" });
  await card.waitFor({ timeout: 20_000 });
  assert.match(await card.textContent(), /FLASH/);
  await shot(reader.page, "flash");
  await card.locator("a").click();
  await arrive(reader.page, /opinion--/);
  assert.match(reader.page.url(), /\/object\/opinion--/);
  await Promise.all([reader, analyst, officer].map((v) => v.context.close()));
});

test("a recall: who held it, who has confirmed, in one view", async () => {
  const officer = await signIn(world, "Tokyo", "release-officer");
  await officer.go(`${assessment}/recall`);
  await officer.page.fill("#why", "The basis turned out to be thin.");
  await officer.click("button.danger");
  await officer.page.waitForFunction(() => document.body.textContent.includes("removal signed") || (location.reload(), false), undefined, { timeout: 30_000, polling: 1500 });
  await shot(officer.page, "recall");
  const partner = await signIn(world, "Brussels", "analyst");
  assert.equal((await partner.go(assessment)).status(), 404);
  await Promise.all([officer, partner].map((v) => v.context.close()));
});

/** Takes a picture away as PNG and finds the page's marking painted into it. */
async function pictureIsMarked(page, name) {
  const button = page.locator(`button[data-png*='picture=${name}']`);
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  assert.equal(download.suggestedFilename(), `${name}.png`);
  const png = (await readFile(await download.path())).toString("base64");
  const painted = await page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    const at = (x, y) => `rgb(${[...pen.getImageData(x, y, 1, 1).data].slice(0, 3).join(", ")})`;
    return { top: at(6, 6), bottom: at(6, image.height - 6), width: image.width, bar: getComputedStyle(document.querySelector(".marking-bar")).backgroundColor };
  }, png);
  assert.equal(painted.top, painted.bar);
  assert.equal(painted.bottom, painted.bar);
  assert.ok(painted.width > 1200, `${painted.width} wide`);
  const file = await page.request.get(new URL(await button.getAttribute("data-png"), page.url()).href);
  assert.match(await file.text(), /class="marking"[^>]*>[^<]*RESTRICTED/);
}

const places = `place,production,stock
CHN,600,60
JPN,3,12
KOR,2,4
DEU,0,3
USA,0,10
NLD,0,2
RUS,5,1
`;
const exports = `from,to,quantity
CHN,JPN,180
CHN,KOR,60
CHN,DEU,70
CHN,USA,50
CHN,NLD,25
RUS,DEU,2
JPN,USA,8
DEU,NLD,6
DEU,USA,4
`;

test("a measure is announced: who is hit, and a plan with who pays, in under 10 clicks", async () => {
  const analyst = await signIn(world, "Tokyo", "analyst");
  const { page } = analyst;
  await analyst.click("a[data-go=e]");
  await page.fill("#name", "Gallium (exercise figures)");
  await page.fill("#unit", "t");
  await page.fill("#year", "2023");
  await page.fill("#source", "Figures invented for an exercise");
  await page.setInputFiles("#places", await world.file("places.csv", places));
  await page.setInputFiles("#exports", await world.file("exports.csv", exports));
  await chooseLabel(analyst);
  await page.locator("form[action='/economy'] button.primary").click();
  await arrive(page, /\/economy\/x-causeway-dependency--/);
  product = new URL(page.url()).pathname;
  await shot(page, "exposure", true);
  await pictureIsMarked(page, "map");
  const csv = await (await page.request.get(`${page.url()}?table=exposed`)).text();
  assert.match(csv, /^country,supplier,.*,direct,look_through,hidden,year,source,marking\r?\n/);
  assert.match(csv, /DEU,CHN,70,t,.*RESTRICTED/);
  const country = page.locator("#exposure svg a[href*='country=DEU']");
  await country.focus();
  assert.match(await page.locator(".tip.floating").textContent(), /Germany: 97.2 % of its imports come from China/);
  await page.keyboard.press("Enter");
  await arrive(page, /country=DEU/);

  analyst.clicks = 0;
  await analyst.click("a[data-go=e]");
  await analyst.click(".items .what a");
  await analyst.click("a[href$='/scenario']");
  await page.locator("#withheld").fill("80");
  await page.waitForFunction(() => new URL(location.href).searchParams.get("withheld") === "80");
  for (const member of ["JPN", "DEU", "USA"]) await analyst.click(`input[name=member][value=${member}]`);
  await page.waitForSelector("#answer caption");
  await shot(page, "scenario", true);
  assert.ok((await page.locator("#answer table tbody tr").count()) > 3);
  assert.ok(analyst.clicks < 10, `${analyst.clicks} clicks`);
  await page.locator("details.keep summary").click();
  await page.fill("#code", "811292");
  for (const share of ["75", "80"]) { // what is written stays while the answer changes
    await page.locator("#withheld").fill(share);
    await page.waitForFunction((s) => new URL(location.href).searchParams.get("withheld") === s, share);
  }
  assert.equal(await page.inputValue("#code"), "811292");
  await page.locator("details.keep form button.primary").click();
  await arrive(page, /\/object\/x-causeway-plan--/);
  const plan = new URL(page.url()).pathname;
  assert.match(await page.locator("main").textContent(), /the same plan, byte for byte/);
  await page.click("a[href*='/scenario?']");
  await arrive(page, /withheld=80/);
  assert.equal(await page.locator("input[name=member]:checked").count(), 3);
  const officer = await signIn(world, "Tokyo", "release-officer");
  await officer.go(`${plan}/release`);
  await officer.page.locator("form tr", { hasText: "Brussels" }).locator("input[type=checkbox]").check();
  await officer.page.locator("form[action$='/release'] button.primary").click();
  await officer.page.waitForSelector(".notice.good");
  await officer.page.waitForFunction(() => document.body.textContent.includes("receipt signed") || (location.reload(), false), undefined, { timeout: 30_000, polling: 1500 });
  const partner = await signIn(world, "Brussels", "analyst");
  await partner.go(plan);
  assert.match(await partner.page.locator("main").textContent(), /the same plan, byte for byte/);
  await shot(partner.page, "plan", true);
  await Promise.all([officer, partner].map((v) => v.context.close()));
  await analyst.go("/economy");
  await shot(page, "economy");
  assert.deepEqual(analyst.problems, []);
  await analyst.context.close();
});

test("a blind match: propose, agree, run, release by both", async () => {
  const domain = (n, value) => ({ type: "domain-name", spec_version: "2.1", id: `domain-name--00000000-0000-4000-8000-00000000000${n}`, value });
  const bundle = (...objects) => JSON.stringify({ type: "bundle", id: "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", objects });
  const label = new URL("../../../../../.ci/peers/public-label.xml", import.meta.url).pathname;
  for (const [place, objects] of [
    ["Tokyo", [domain(1, "story.fake.example"), domain(2, "only-tokyo.example")]],
    ["Brussels", [domain(3, "Story.fake.example."), domain(4, "only-brussels.example")]],
  ]) {
    const file = await world.file(`${place}-domains.json`, bundle(...objects));
    world.run("import", "--data", `${world.dir}/demo/${place.toLowerCase()}`, "--as", `person:${world.nodes[place].people.analyst}`, "--label", label, file);
  }
  const tokyo = await signIn(world, "Tokyo", "liaison");
  await tokyo.go("/lines");
  await tokyo.click("a[href='/matches']");
  await arrive(tokyo.page, /\/matches$/);
  await tokyo.page.selectOption("#partner", { label: "Brussels" });
  await tokyo.page.check("input[name=kind][value=domain]");
  await shot(tokyo.page, "match-propose");
  await tokyo.click("form[action='/matches'] button.primary");
  await arrive(tokyo.page, /\/matches\/[0-9a-f]{32}/);
  const path = new URL(tokyo.page.url()).pathname;
  const act = (visitor, what) => visitor.page.locator(`form:has(input[name=do][value=${what}]) button`).first().click();
  // Nothing runs before the other side agreed.
  await act(tokyo, "run");
  await tokyo.page.waitForSelector("text=have not answered yet");
  const brussels = await signIn(world, "Brussels", "liaison");
  await brussels.go(path);
  await shot(brussels.page, "match-answer");
  await act(brussels, "consent");
  await brussels.page.waitForSelector(".state.good", { timeout: 20_000 });
  await tokyo.go(path);
  await act(tokyo, "run");
  await tokyo.page.waitForSelector("text=domain:story.fake.example", { timeout: 20_000 });
  assert.doesNotMatch(await tokyo.page.textContent("main"), /only-/);
  assert.match(await tokyo.page.textContent(".figures"), /Values asked about\s*64/);
  await shot(tokyo.page, "match-found");
  await brussels.go(path);
  assert.doesNotMatch(await brussels.page.textContent("main"), /story\.fake/);
  await act(tokyo, "release");
  await tokyo.page.waitForSelector(".undo", { state: "detached" });
  await brussels.go(path);
  assert.match(await brussels.page.textContent("main"), /domain:story\.fake\.example/);
  await act(brussels, "release");
  await brussels.page.waitForSelector("a[href$='/release']");
  await tokyo.go(path);
  await tokyo.page.waitForSelector("a[href$='/release']");
  match = path;
  const analyst = await signIn(world, "Tokyo", "analyst");
  assert.equal((await analyst.go(path)).status(), 403);
  await Promise.all([tokyo, brussels, analyst].map((v) => v.context.close()));
});

test("keys: search, go, move, help", async () => {
  const analyst = await signIn(world, "Tokyo", "analyst");
  const { page } = analyst;
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await arrive(page, /\/picture$/);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  assert.equal(await page.locator(".items > li.at").count(), 1);
  await page.keyboard.press("Enter");
  await arrive(page, /\/object\//);
  await page.keyboard.press("?");
  assert.ok(await page.locator("#keys").isVisible());
  await shot(page, "keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.keyboard.type("accounts");
  await page.keyboard.press("Enter");
  await arrive(page, /search\?q=accounts/);
  await shot(page, "search");
  await analyst.context.close();
});

test("every page reads without JavaScript, and no secret of a page is kept by a cache", async () => {
  const reader = await signIn(world, "Brussels", "analyst", { javaScriptEnabled: false });
  for (const path of ["/", "/picture", "/detect", "/economy", "/economy/episodes", "/lines", "/public", "/control/people", "/control/policies"]) {
    const answer = await reader.go(path);
    assert.equal(answer.status(), 200, path);
    assert.equal(answer.headers()["cache-control"], "no-store", path);
    assert.ok((await title(reader.page)).length > 1, path);
    assert.ok((await answer.body()).length < 150_000, `${path} is heavy`);
  }
  await reader.context.close();
});

test("axe finds nothing, in both languages, light and dark", async () => {
  const paths = [
    "/", "/picture", finding, `${finding}/why`, `${finding}/assess`, "/detect", "/economy", "/economy/episodes", "/lines", "/lines/invite", "/matches", match, "/public", "/public/draft", "/public/coverage",
    product, `${product}/scenario?member=JPN&member=DEU`, "/public/perception", "/control/people", "/control/mine", "/control/audit",
    "/picture/search?q=nothing-that-is-there",
  ];
  const found = [];
  for (const [role, scheme, lang] of [
    ["analyst", "light", "en"],
    ["security-officer", "dark", "ja"],
  ]) {
    const visitor = await signIn(world, "Tokyo", role, { colorScheme: scheme });
    visitor.scheme = scheme;
    await visitor.go(`/?lang=${lang}`);
    if (lang === "ja") await shot(visitor.page, "today-dark-ja");
    for (const path of paths) found.push(...(await axe(visitor, path)));
    await visitor.context.close();
  }
  assert.deepEqual(found, []);
});
