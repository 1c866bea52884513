// The clock in the head: the reader's zone and UTC, to the minute.

export function startTimes(): void {
  const clock = document.querySelector<HTMLElement>("[data-clock]");
  if (!clock) return;
  const local = clock.querySelector<HTMLElement>(".local");
  const utc = clock.querySelector<HTMLElement>(".utc");
  const zone = clock.dataset.clock || "UTC";
  const write = (): void => {
    const now = new Date();
    const format = (timeZone: string): string =>
      new Intl.DateTimeFormat(document.documentElement.lang, {
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
        timeZone,
        timeZoneName: "short",
      }).format(now);
    if (local) local.textContent = format(zone);
    if (utc) utc.textContent = format("UTC");
  };
  write();
  setInterval(write, 10_000);
}
