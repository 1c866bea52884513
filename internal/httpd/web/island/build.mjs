// Bundles the islands, makes the outlines of countries and copies the font into
// ../dist, which Go embeds.
// Everything third-party comes from the packages that package-lock.json pins.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { atlas } from "./atlas.mjs";

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
// The page that checks a published site: plain scripts, because a page opened
// from a folder may not load modules. .ci/assets says where the program is.
const verifier = new URL("../../../statement/verifier/", import.meta.url);
for (const name of await readdir(new URL("dist/", verifier))) {
  if (name !== ".gitkeep") await rm(new URL(`dist/${name}`, verifier));
}
await build({
  entryPoints: { program: new URL("page/program.ts", verifier).pathname, verify: new URL("page/verify.ts", verifier).pathname },
  outdir: new URL("dist/", verifier).pathname,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  alias: { "go-wasm-exec": process.env.GO_WASM_EXEC, "verify-program": process.env.VERIFY_PROGRAM },
  loader: { ".gz": "binary" },
  legalComments: "inline",
  logLevel: "warning",
});
await writeFile(new URL("atlas.json", dist), JSON.stringify(await atlas()));
await copyFile(
  new URL("node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", import.meta.url),
  new URL("inter.woff2", dist),
);
