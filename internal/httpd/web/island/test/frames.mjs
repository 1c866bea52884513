// Measures the network page at its largest: 5,000 accounts, drawn one by one.
// Prints the server's time and the frames per second while the network is
// dragged. Run after make build:
//
//	node internal/httpd/web/island/test/frames.mjs [accounts] [members of a group]
//
// Headless Chromium draws with the processor (SwiftShader): what a screen with
// a graphics card shows is at least as smooth.
import { signIn, startWorld } from "./world.mjs";

const accounts = Number(process.argv[2] ?? 5000);
const members = Number(process.argv[3] ?? 10);

const rows = ["object_id,account_id,content_id,timestamp_share"];
for (let group = 0; group < accounts / members; group++) {
  for (let object = 0; object < 3; object++) {
    for (let m = 0; m < members; m++) rows.push(`o${group}-${object},a${group}-${m},c${group}-${object}-${m},${1_767_600_000 + group * 977 + object * 86_400 + m}`);
  }
  if (group > 0) for (const a of [`a${group - 1}-0`, `a${group}-0`]) rows.push(`bridge${group},${a},b${group}-${a},${1_768_000_000 + group * 100}`);
}

const world = await startWorld();
try {
  const posts = await world.file("large.csv", rows.join("\n"));
  const analyst = await signIn(world, "Tokyo", "analyst");
  const { page } = analyst;
  await analyst.go("/detect");
  await page.setInputFiles("#posts", posts);
  await page.selectOption("#semantics", "coortweet");
  await page.click("form[action='/detect'] button.primary");
  await page.waitForSelector("[data-network][data-ready]", { timeout: 120_000 });
  const run = new URL(page.url()).pathname;
  for (const path of [run, `${run}/network.json`]) {
    const times = [];
    let bytes = 0;
    for (let i = 0; i < 9; i++) {
      const start = performance.now();
      const answer = await page.request.get(page.url().replace(run, path));
      bytes = (await answer.body()).length;
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    console.log(`${path.endsWith("json") ? "network.json" : "page"}: ${bytes} bytes, ${times[4].toFixed(0)} ms median of 9 (${times[0].toFixed(0)} to ${times[8].toFixed(0)})`);
  }
  // Processor time of the page's thread: what another load on the machine does not change.
  const tools = await page.context().newCDPSession(page);
  await tools.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => (await tools.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
  const before = await spent();
  const box = await page.locator("[data-network]").boundingBox();
  const counted = page.evaluate(
    () =>
      new Promise((resolve) => {
        const start = performance.now();
        let frames = 0;
        const tick = () => {
          frames++;
          if (performance.now() - start < 4000) requestAnimationFrame(tick);
          else resolve({ frames, rate: (1000 * frames) / (performance.now() - start) });
        };
        requestAnimationFrame(tick);
      }),
  );
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let i = 0; i < 40; i++) await page.mouse.move(x + 150 * Math.sin(i / 9), y + 100 * Math.cos(i / 7));
  const { frames, rate } = await counted;
  console.log(`dragged: ${rate.toFixed(0)} frames/s, ${((1000 * ((await spent()) - before)) / frames).toFixed(1)} ms of the page's thread each (60 frames/s leave 16.7)`);
  await page.mouse.up();
} finally {
  await world.stop();
}
