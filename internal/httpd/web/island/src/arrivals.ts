// News while somebody reads something else: the node's feed as server-sent
// events. A FLASH stays until it is opened or put away; the rest goes by itself.

interface Arrival {
  title: string;
  href: string;
  marking: string;
  colour: string;
  precedence: string;
  from: string;
}

export function startArrivals(): void {
  const place = document.querySelector<HTMLElement>("[data-feed]");
  if (!place) return;
  const source = new EventSource(place.dataset.feed ?? "/api/feed");
  source.addEventListener("available", (event) => {
    show(place, JSON.parse((event as MessageEvent<string>).data) as Arrival);
  });
  new MutationObserver(() => markBars(place)).observe(place, { childList: true });
  window.addEventListener("pagehide", () => source.close());
}

function show(place: HTMLElement, news: Arrival): void {
  const card = document.createElement("div");
  const urgent = news.precedence === "FLASH" || news.precedence === "IMMEDIATE";
  card.className = `arrival ${news.precedence}`;
  card.setAttribute("role", urgent ? "alert" : "status");

  const head = document.createElement("p");
  head.className = "small";
  if (news.precedence) head.append(span(`precedence ${news.precedence}`, news.precedence), " ");
  head.append(span(`mark ${news.colour}`, news.marking));
  if (news.from) head.append(" ", span("quiet", news.from));

  const title = document.createElement("p");
  const link = document.createElement("a");
  link.href = news.href;
  link.textContent = news.title;
  title.append(link);

  const away = document.createElement("button");
  away.type = "button";
  away.className = "plain small";
  away.textContent = place.dataset.away ?? "";
  away.addEventListener("click", () => card.remove());

  card.dataset.marking = news.marking;
  card.dataset.colour = news.colour;
  card.append(head, title, away);
  place.append(card);
  while (place.childElementCount > 3) place.firstElementChild?.remove();
  if (!urgent) setTimeout(() => card.remove(), 12_000);
}

/**
 * Keeps the bars of the page true: while a card is on it, its marking stands in
 * them beside the page's own, and goes when the card goes.
 */
function markBars(place: HTMLElement): void {
  const cards = [...place.querySelectorAll<HTMLElement>(".arrival")];
  for (const bar of document.querySelectorAll<HTMLElement>(".marking-bar")) {
    const own = (bar.dataset.own ??= bar.className);
    for (const added of bar.querySelectorAll("[data-added]")) added.remove();
    const none = bar.querySelector<HTMLElement>("[data-none]");
    const said = new Set([...bar.querySelectorAll("span")].map((part) => part.textContent));
    for (const card of cards) {
      const marking = card.dataset.marking ?? "";
      if (said.has(marking)) continue;
      said.add(marking);
      const part = span("", marking);
      part.dataset.added = "";
      bar.append(part);
    }
    if (none) none.hidden = cards.length > 0;
    bar.className = none && cards[0] ? `${own} ${cards[0].dataset.colour ?? ""}` : own;
  }
}

function span(className: string, text: string): HTMLSpanElement {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
