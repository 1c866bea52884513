// Forms that answer at once, and pages that follow a job. Both fetch the same
// address that a reader without JavaScript opens, and put its part in place.

import { fetchPage } from "./trusted";

/** A form with data-live="ID" reloads the element ID whenever a field changes. */
export function startLive(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-live]")) {
    let running: AbortController | undefined;
    const refresh = async (): Promise<void> => {
      running?.abort();
      running = new AbortController();
      const query = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
      const url = `${form.action.split("?")[0]}?${query}`;
      try {
        if (await replace(url, form.dataset.live ?? "", running.signal)) history.replaceState(null, "", url);
      } catch (problem) {
        if (!(problem instanceof DOMException && problem.name === "AbortError")) throw problem;
      }
    };
    let timer = 0;
    form.addEventListener("input", (event) => {
      const field = event.target as HTMLInputElement;
      const shown = field.id ? form.querySelector<HTMLOutputElement>(`output[for="${CSS.escape(field.id)}"]`) : null;
      if (shown) shown.value = field.value + (shown.dataset.unit ?? "");
      clearTimeout(timer);
      timer = window.setTimeout(() => void refresh(), 120);
    });
  }
}

/** An element with data-poll="URL" is fetched anew every second until the page no longer asks for it. */
export function startPolling(): void {
  const step = async (): Promise<void> => {
    const following = document.querySelector<HTMLElement>("[data-poll]");
    if (!following) return;
    const done = following.dataset.done;
    const found = await replace(following.dataset.poll ?? location.href, following.id);
    if (found && done && !document.querySelector("[data-poll]")) {
      location.assign(done);
      return;
    }
    setTimeout(() => void step(), 1000);
  };
  if (document.querySelector("[data-poll]")) setTimeout(() => void step(), 700);
}

async function replace(url: string, id: string, signal?: AbortSignal): Promise<boolean> {
  const page = await fetchPage(url, signal);
  const fresh = page?.getElementById(id);
  const old = document.getElementById(id);
  if (!fresh || !old) return false;
  const part = document.adoptNode(fresh);
  keepWork(old, part);
  const focused = old.contains(document.activeElement) ? document.activeElement?.id : "";
  old.replaceWith(part);
  if (focused) document.getElementById(focused)?.focus();
  return true;
}

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** What the reader opened, chose or wrote in a part stays in the one that takes its place. Hidden fields are the answer's own. */
function keepWork(old: Element, fresh: Element): void {
  const summary = (d: HTMLDetailsElement): string => d.querySelector("summary")?.textContent ?? "";
  const opened = new Set([...old.querySelectorAll<HTMLDetailsElement>("details[open]")].map(summary));
  for (const d of fresh.querySelectorAll<HTMLDetailsElement>("details")) d.open ||= opened.has(summary(d));

  const fields = (part: Element): Field[] => [...part.querySelectorAll<Field>("input[name]:not([type=hidden]), select[name], textarea[name]")];
  const chosen = (f: Field): f is HTMLInputElement => f instanceof HTMLInputElement && (f.type === "radio" || f.type === "checkbox");
  const key = (f: Field): string => (chosen(f) ? `${f.name}=${f.value}` : f.name);
  const was = new Map(fields(old).map((f) => [key(f), f]));
  for (const f of fields(fresh)) {
    const before = was.get(key(f));
    if (!before || (before instanceof HTMLInputElement && before.type === "file")) continue;
    if (chosen(f)) f.checked = (before as HTMLInputElement).checked;
    else f.value = before.value;
  }
}
