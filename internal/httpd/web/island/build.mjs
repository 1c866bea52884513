// Bundles the islands and copies the font into ../dist, which Go embeds.
// Everything third-party comes from the packages that package-lock.json pins.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, rm } from "node:fs/promises";

const dist = new URL("../dist/", import.meta.url);
await mkdir(dist, { recursive: true });
for (const name of await readdir(dist)) {
  if (name !== ".gitkeep") await rm(new URL(name, dist));
}
await build({
  entryPoints: { causeway: "src/causeway.ts", network: "src/network.ts" },
  outdir: dist.pathname,
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true, // the islands share one door for markup
  target: ["es2022"],
  legalComments: "eof",
  logLevel: "warning",
});
await copyFile(
  new URL("node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", import.meta.url),
  new URL("inter.woff2", dist),
);
