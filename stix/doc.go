// Package stix reads, checks, identifies and writes STIX 2.1 objects
// (OASIS STIX Version 2.1 with Errata 01; "STIX n.m" in this package cites its
// sections).
//
// An [Object] is immutable and keeps the exact bytes its producer sent: STIX
// 3.5 makes anything that adds, changes or removes a property a new object, so
// what was received is what is stored, signed over and served. There is one
// parser, [ParseObject], and it is strict: two parsers that read one body
// differently are a way round a label. It refuses duplicate names, text that
// is not UTF-8, lone surrogates, trailing data, and anything deeper or larger
// than [MaxDepth] and [MaxObjectBytes]. What parses may still break the
// standard; [Validate] says how.
//
// The package is pure: it imports no network, database, file-system or clock
// package.
package stix
