// Story 7: a new security officer sets up a node, in the browser and with no
// manual: policies, people, clearances, the first partner, the first line. Then
// what a security officer does day by day: attestations, groups, tables.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { arrive, axe, shot, signIn, startFresh, startWorld, visit } from "./world.mjs";

let world;
let fresh;

before(async () => {
  world = await startWorld();
  fresh = await startFresh(world, "Oslo", "NOR");
});
after(async () => {
  await fresh?.stop();
  await world?.stop();
});

const notice = (page) => page.locator(".notice.good").first();

/** The step that the set-up page marks as the next. */
const next = (page) => page.locator(".steps li.here h3").textContent();

async function addPerson(page, id, name, roles) {
  await page.locator("#add > summary").click().catch(() => {});
  if (!(await page.locator("#id").isVisible())) await page.locator("#add > summary").click();
  await page.fill("#id", id);
  await page.fill("#name", name);
  for (const role of roles) await page.check(`input[name=role][value=${role}]`);
  await page.fill("#password", "a long enough phrase");
  await page.locator("#add button.primary").click();
  await notice(page).waitFor();
}

/** Asks for the usual clearance of the page's person. */
async function askForClearance(page) {
  if (!(await page.locator("#basis").isVisible())) await page.locator("#ask > summary").click();
  await page.selectOption("#basis", "NATIONAL");
  await page.locator("#ask button.primary").click();
  await arrive(page, /\/control\/clearances\/[0-9a-f]{16}/);
}

async function approve(page) {
  await page.goto(new URL("/control/clearances", page.url()).href);
  await page.locator("a.button[href^='/control/clearances/']").first().click();
  await page.locator("button", { hasText: "Put the clearance of" }).click();
  await notice(page).waitFor();
}

test("a fresh node: policy, people, first partner, first line, with no manual", async () => {
  const officer = await visit(world, "Oslo");
  const { page } = officer;
  await officer.go("/?lang=en");
  await arrive(page, /\/first$/);
  await page.fill("#code", "aaaa-aaaa-aaaa-aaaa");
  await page.fill("#name", "Kari Lund");
  await page.fill("#id", "kari");
  await page.fill("#password", "a long enough phrase");
  await page.click("form button.primary");
  await page.waitForSelector(".notice.bad");
  await page.fill("#code", fresh.code);
  await page.fill("#password", "a long enough phrase");
  await shot(page, "first");
  await page.click("form button.primary");
  await arrive(page, /\/control\/setup$/);
  world.nodes.Oslo.people["security-officer"] = "kari";
  assert.equal(await next(page), "Policies");
  await shot(page, "setup-begin", true);

  await officer.click(".steps li.here a");
  await shot(page, "policies", true);
  await page.locator("form[action='/control/policies/confirm'] button").click();
  await arrive(page, /\/control\/setup$/);
  assert.equal(await next(page), "People");

  await officer.click(".steps li.here a");
  await addPerson(page, "nils", "Nils Berg", ["security-officer", "release-officer"]);
  await officer.go("/control/people");
  await addPerson(page, "ida", "Ida Moe", ["analyst"]);
  await officer.go("/control/setup");
  assert.equal(await next(page), "Clearances");

  // Kari asks for Ida, and Nils for himself: neither approves what they asked for.
  await officer.go("/control/people/ida");
  await askForClearance(page);
  assert.equal(await page.locator("button", { hasText: "Put the clearance of" }).count(), 0);
  await shot(page, "clearance-asked");
  world.nodes.Oslo.people["release-officer"] = "nils";
  const second = await visit(world, "Oslo");
  await second.go("/sign-in?lang=en");
  await second.page.fill("#person", "nils");
  await second.page.fill("#password", "a long enough phrase");
  await second.page.click("form button.primary");
  await arrive(second.page, /\/control\/setup$/); // no partner yet: an officer begins there
  await approve(second.page);
  await second.go("/control/people/nils");
  await askForClearance(second.page);
  await approve(page);
  await officer.go("/control/setup");
  assert.equal(await next(page), "First partner");

  await officer.click(".steps li.here a");
  await shot(page, "invite");
  const invitation = join(world.dir, "invitation.json");
  const [made] = await Promise.all([page.waitForEvent("download"), page.locator("form[action='/lines/invite'] button").click()]);
  await made.saveAs(invitation);
  const partner = await signIn(world, "Brussels", "security-officer", { acceptDownloads: true });
  await partner.go("/lines/invite");
  await partner.page.setInputFiles("#file", invitation);
  const answer = join(world.dir, "answer.json");
  const [answered] = await Promise.all([partner.page.waitForEvent("download"), partner.page.locator("form[action='/lines/accept'] button").click()]);
  await answered.saveAs(answer);
  await page.setInputFiles("#file", answer);
  await page.uncheck("input[name=answer]");
  await page.locator("form[action='/lines/accept'] button").click();
  await arrive(page, /\/lines\/bel-/);
  const code = await page.locator(".notice.care code").textContent();
  await shot(page, "compare");
  await page.fill("#code", code);
  await page.locator("button", { hasText: "Confirm" }).click();
  await notice(page).waitFor();
  await partner.go("/");
  await partner.page.locator("a", { hasText: "Oslo" }).first().click();
  assert.equal(await partner.page.locator(".notice.care code").textContent(), code);
  await partner.page.fill("#code", code);
  await partner.page.locator("button", { hasText: "Confirm" }).click();
  await notice(partner.page).waitFor();

  await officer.go("/control/setup");
  assert.equal(await next(page), "What the partner may see");
  await officer.click(".steps li.here a");
  await page.locator("#clear button.primary").click();
  await notice(page).waitFor();
  await partner.page.locator("#clear button.primary").click();
  await notice(partner.page).waitFor();
  await officer.go("/control/setup");
  await page.waitForFunction(() => document.body.textContent.includes("Everything is there") || (location.reload(), false), undefined, { timeout: 40_000, polling: 1500 });
  await shot(page, "setup-done", true);
  assert.deepEqual(officer.problems.filter((p) => !/422/.test(p)), []);
  await Promise.all([officer, second, partner].map((v) => v.context.close()));
});

test("an attestation goes over the line, is accepted, and ends when it is taken back", async () => {
  const officer = await signIn(world, "Tokyo", "security-officer");
  const { page } = officer;
  await officer.go("/control/people/aiko?lang=en");
  await page.selectOption("#to", { label: "Brussels" });
  await page.locator("form[action='/control/attestations'] button").click();
  assert.match(await page.locator("#draft").textContent(), /no name, no role/);
  await shot(page, "attest-draft", true);
  await page.locator("#draft button.primary").click();
  await notice(page).waitFor();
  assert.equal(await page.locator("#draft").count(), 0, "the preview goes on standing");
  const pseudonym = /p-[a-z2-7]{24}/.exec(await notice(page).textContent())[0];
  await page.waitForFunction(() => document.body.textContent.includes("receipt signed") || (location.reload(), false), undefined, { timeout: 30_000, polling: 1000 });

  const chief = await signIn(world, "Brussels", "security-officer");
  await chief.click(`a:has-text("${pseudonym}")`);
  await chief.page.locator("button[value=accept]").click();
  await notice(chief.page).waitFor();
  await chief.page.locator("summary", { hasText: "Let the visitor sign in" }).click();
  await chief.page.fill("form[action$='/admit'] input[type=password]", "a long enough phrase");
  await chief.page.locator("form[action$='/admit'] button").click();
  await chief.page.locator("a", { hasText: "may sign in" }).waitFor();
  await shot(chief.page, "attestations", true);

  world.nodes.Brussels.people.visitor = pseudonym;
  const password = world.nodes.Brussels.password;
  world.nodes.Brussels.password = "a long enough phrase";
  const visitor = await signIn(world, "Brussels", "visitor");
  world.nodes.Brussels.password = password;
  assert.equal((await visitor.go("/picture")).status(), 200);
  assert.equal((await visitor.go("/lines")).status(), 403);
  assert.equal((await visitor.go("/control/people")).status(), 403);
  await shot(visitor.page, "visitor-refused");

  await page.locator("summary", { hasText: "Take back" }).first().click();
  await page.fill("form:has(button[value=revoke]) input[name=why]", "Left the service.");
  await page.locator("button[value=revoke]").first().click();
  await page.locator(".notice.good", { hasText: "Taken back" }).waitFor();
  for (let tries = 0; ; tries++) {
    await visitor.go("/picture");
    if (/sign-in/.test(visitor.page.url())) break;
    assert.ok(tries < 30, "the visitor's session outlives the attestation");
    await visitor.page.waitForTimeout(500);
  }
  await shot(page, "attestation-revoked", true);
  assert.deepEqual(officer.problems, []);
  await Promise.all([officer, chief, visitor].map((v) => v.context.close()));
});

test("a group gets a member, a table is signed, a label is narrowed, each looked at first", async () => {
  const officer = await signIn(world, "Tokyo", "security-officer");
  const { page } = officer;
  await officer.go("/control/groups/7NNN?lang=en");
  await page.fill("#members", "AUS NZL JPN");
  await page.fill("#source", "Letter of 20 November 2026");
  await page.locator("button", { hasText: "Look at what changes" }).click();
  assert.match(await page.locator("#draft").textContent(), /AUS, JPN, NZL/);
  await shot(page, "group-draft", true);
  await page.locator("#draft button.primary").click();
  await notice(page).waitFor();
  await officer.go("/control/groups/NATO?nation=JPN");
  await shot(page, "group", true);

  await officer.go("/control/tables");
  await page.locator("summary", { hasText: "Write it here" }).click();
  const table = JSON.parse(await page.inputValue("#text"));
  await page.fill("#text", JSON.stringify({ ...table, classifications: [{ from: "ULTRA", to: "GOKUHI" }] }));
  await page.locator("button", { hasText: "Look at it" }).click();
  assert.match(await page.locator(".notice.bad").textContent(), /unknown classification/);
  await page.locator("summary", { hasText: "Write it here" }).click();
  await page.fill("#text", JSON.stringify({ ...table, version: "1", source: "Exchange of notes" }));
  await page.locator("button", { hasText: "Look at it" }).click();
  await shot(page, "table-draft", true);
  await page.locator("#draft button.primary").click();
  await notice(page).waitFor();
  await shot(page, "table", true);

  const release = await signIn(world, "Tokyo", "release-officer");
  await release.go("/picture?lang=en");
  await release.page.locator(".items .what a").first().click();
  await release.click("a[href$='/label']");
  await release.page.locator("[role=group][aria-label^='Releasable To'] input:checked").first().waitFor();
  await release.page.locator("button[value=preview]").click();
  await release.page.waitForSelector("#draft");
  await shot(release.page, "relabel", true);
  await release.page.goto(release.page.url().replace("/label", "/why?at=2026-01-01"));
  assert.match(await release.page.locator("main table").first().textContent(), /could not read it/);
  await shot(release.page, "why-at", true);
  await Promise.all([officer, release].map((v) => v.context.close()));
});

test("axe finds nothing on the pages of Control, in both languages, light and dark", async () => {
  const paths = [
    "/control/setup", "/control/clearances", "/control/attestations", "/control/policies", "/control/policies/1.3.26.1.3.1", "/control/tables",
    "/control/tables/nato-japan@1", "/control/groups", "/control/groups/NATO?nation=JPN", "/control/groups/7NNN", "/control/people/aiko",
  ];
  const found = [];
  for (const [scheme, lang] of [["light", "en"], ["dark", "ja"]]) {
    const visitor = await signIn(world, "Tokyo", "security-officer", { colorScheme: scheme });
    visitor.scheme = scheme;
    await visitor.go(`/control/setup?lang=${lang}`);
    for (const path of paths) {
      found.push(...(await axe(visitor, path)));
      if (lang === "ja") {
        await visitor.go(path);
        await shot(visitor.page, `ja${path.replaceAll(/[^a-zA-Z0-9]/g, "-")}`, true);
      }
    }
    const grant = await visitor.page.goto(`${visitor.node.url}/control/clearances`).then(() => visitor.page.locator("tbody a[href^='/control/clearances/']").first().getAttribute("href"));
    found.push(...(await axe(visitor, grant)));
    await visitor.context.close();
  }
  assert.deepEqual(found, []);
});
