// The report as the program gives it, and its drawing. All markup is made as
// elements, never from text.

export interface Report {
  findings: { code: string; where: string; text: string }[] | null;
  statements: Checked[] | null;
  as_of: string;
  keys_pinned: boolean;
  checkpoint: string;
  witnesses: { name: string; nation: string; at: string }[] | null;
  quorum: { k: number; nations: number };
  answers: { ask: string; is: "yes" | "no" | "unknown" }[];
  found?: { words: string; matches: Match[] | null }[];
}

interface Checked {
  id: string;
  version: number;
  kind: string;
  status: string;
  signed_by: string[] | null;
  logged_at: string;
  titles: Record<string, string>;
  corrections: number;
  sample?: boolean;
}

interface Match {
  id: string;
  version: number;
  status: string;
  lang?: string;
  place: string;
  line?: string;
  translation?: string;
  title: string;
  page: string;
}

const texts = JSON.parse(document.getElementById("texts")!.textContent!) as Record<string, string>;

/** A text of the page's language; {0}, {1} stand for what is put in. */
export function say(key: string, ...parts: (string | number)[]): string {
  return (texts[key] ?? key).replace(/\{(\d)\}/g, (_, i: string) => String(parts[Number(i)]));
}

type Child = Node | string;

export function el(tag: string, attributes: Record<string, string> = {}, ...children: Child[]): HTMLElement {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

const sign = { yes: "✓", no: "✗", unknown: "?" };
const tone = { yes: "good", no: "bad", unknown: "care" };

const time = (at: string) => (at.startsWith("0001") ? "–" : at.replace("T", " ").replace(/:\d\dZ$/, " UTC"));

function table(heads: string[], rows: Child[][]): HTMLElement {
  const row = (cells: Child[], tag: string) =>
    el("tr", {}, ...cells.map((c, i) => el(i === 0 && tag === "td" ? "th" : tag, tag === "th" ? { scope: "col" } : i === 0 ? { scope: "row" } : {}, c)));
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": heads[0]! }, el("table", {}, el("thead", {}, row(heads, "th")), el("tbody", {}, ...rows.map((r) => row(r, "td")))));
}

/** What a code means, in the page's language: its own table says it. */
const meaning = (code: string) => document.getElementById(`code-${code}`)?.querySelector("td")?.textContent ?? code;

function verdict(r: Report): HTMLElement {
  const findings = r.findings ?? [];
  const good = findings.length === 0;
  const head = good ? say("verdict.good", time(r.as_of)) : say("verdict.bad", findings.length);
  return el("div", { class: `verdict ${good ? "good" : "bad"}` }, el("h2", { id: "verdict", tabindex: "-1" }, `${good ? sign.yes : sign.no} ${head}`), el("p", {}, say(r.keys_pinned ? "keys.pinned" : "keys.own")));
}

function answers(r: Report): HTMLElement {
  const list = el("dl", { class: "answers" });
  for (const a of r.answers) {
    list.append(el("div", { class: tone[a.is] }, el("dt", {}, say(`ask.${a.ask}`)), el("dd", {}, `${sign[a.is]} ${say(`is.${a.is}`)}`)));
  }
  const count = (status: string) => (r.statements ?? []).filter((s) => s.status === status).length;
  const corrected = (r.statements ?? []).filter((s) => s.corrections > 0 && s.status !== "retracted").length;
  list.append(el("div", {}, el("dt", {}, say("ask.corrected")), el("dd", {}, say("is.corrected", corrected, count("superseded"), count("retracted")))));
  return list;
}

function link(page: string, title: string, root: string | null): Child {
  return root === null ? title : el("a", { href: new URL(page, root).href }, title);
}

function found(r: Report, root: string | null): Child[] {
  if (!r.found) return [];
  const items = r.found.map((f) => {
    const matches = f.matches ?? [];
    const first = matches[0];
    const good = matches.some((m) => m.status === "current" && m.place !== "altered" && m.place !== "part");
    const head = el("p", {}, el("q", {}, f.words));
    if (!first) return el("li", { class: "bad" }, head, el("p", {}, `${sign.no} ${say("found.nowhere")}`));
    const lines = matches.slice(0, 5).map((m) =>
      el("p", {}, `${good ? sign.yes : sign.unknown} ${say(`found.${m.place}`, m.line ?? "")} `, el("span", m.lang ? { lang: m.lang } : {}, link(m.page, m.title, root)), ` ${say("found.version", m.version, say(`status.${m.status}`))}${m.translation ? ` ${say(`translation.${m.translation}`)}` : ""}`),
    );
    return el("li", { class: good ? "good" : "care" }, head, ...lines);
  });
  return [el("h3", {}, say("found.heading")), el("ol", { class: "found" }, ...items)];
}

function statements(r: Report, root: string | null): Child[] {
  const list = r.statements ?? [];
  if (list.length === 0) return [];
  const lang = document.documentElement.lang;
  const rows = list
    .slice(-200)
    .reverse()
    .map((s) => {
      const tongue = s.titles[lang] !== undefined ? lang : Object.keys(s.titles)[0]!;
      const page = `s/${s.id.replace("urn:uuid:", "")}/${s.version}/${tongue}.html`;
      return [
        el("span", { lang: tongue }, link(page, s.titles[tongue] ?? s.id, root)),
        say(`kind.${s.kind}`) + (s.sample ? ` ${say("sample")}` : ""),
        String(s.version),
        say(`status.${s.status}`),
        (s.signed_by ?? []).join(", "),
        time(s.logged_at),
        String(s.corrections),
      ];
    });
  return [
    el("h3", {}, say("statements.title", list.length)),
    table([say("column.statement"), say("column.kind"), say("column.version"), say("column.status"), say("column.signed"), say("column.logged"), say("column.corrections")], rows),
  ];
}

/** Draws a report into a place; root is the site's address, null where it has none. */
export function draw(place: HTMLElement, r: Report, root: string | null, json: string): void {
  const findings = r.findings ?? [];
  place.replaceChildren(verdict(r), answers(r), ...found(r, root));
  if (findings.length > 0) {
    place.append(el("h3", {}, say("findings.title")), table([say("column.wrong"), say("column.where"), say("column.detail")], findings.slice(0, 200).map((f) => [`${sign.no} ${meaning(f.code)}`, el("code", {}, f.where), el("span", { lang: "en" }, f.text)])));
  }
  const witnesses = r.witnesses ?? [];
  if (witnesses.length > 0) {
    const nations = new Set(witnesses.map((w) => w.nation)).size;
    place.append(el("h3", {}, say("witnesses.title")), el("p", {}, say("witnesses.quorum", witnesses.length, nations, r.quorum.k, r.quorum.nations)), el("ul", {}, ...witnesses.map((w) => el("li", {}, `${w.name} (${w.nation}) ${time(w.at)}`))));
  }
  place.append(...statements(r, root));
  if (r.checkpoint) {
    const href = URL.createObjectURL(new Blob([r.checkpoint], { type: "text/plain" }));
    place.append(el("p", {}, el("a", { href, download: "checkpoint" }, say("keep.checkpoint")), ` ${say("keep.why")}`));
  }
  place.append(el("details", {}, el("summary", {}, say("report.json")), el("pre", { id: "report", tabindex: "0" }, json)));
  document.getElementById("verdict")?.focus();
}
