// Made by .ci/assets: Go's own loader, and the program, packed.
declare module "go-wasm-exec" {}
declare module "verify-program" {
  const bytes: Uint8Array;
  export default bytes;
}
