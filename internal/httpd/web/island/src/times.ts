// The clock in the head: the reader's zone and UTC, to the minute. The names of
// the zones are the server's, which knows JST where browsers say GMT+9.

export function startTimes(): void {
  const clock = document.querySelector<HTMLElement>("[data-clock]");
  if (!clock) return;
  const write = (selector: string, timeZone: string): void => {
    const place = clock.querySelector<HTMLElement>(selector);
    if (!place) return;
    const name = place.textContent?.split(" ")[1] ?? "";
    const time = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
    place.textContent = `${time.format(new Date())} ${name}`;
  };
  const tick = (): void => {
    write(".local", clock.dataset.clock || "UTC");
    write(".utc", "UTC");
  };
  tick();
  setInterval(tick, 10_000);
}
