// Package taxii speaks TAXII 2.1 (OASIS Standard, 10 June 2021) on both
// sides: an HTTP handler over a small [Backend], and a [Client].
//
// A Backend is the exchange as one requester sees it. The handler never
// passes "who" along: [Options.As] turns a request into the Backend of the
// one who sent it, so a method that forgets to check cannot exist. Everything
// else the standard demands is the handler's work: negotiation, strict
// parsing, filters, cursors, limits, headers, status codes and error bodies.
//
// Objects travel as the producer's bytes. The handler splits an envelope into
// the exact byte ranges of its objects and gives them to the Backend; it
// never decodes and re-encodes one.
//
// Where the standard leaves something open, docs/protocol/taxii.md says what
// was chosen and why.
package taxii

// MediaType is the content type of every TAXII 2.1 body.
const MediaType = "application/taxii+json;version=2.1"

// MediaTypeSTIX21 and MediaTypeSTIX20 are media types of objects, in
// collections and manifests.
const (
	MediaTypeSTIX21 = "application/stix+json;version=2.1"
	MediaTypeSTIX20 = "application/stix+json;version=2.0"
)
