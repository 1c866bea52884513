// Story 6: a narrative spreads. What have we said, what is unanswered; draft,
// review, co-sign over the line, publish, correct, and verify as an outsider.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, shot, signIn, startWorld } from "./world.mjs";

let world, statement;
before(async () => {
  world = await startWorld();
  const weeks = (n) => new Date(Date.now() - n * 7 * 86_400_000).toISOString();
  const objects = [["The treaty area grows into the Pacific", "n-treaty-area", 2], ["Troops are on their way", "n-troops", 9], ["The office in Tokyo is a base", "n-office", 9], ["Cables are cut on purpose", "n-cables", 17]].map(([name, id, w], i) => ({
    type: "campaign", spec_version: "2.1", id: `campaign--0000000${i}-0000-4000-8000-000000000000`, created: weeks(w), modified: weeks(w), name, first_seen: weeks(w),
    object_marking_refs: ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"], external_references: [{ source_name: "public narratives", external_id: id }],
  }));
  const bundle = await world.file("narratives.json", JSON.stringify({ type: "bundle", id: "bundle--00000000-0000-4000-8000-000000000000", objects }));
  world.run("import", bundle, "--data", `${world.dir}/demo/tokyo`);
});
after(async () => {
  await world?.stop();
});

const open = (visitor, path) => visitor.go(path);

/** Presses what matches and waits for the sentence about it. */
async function press(visitor, selector) {
  await visitor.page.evaluate(() => document.querySelectorAll("main .notice[role]").forEach((e) => e.remove()));
  await visitor.page.locator(selector).first().click();
  const notice = visitor.page.locator("main .notice[role]").first();
  await notice.waitFor({ timeout: 20_000 });
  const said = await notice.textContent();
  assert.match(await notice.getAttribute("class"), /good/, said);
  return said;
}

test("a security officer makes the keys, and partners trust each other's, in the pages", async () => {
  const made = {};
  for (const [place, domain, nation] of [["Tokyo", "mofa.example", "JP"], ["Brussels", "diplomatie.example", "BE"]]) {
    const officer = await signIn(world, place, "security-officer");
    await open(officer, "/public/keys");
    for (const [name, purpose] of [["statements", "statement"], ["log", "log"], ["metadata", "metadata"]]) {
      await officer.page.fill("#name", `${domain}/${name}`);
      await officer.page.selectOption("#purpose", purpose);
      await officer.page.fill("#nation", nation);
      await press(officer, "form:has(#purpose) button.primary");
    }
    const row = officer.page.locator("tr", { hasText: `${domain}/statements` });
    made[place] = await row.locator("pre").textContent();
    await officer.context.close();
  }
  for (const [place, key] of [["Tokyo", made.Brussels], ["Brussels", made.Tokyo]]) {
    const officer = await signIn(world, place, "security-officer");
    await open(officer, "/public/keys");
    await officer.page.fill("#key", key);
    assert.match(await press(officer, "form:has(#key) button.primary"), /Trusted/);
    if (place === "Tokyo") await shot(officer.page, "statement-keys", true);
    await officer.context.close();
  }
  // A witness of a third nation, whose key is at hand here.
  world.run("statement", "key", "witness.example/w", "--purpose", "witness", "--nation", "NZ", "--dir", `${world.dir}/demo/tokyo/statements`);
});

test("an unanswered narrative is answered: draft, two reviews, a partner's signature over the line", async () => {
  const speaker = await signIn(world, "Tokyo", "spokesperson");
  const { page } = speaker;
  await speaker.go("/public/coverage");
  await shot(page, "coverage", true);
  await page.locator("tr", { hasText: "The treaty area grows" }).locator("a", { hasText: "Draft an answer" }).click();
  await page.waitForURL(/\/public\/draft\?from=/);
  await page.fill("#title-en", "The treaty area has not changed");
  await page.fill("#body-en", "Article 6 of the treaty still bounds it. Work with partners in the region does not widen it.");
  await page.fill("#title-ja", "条約の対象地域は変わっていません");
  await page.fill("#body-ja", "条約第6条が引き続きその範囲を定めます。地域のパートナーとの協力が、それを広げることはありません。");
  await page.fill("#evidence", "Text of the treaty");
  await page.fill("#locator", "https://treaty.example/text");
  await page.fill("#sha256", "ab".repeat(32));
  await page.fill("#corrections", "https://mofa.example/corrections");
  for (const box of await page.locator("input[name=signatory]").all()) await box.check();
  await shot(page, "draft", true);
  await press(speaker, "main form button.primary");
  assert.match(page.url(), /\/public\/drafts\//);
  const draft = new URL(page.url()).pathname;
  assert.equal(await page.locator("input[name=do][value=publish]").count(), 0);

  const lawyer = await signIn(world, "Tokyo", "legal-adviser");
  await lawyer.go(draft);
  await press(lawyer, "button[value=agree]");
  const officer = await signIn(world, "Tokyo", "release-officer");
  await officer.go(draft);
  await press(officer, "button[value=agree]");
  await speaker.go(draft);
  await press(speaker, "form:has(input[value=sign]) button");
  await page.locator("details", { hasText: "Ask partners" }).locator("summary").click();
  await page.locator("label.choice", { hasText: "Brussels" }).locator("input").check();
  await press(speaker, "form:has(input[value=ask]) button.primary");
  const digest = await page.locator("section:has(a[href$='statement.json']) p.id").textContent();
  await shot(page, "drafted", true);

  const partner = await signIn(world, "Brussels", "spokesperson");
  await partner.go("/public");
  await partner.page.waitForFunction(() => document.body.textContent.includes("The treaty area") || (location.reload(), false), undefined, { timeout: 30_000, polling: 1500 });
  await partner.page.locator("a", { hasText: "The treaty area" }).first().click();
  assert.equal(await partner.page.locator("section:has-text('Digest') p.id").first().textContent(), digest);
  assert.match(await partner.page.locator("main").textContent(), /Article 6 of the treaty still bounds it/);
  await shot(partner.page, "asked", true);
  await press(partner, "form:has(input[value=sign]) button.primary");

  await speaker.go(draft);
  await page.waitForFunction(() => document.body.textContent.includes("signatures have come") || (location.reload(), false), undefined, { timeout: 30_000, polling: 1500 });
  await press(speaker, "form:has(input[value=take]) button");
  await press(speaker, "form:has(input[value=publish]) button.primary");
  statement = new URL(page.url()).pathname;
  assert.match(statement, /\/public\/statements\//);
  await speaker.go("/public");
  assert.match(await page.locator(".figures").textContent(), /whole and current/);
  await shot(page, "public");
  await speaker.go("/public/coverage");
  assert.match(await page.locator("main table").first().textContent(), /answered/);
  assert.deepEqual(speaker.problems, []);
  await Promise.all([lawyer, officer, partner, speaker].map((v) => v.context.close()));
});

test("a correction shows what it changes, passes the same reviews, and an outsider finds it whole", async () => {
  const speaker = await signIn(world, "Tokyo", "spokesperson");
  const { page } = speaker;
  await speaker.go(statement);
  await page.locator(".acts a", { hasText: "Correct" }).click();
  await page.fill("#was", "still bounds it");
  await page.fill("#is", "bounds it, as amended in 1951");
  await page.fill("#why", "more exact");
  await page.fill("#body-en", "Article 6 of the treaty bounds it, as amended in 1951.");
  await page.fill("#body-ja", "条約第6条(1951年改正)がその範囲を定めます。");
  await press(speaker, "main form button.primary");
  assert.match(await page.locator("del").allTextContents().then((t) => t.join(" ")), /still bounds it/);
  await shot(page, "correction", true);
  const draft = new URL(page.url()).pathname;
  for (const role of ["legal-adviser", "release-officer"]) {
    const reviewer = await signIn(world, "Tokyo", role);
    await reviewer.go(draft);
    await press(reviewer, "button[value=agree]");
    await reviewer.context.close();
  }
  await speaker.go(draft);
  await press(speaker, "form:has(input[value=sign]) button");
  await page.locator("details", { hasText: "Ask partners" }).locator("summary").click();
  await page.locator("label.choice", { hasText: "Brussels" }).locator("input").check();
  await press(speaker, "form:has(input[value=ask]) button.primary");
  const partner = await signIn(world, "Brussels", "spokesperson");
  await partner.go("/public");
  const waiting = partner.page.locator("tr", { hasText: "waits for us" }).locator("a").first();
  for (let i = 0; i < 20 && (await waiting.count()) === 0; i++) {
    await partner.page.waitForTimeout(1000);
    await partner.go("/public");
  }
  await waiting.click();
  await press(partner, "form:has(input[value=sign]) button.primary");
  await partner.context.close();
  await speaker.go(draft);
  await page.waitForFunction(() => document.body.textContent.includes("signatures have come") || (location.reload(), false), undefined, { timeout: 30_000, polling: 1500 });
  await press(speaker, "form:has(input[value=take]) button");
  await press(speaker, "form:has(input[value=publish]) button.primary");
  assert.match(await page.locator("main").textContent(), /more exact/);
  assert.equal(await page.locator("td del", { hasText: "The treaty area" }).count(), 1);
  await shot(page, "corrected", true);
  const report = world.run("statement", "verify", `${world.dir}/demo/tokyo/statements/site`);
  assert.match(report, /v1 rebuttal superseded[^]*v2 rebuttal current/);
  await speaker.go("/public/due");
  assert.match(await page.locator("main").textContent(), /end of validity/);
  await shot(page, "due");
  assert.deepEqual(speaker.problems, []);
  await speaker.context.close();
});

test("perception: small multiples, map, weights that the reader changes, effect, files", async () => {
  const rows = ["country,target,population,year,share_pct,n"];
  const publics = { IDN: 62, PHL: 70, VNM: 80, THA: 66, MMR: 45, MYS: 74, KHM: 58, KOR: 25, AUS: 68 };
  for (const [i, [code, level]] of Object.entries(publics).entries())
    for (let year = 2012; year < 2025; year++) rows.push(`${code},JPN,public,${year},${level + Math.round(4 * Math.sin(year * 1.3 + i)) + (code === "IDN" && year > 2019 ? 8 : 0)},1000`);
  for (const [code, level] of [["IDN", 58], ["THA", 60], ["VNM", 72]]) for (let year = 2019; year < 2025; year++) rows.push(`${code},JPN,elite,${year},${level + (year % 3)},180`);
  rows.push("SGP,JPN,public,2020,50,1000");
  const speaker = await signIn(world, "Tokyo", "spokesperson");
  const { page } = speaker;
  await speaker.go("/public/perception");
  await page.fill("#name", "Views of the region (invented)");
  await page.fill("#source", "Invented for a test");
  await page.setInputFiles("#csv", await world.file("polls.csv", rows.join("\n") + "\n"));
  await page.locator("main form button.primary").click();
  await page.waitForURL(/\/public\/perception\/x-causeway-observations--/);
  const path = new URL(page.url()).pathname;
  assert.equal(await page.locator(".multiples figure").count(), 9);
  assert.ok((await page.locator(".multiples svg .ribbon.g4").count()) >= 3, "the elite has no ribbon of its own");
  assert.match(await page.locator("main").textContent(), /not enough data/);
  await page.fill("#event", "2019.8");
  await page.waitForFunction(() => document.body.textContent.includes("is not proof"));
  await shot(page, "perception", true);
  const chosen = page.locator(".figures div", { hasText: "weighted: chosen" });
  assert.equal(await chosen.count(), 0);
  for (const input of await page.locator("input[name^='w.']").all()) await input.fill("0");
  await page.fill("#w-MMR", "1");
  await page.locator("button", { hasText: "Compute with these weights" }).click();
  await chosen.waitFor();
  assert.match(await chosen.locator("dd").textContent(), /^4\d/);
  const file = await page.request.get(speaker.node.url + (await page.locator(".multiples .take a").first().getAttribute("href")));
  assert.match(await file.text(), /^<svg/);
  const [png] = await Promise.all([page.waitForEvent("download"), page.locator("[data-png]").first().click()]);
  assert.match(png.suggestedFilename(), /\.png$/);
  const csv = await page.request.get(`${speaker.node.url}${path}/estimates.csv?target=JPN`);
  assert.match(await csv.text(), /IDN,JPN,elite/);
  assert.deepEqual(speaker.problems, []);
  assert.deepEqual(await axe(speaker, `${path}?target=JPN&event=2019.8`), []);
  await speaker.context.close();
  const reader = await signIn(world, "Tokyo", "spokesperson", { colorScheme: "dark" });
  reader.scheme = "dark";
  await reader.go(`${path}?lang=ja&event=2019.8`);
  await shot(reader.page, "perception-dark-ja", true);
  assert.deepEqual(await axe(reader, `${path}?event=2019.8`), []);
  assert.deepEqual(reader.problems, []);
  await reader.context.close();
});

test("axe finds nothing on the Public pages, in both languages, light and dark", async () => {
  const found = [];
  for (const [role, scheme, lang] of [["spokesperson", "light", "en"], ["security-officer", "dark", "ja"]]) {
    const visitor = await signIn(world, "Tokyo", role, { colorScheme: scheme });
    visitor.scheme = scheme;
    await visitor.go(`/?lang=${lang}`);
    for (const path of ["/public", statement, "/public/due", "/public/keys", "/public/coverage", ...(role === "spokesperson" ? ["/public/draft", `${statement}/correct`, `${statement}/retract`] : [])]) found.push(...(await axe(visitor, path)));
    if (lang === "ja") {
      await visitor.go(statement);
      await shot(visitor.page, "statement-dark-ja", true);
    }
    await visitor.context.close();
  }
  assert.deepEqual(found, []);
});
