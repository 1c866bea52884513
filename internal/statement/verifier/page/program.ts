// The checking program: causeway's verifier in WebAssembly, carried inside this
// file so that it runs from a folder as well as from a web server.
import "go-wasm-exec";
import program from "verify-program";

declare class Go {
  importObject: WebAssembly.Imports;
  run(instance: WebAssembly.Instance): Promise<void>;
}

/** Starts the program once; causewayVerify is there when the promise is kept. */
async function start(): Promise<void> {
  const stream = new Blob([program as BlobPart]).stream().pipeThrough(new DecompressionStream("gzip"));
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(await new Response(stream).arrayBuffer(), go.importObject);
  void go.run(instance);
}

let started: Promise<void> | undefined;
(globalThis as { causewayProgram?: () => Promise<void> }).causewayProgram = () => (started ??= start());
