// Where the files of a site are read from.

/** A site: bytes by name, null where there is no such file. */
export interface Source {
  read(name: string): Promise<Uint8Array | null>;
  list?(): string[];
}

/** A site behind a web address. Nothing about the reader goes with the question. */
export function web(address: string): Source {
  const base = new URL(address.endsWith("/") || address.endsWith(".html") ? address : `${address}/`, location.href);
  return {
    async read(name) {
      const answer = await fetch(new URL(name, base), { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
      if (answer.status === 404 || answer.status === 410) return null;
      if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
      return new Uint8Array(await answer.arrayBuffer());
    },
  };
}

const metadata = ".well-known/causeway/provider-metadata.json";

/** A site in a folder that the reader has chosen; its root is where the metadata are. */
export function folder(files: Iterable<File>): Source {
  const all = [...files].map((file) => [file.webkitRelativePath || file.name, file] as const);
  const found = all.map(([path]) => path).filter((path) => path === metadata || path.endsWith(`/${metadata}`));
  const root = found.sort((a, b) => a.length - b.length)[0]?.slice(0, -metadata.length) ?? "";
  const names = new Map(all.filter(([path]) => path.startsWith(root)).map(([path, file]) => [path.slice(root.length), file]));
  return {
    async read(name) {
      const file = names.get(name);
      return file ? new Uint8Array(await file.arrayBuffer()) : null;
    },
    list: () => [...names.keys()],
  };
}

/** Counts what is read, for the reader who waits. */
export function counted(source: Source, tell: (files: number) => void): Source {
  let files = 0;
  const out: Source = {
    read(name) {
      tell(++files);
      return source.read(name);
    },
  };
  if (source.list) out.list = () => source.list!();
  return out;
}
