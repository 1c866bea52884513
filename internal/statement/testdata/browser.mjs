// Runs the program of the page that checks a site over the cases on stdin and
// writes its reports. Sites are given as the page gives a chosen folder.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

runInThisContext(readFileSync(process.argv[2], "utf8"));
await globalThis.causewayProgram();
const reports = [];
for (const { files, options } of JSON.parse(readFileSync(0, "utf8"))) {
  const source = {
    read: async (name) => (name in files ? new Uint8Array(Buffer.from(files[name] ?? "", "base64")) : null),
    list: () => Object.keys(files),
  };
  reports.push(JSON.parse(await globalThis.causewayVerify(source, JSON.stringify(options))));
}
process.stdout.write(JSON.stringify(reports), () => process.exit(0));
