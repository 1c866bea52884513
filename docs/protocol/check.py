#!/usr/bin/env python3
"""Check one published statement with Python's library and openssl alone.

usage: check.py SITE UUID VERSION   (SITE: a folder holding the published files)

Checks, in the order of docs/protocol/statements.md: the digest, the Ed25519
signatures of every signatory whose key the metadata list, the inclusion in
the log under the cosigned checkpoint, and the validity. The ML-DSA-65 halves
need a tool that knows FIPS 204 (openssl 3.5 does); causeway checks both.
"""
import base64, datetime, hashlib, json, pathlib, subprocess, sys, tempfile

site, uuid, version = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
here = site / "s" / uuid / version


def fail(code, text):
    sys.exit(f"FAIL {code}: {text}")


def ed25519(key, message, signature):
    """openssl says whether signature is key's over message."""
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        # SubjectPublicKeyInfo of an Ed25519 key (RFC 8410) is a fixed prefix and the key.
        (d / "k").write_bytes(bytes.fromhex("302a300506032b6570032100") + key)
        (d / "m").write_bytes(message)
        (d / "s").write_bytes(signature)
        cmd = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", d / "k", "-rawin", "-in", d / "m", "-sigfile", d / "s"]
        return subprocess.run(cmd, capture_output=True).returncode == 0


def signatures(note):
    """The text of a signed note and its (name, key id, signature) lines."""
    text, _, lines = note.decode().rpartition("\n\n")
    out = []
    for line in lines.splitlines():
        _, name, b64 = line.split(" ")
        raw = base64.b64decode(b64)
        out.append((name, raw[:4], raw[4:]))
    return (text + "\n").encode(), out


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


record = (here / "statement.json").read_bytes()
note = (here / "statement.note").read_bytes()
text, sigs = signatures(note)
fields = text.decode().split("\n")
if base64.b64decode(fields[4]) != hashlib.sha256(record).digest():
    fail("digest-mismatch", "the note is about other words")
statement = json.loads(record)
keys = {k["name"]: k for k in json.loads((site / ".well-known/causeway/provider-metadata.json").read_bytes())["keys"]}

nations = set()
for signatory in statement["signatories"]:
    k = keys.get(signatory["key"])
    if not k:
        continue
    pub = base64.b64decode(k["ed25519"])
    mine = [s for n, i, s in sigs if n == k["name"] and i == key_id(n, 1, pub)]
    if mine and not ed25519(pub, text, mine[0]):
        fail("bad-signature", k["name"])
    if mine:
        nations.add(signatory["nation"])
met = nations & set(statement["policy"]["of"])
if len(met) < statement["policy"]["k"]:
    fail("threshold-not-met", f"{sorted(met)} have signed")

proof, _, checkpoint = (here / "statement.tlog-proof").read_bytes().partition(b"\n\n")
lines = proof.decode().split("\n")
index, path = int(lines[1].removeprefix("index ")), [base64.b64decode(l) for l in lines[2:] if l]
body, cosigs = signatures(checkpoint)
_, size, root = body.decode().split("\n")[:3]
node, last, i = hashlib.sha256(b"\x00" + note).digest(), int(size) - 1, index
for h in path:  # RFC 9162, section 2.1.3.2
    if i % 2 or i == last:
        node = hashlib.sha256(b"\x01" + h + node).digest()
        while i % 2 == 0 and i:
            i, last = i >> 1, last >> 1
    else:
        node = hashlib.sha256(b"\x01" + node + h).digest()
    i, last = i >> 1, last >> 1
if node != base64.b64decode(root) or last:
    fail("bad-inclusion", "the log's root does not hold this note")
witnesses = 0
for name, ident, sig in cosigs:
    k = keys.get(name)
    if not k:
        continue
    pub = base64.b64decode(k["ed25519"])
    if k["purpose"] == "log" and ident == key_id(name, 1, pub) and not ed25519(pub, body, sig):
        fail("bad-checkpoint", name)
    if k["purpose"] == "witness" and ident == key_id(name, 4, pub):
        at = int.from_bytes(sig[:8], "big")
        if not ed25519(pub, b"cosignature/v1\ntime %d\n" % at + body, sig[8:]):
            fail("bad-checkpoint", name)
        witnesses += 1

now = datetime.datetime.now(datetime.timezone.utc)
until = statement.get("valid_until")
if until and now >= datetime.datetime.fromisoformat(until.replace("Z", "+00:00")):
    fail("expired", until)
print(f"ok: {len(met)} nations, {witnesses} witnesses, log entry {index}")
