// Forms that keep what was typed when the node refuses it: the form is sent
// behind the page, and the reason is shown above it. A form with data-plain is
// left to the browser, because its answer is a file.

import { parsePage } from "./trusted";

export function startForms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post" || "plain" in form.dataset) return;
    event.preventDefault();
    void send(form, event.submitter);
  });
}

async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  if (form.getAttribute("aria-busy") === "true") return;
  form.setAttribute("aria-busy", "true");
  const body = new FormData(form, submitter);
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { Accept: "text/html", "X-Causeway-Form": "1" },
    body: form.enctype === "multipart/form-data" ? body : new URLSearchParams(body as unknown as Record<string, string>),
  });
  const to = answer.headers.get("X-Causeway-Go");
  if (answer.ok && to) {
    // The same address again would only scroll to a fragment: load it anew. One
    // without is asked for: reloading a preview would send its form again.
    const there = new URL(to, location.href);
    if (there.hash !== "" && there.href === location.href) location.reload();
    else location.assign(to);
    return;
  }
  form.removeAttribute("aria-busy");
  refuse(form, parsePage(await answer.text()));
}

/** Shows what the error page says above the form, and leaves the form as it is. */
function refuse(form: HTMLFormElement, page: Document): void {
  form.querySelector(":scope > .notice.bad")?.remove();
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.tabIndex = -1;
  const texts = [page.querySelector("main h1"), ...page.querySelectorAll("main .notice.bad p, main dl.facts dd")];
  for (const [i, part] of texts.entries()) {
    const text = part?.textContent?.trim();
    if (!text) continue;
    const line = document.createElement(i === 0 ? "strong" : "p");
    line.textContent = text;
    notice.append(line);
  }
  form.prepend(notice);
  notice.focus();
  notice.scrollIntoView({ block: "center" });
}
