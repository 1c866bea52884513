// "/" search, "g" then a letter to go, "j" and "k" to move, "Enter" to open,
// "?" to show the keys.

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function startKeys(): void {
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target instanceof HTMLElement && typing(event.target)) {
      event.target.blur();
      return;
    }
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    if (going && Date.now() - going < 1500) {
      going = 0;
      const place = document.querySelector<HTMLAnchorElement>(`a[data-go="${CSS.escape(event.key)}"]`);
      if (place) {
        event.preventDefault();
        place.click();
      }
      return;
    }
    switch (event.key) {
      case "/":
        focusSearch();
        break;
      case "?":
        document.querySelector<HTMLDialogElement>("#keys")?.showModal();
        break;
      case "g":
        going = Date.now();
        break;
      case "j":
        move(1);
        break;
      case "k":
        move(-1);
        break;
      default:
        return;
    }
    event.preventDefault();
  });
  document.querySelector("[data-close]")?.addEventListener("click", (event) => {
    (event.target as HTMLElement).closest("dialog")?.close();
  });
}

function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>("form.search input");
  field?.focus();
  field?.select();
}

/** Moves the mark of the current row; the row's first link takes the focus. */
function move(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main .items > li, main tbody tr")].filter((row) =>
    row.querySelector("a[href]"),
  );
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.classList.contains("at"));
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[at]?.classList.remove("at");
  rows[next]?.classList.add("at");
  rows[next]?.querySelector<HTMLAnchorElement>("a[href]")?.focus();
}
