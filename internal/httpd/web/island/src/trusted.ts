// The one door for markup. The content security policy allows no other: only
// pages of this node, fetched from this origin, become elements.

interface Policy {
  createHTML(text: string): unknown;
}
interface Factory {
  createPolicy(name: string, rules: { createHTML(text: string): string }): Policy;
}

const factory = (window as unknown as { trustedTypes?: Factory }).trustedTypes;
const policy = factory?.createPolicy("causeway", { createHTML: (text) => text });

export function parsePage(text: string): Document {
  return new DOMParser().parseFromString((policy ? policy.createHTML(text) : text) as string, "text/html");
}

/** Fetches a page of this node as the reader; undefined when it is not to be had. */
export async function fetchPage(url: string, signal?: AbortSignal): Promise<Document | undefined> {
  const address = new URL(url, location.href);
  if (address.origin !== location.origin) return undefined;
  const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: signal ?? null });
  if (!answer.ok) return undefined;
  return parsePage(await answer.text());
}
