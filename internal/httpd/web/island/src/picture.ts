// What a picture gains: what a mark says, shown for pointer and keyboard, and
// the picture as PNG. The file is the server's own SVG of the page, marking and
// all; here it is only painted.

/** Makes the PNG buttons work; the style sheet shows them once there is a script. */
export function startPictures(): void {
  document.documentElement.classList.add("scripted");
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("button[data-png]");
    if (button) void save(button);
    if ((event.target as Element).closest("button[data-print]")) print();
  });
  // A report on paper has its tables open.
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll<HTMLDetailsElement>("main details:not(.keep)")) part.open = true;
  });
  startTips();
}

async function save(button: HTMLButtonElement): Promise<void> {
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.png ?? "", { headers: { Accept: "image/svg+xml" } });
    if (!answer.ok) throw new Error(`the picture could not be fetched: ${answer.status}`);
    const name = /filename="([^"]+)\.svg"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "picture";
    const png = await paint(await answer.text());
    const link = document.createElement("a");
    link.href = URL.createObjectURL(png);
    link.download = `${name}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } finally {
    button.disabled = false;
  }
}

/** Paints an SVG at twice its size, so that it is sharp on paper. */
async function paint(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * image.naturalWidth;
  canvas.height = 2 * image.naturalHeight;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser has no canvas");
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large"))), "image/png"));
}

/** Shows the title of the mark under the pointer or with the focus at once; the browser's own comes late, and never for keys. */
function startTips(): void {
  const tip = document.createElement("div");
  tip.className = "tip floating";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true"); // readers get the name of the mark itself
  document.body.append(tip);
  const show = (mark: Element | null, x: number, y: number): void => {
    const text = mark?.querySelector(":scope > title")?.textContent ?? "";
    tip.hidden = text === "";
    tip.textContent = text;
    const left = Math.min(x + 14, innerWidth - tip.offsetWidth - 8);
    const top = y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 10 : y + 18;
    // The content security policy allows no style attribute, but the object model does.
    tip.style.transform = `translate(${Math.max(left, 8)}px, ${top}px)`;
  };
  const markOf = (target: EventTarget | null): Element | null => {
    const element = target instanceof Element ? target : null;
    if (!element?.closest("svg.chart")) return null;
    return element.querySelector(":scope > title") ? element : (element.querySelector(":scope > * > title")?.parentElement ?? null);
  };
  document.addEventListener("pointermove", (event) => show(markOf(event.target), event.clientX, event.clientY));
  document.addEventListener("focusin", (event) => {
    const mark = markOf(event.target);
    const box = mark?.getBoundingClientRect();
    show(mark, box ? box.left + box.width / 2 : 0, box ? box.top + box.height / 2 : 0);
  });
  document.addEventListener("focusout", () => show(null, 0, 0));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(null, 0, 0);
  });
}
