// The page that checks a site of statements: what to check, and the answer.
import { draw, el, say, type Report } from "./report";
import { counted, folder, web, type Source } from "./source";

declare function causewayProgram(): Promise<void>;
declare function causewayVerify(source: Source, options: string): Promise<string>;

const form = document.getElementById("check") as HTMLFormElement;
const answer = document.getElementById("answer")!;
const status = document.getElementById("status")!;
const field = (id: string) => document.getElementById(id) as HTMLInputElement;
const served = location.protocol.startsWith("http");

/** The text of a chosen file, "" where none is. */
const textOf = async (id: string) => (await field(id).files?.[0]?.text()) ?? "";

function chosen(): { source: Source; root: string | null } {
  const where = (form.elements.namedItem("where") as RadioNodeList).value;
  if (where === "folder") {
    const files = field("folder").files;
    if (!files || files.length === 0) throw new Error(say("error.folder"));
    return { source: folder(files), root: null };
  }
  const address = where === "here" ? new URL("../", location.href).href : field("address").value.trim();
  if (!/^https?:\/\//.test(address)) throw new Error(say("error.address"));
  return { source: web(address), root: address.endsWith("/") ? address : `${address}/` };
}

async function check(): Promise<void> {
  answer.replaceChildren();
  status.textContent = say("status.starting");
  try {
    const { source, root } = chosen();
    await causewayProgram();
    const options = { now: new Date().toISOString(), policy: await textOf("policy"), since: await textOf("since"), words: field("words").value };
    const json = await causewayVerify(counted(source, (n) => (status.textContent = say("status.reading", n))), JSON.stringify(options));
    status.textContent = "";
    draw(answer, JSON.parse(json) as Report, root, json);
  } catch (error) {
    status.textContent = "";
    answer.replaceChildren(el("div", { class: "verdict care" }, el("h2", {}, `? ${say("error.title")}`), el("p", {}, error instanceof Error ? error.message : String(error)), el("p", {}, say("error.then"))));
  }
}

for (const e of document.querySelectorAll("[data-script]")) e.removeAttribute("hidden");
for (const e of document.querySelectorAll("[data-no-script]")) e.remove();
if (!served) {
  field("where-here").disabled = true;
  field("where-folder").checked = true;
}
for (const id of ["folder", "address"]) {
  field(id).addEventListener("input", () => (field(`where-${id}`).checked = true));
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void check();
});
if (served) void check();
