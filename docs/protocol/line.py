#!/usr/bin/env python3
"""A second reader of the line's documents, written from line.md alone.

usage: line.py [VECTORS.json]     (default: vectors/line.json beside this file)

It checks identities, the invitation, messages (open, both signatures, parts,
attestations), receipts, the witness of an audit log, relays' words and replies,
and the courier file of the test vectors, and that damaged ones are refused. It
shares nothing with causeway: the signatures and ML-KEM are of PyPI's
"cryptography" 50 or later, zstd of "zstandard"; HPKE's key schedule is below.
"""
import base64, hashlib, hmac, json, pathlib, re, struct, sys, urllib.parse

import zstandard
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Refused(Exception):
    pass


def need(good, why):
    if not good:
        raise Refused(why)


def sha(b):
    return hashlib.sha256(b).digest()


# ---- section 2: documents in one form

# Fields in their order; a trailing "?" marks those that are absent when empty.
SIGNATURES = "ed25519 mldsa65"
DOCUMENT = "type body signatures"
FORMS = {
    "identity": "v node nation name generation issued ed25519 mldsa65 hpke tls speaks_for? log_key?",
    "signed-identity": "body signatures previous?",
    "invitation": "v from address? secret created expires versions",
    "acceptance": "v invitation proof from address? created versions",
    "header": "v from to to_generation precedence stream seq prev expires statement sealed",
    "statement": "v kind from from_generation to precedence stream seq prev time expires parts count tables? log? seen? nonce",
    "manifest": "v rules own? seed? carried?",
    "recall": "v why? items",
    "attestation": "v node generation time count root",
    "receipt": "v from generation to statement precedence stream seq result reason? held removed? refusals? refused? time log? witnessed?",
    "passage": "v from generation to statement origin destination precedence stream seq state next? reason? since time",
    "standing": "v from generation to precedence stream? seq head time",
    "document": DOCUMENT,
}
INSIDE = {  # forms of values inside others
    "parts": "name size sha256", "tables": "oid version", "log": "checkpoint time since proof?", "seen": "size root time",
    "witnessed": "size root time", "items": "id version", "carried": "rule attestation leaf salt? proof?",
    "refusals": "id version? code reason", "signatures": SIGNATURES, "previous": SIGNATURES, "from": FORMS["signed-identity"],
}


def write(v):
    text = json.dumps(v, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def fits(v, form):
    """Checks the fields of v, their order, and that none is there empty that may be absent."""
    if isinstance(v, list):
        for x in v:
            fits(x, form)
        return
    need(isinstance(v, dict), "not an object")
    names = [f.rstrip("?") for f in form.split()]
    need([n for n in names if n in v] == list(v), "a field is unknown or out of order")
    for f in form.split():
        name = f.rstrip("?")
        if f.endswith("?"):
            need(name not in v or v[name] not in ("", 0, [], None), f"{name} is there, and empty")
        else:
            need(name in v, f"{name} is missing")
        if name in INSIDE and isinstance(v.get(name), (dict, list)):
            fits(v[name], INSIDE[name])


def once(pairs):
    need(len(dict(pairs)) == len(pairs), "a field twice")
    return dict(pairs)


def whole(text):
    raise Refused("a number that is not an integer")


def read(b, form):
    try:
        v = json.loads(b.decode(), object_pairs_hook=once, parse_float=whole, parse_constant=whole)
    except ValueError as e:
        raise Refused(str(e))
    fits(v, FORMS[form])
    need(write(v) == b, "not in the one form")
    return v


def raw(s, size=None):
    b = base64.b64decode(s, validate=True)
    need(base64.b64encode(b).decode() == s and (size is None or len(b) == size), "bytes of another length or form")
    return b


# ---- 2.1: signatures

def payload(kind):
    return f"application/vnd.causeway.line.{kind}.v1+json"


def verify(keys, kind, body, signatures):
    """Both signatures, over the bytes that came."""
    t = payload(kind).encode()
    pae = b"DSSEv1 %d %s %d %s" % (len(t), t, len(body), body)
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(raw(keys["ed25519"], 32)).verify(raw(signatures["ed25519"], 64), pae)
        mldsa.MLDSA65PublicKey.from_public_bytes(raw(keys["mldsa65"], 1952)).verify(raw(signatures["mldsa65"], 3309), pae, b"causeway line 1")
    except InvalidSignature:
        raise Refused("a signature does not verify")


def signed(doc, kind, keys):
    """Opens a document that stands alone."""
    fits(doc, DOCUMENT)
    need(doc["type"] == payload(kind), "another type")
    body = raw(doc["body"])
    verify(keys, kind, body, doc["signatures"])
    return read(body, kind)


# ---- 3: identities

def node_name(nation, id):
    first = sha(raw(id["ed25519"], 32) + raw(id["mldsa65"], 1952) + raw(id["hpke"], 1216))
    return nation.lower() + "-" + base64.b32encode(first[:10]).decode().lower()


def identities(chain):
    out = []
    for s in chain:
        fits(s, FORMS["signed-identity"])
        body = raw(s["body"])
        id = read(body, "identity")
        need(id["v"] == 1 and re.fullmatch("[A-Z]{3}", id["nation"]) and re.fullmatch("[a-z]{3}-[a-z2-7]{16}", id["node"]), "a field is out of range")
        verify(id, "identity", body, s["signatures"])
        if not out:
            need(id["generation"] == 1 and id["node"] == node_name(id["nation"], id), "the name does not follow from the first keys")
        else:
            old = out[-1]
            need((id["node"], id["nation"], id["generation"]) == (old["node"], old["nation"], old["generation"] + 1), "it does not succeed")
            need("previous" in s, "the generation before did not sign")
            verify(old, "identity", body, s["previous"])
        out.append(id)
    return out


# ---- 4: invitation

def invitation(v):
    file, answer = raw(v["file"]), raw(v["answer"])
    inv, acc = read(file, "document"), read(answer, "document")
    ib, ab = raw(inv["body"]), raw(acc["body"])
    i, a = read(ib, "invitation"), read(ab, "acceptance")
    for doc, kind, body in ((inv, "invitation", i), (acc, "acceptance", a)):
        signed(doc, kind, identities([body["from"]])[0])
    need(a["invitation"] == sha(ib).hex(), "it answers another invitation")
    proof = hmac.digest(raw(i["secret"], 32), b"causeway line accept 1\0" + sha(ib) + sha(raw(a["from"]["body"])), "sha256")
    need(raw(a["proof"]) == proof, "the answer was made without the invitation")
    n = int.from_bytes(sha(b"causeway line comparison code 1\0" + sha(ib) + sha(ab)), "big") % 10**24
    digits = "%024d" % n
    return " ".join(digits[k : k + 4] for k in range(0, 24, 4))


# ---- 5: messages

ENC = 1120


def hkdf_extract(salt, ikm):
    return hmac.digest(salt or bytes(32), ikm, "sha256")


def hkdf_expand(prk, info, n):
    out, t, i = b"", b"", 1
    while len(out) < n:
        t = hmac.digest(prk, t + info + bytes([i]), "sha256")
        out, i = out + t, i + 1
    return out[:n]


def decapsulate(seed, enc):
    """ML-KEM-768+X25519: the private key is a seed, SHAKE256 gives 64 bytes for
    ML-KEM and 32 for X25519; SHA3-256 combines the two secrets."""
    x = hashlib.shake_256(seed).digest(96)
    m = mlkem.MLKEM768PrivateKey.from_seed_bytes(x[:64]).decapsulate(enc[:1088])
    mine = x25519.X25519PrivateKey.from_private_bytes(x[64:])
    theirs = enc[1088:]
    s = mine.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
    return hashlib.sha3_256(m + s + theirs + mine.public_key().public_bytes_raw() + rb"\.//^\ "[:6]).digest()


def hpke_open(seed, enc, info, pieces):
    """RFC 9180, base mode: opens pieces (associated data, ciphertext) one after another."""
    suite = b"HPKE" + struct.pack(">HHH", 0x647A, 1, 2)
    extract = lambda salt, label, ikm: hkdf_extract(salt, b"HPKE-v1" + suite + label + ikm)
    expand = lambda prk, label, info, n: hkdf_expand(prk, struct.pack(">H", n) + b"HPKE-v1" + suite + label + info, n)
    secret = extract(decapsulate(seed, enc), b"secret", b"")
    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    key, base = expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)
    out = b""
    for i, (aad, ct) in enumerate(pieces):
        nonce = bytes(a ^ b for a, b in zip(base, i.to_bytes(12, "big")))
        try:
            out += AESGCM(key).decrypt(nonce, ct, aad)
        except InvalidTag:
            raise Refused("it does not open")
    return out


def padme(n):
    if n < 2:
        return n
    e = n.bit_length() - 1
    unit = 1 << max(e - e.bit_length(), 0)
    return -(-n // unit) * unit


def cut(b):
    n = int.from_bytes(b[:4], "big")
    need(len(b) >= 4 + n, "it ends inside a field")
    return b[4 : 4 + n], b[4 + n :]


PARTS = {"objects": ["manifest", "attestations", "envelope"], "recall": ["recall"], "identity": ["identity"], "notice": ["notice"],
         "clearance": ["clearance"], "cosign": ["cosign"]}
SAME = "from to precedence stream seq prev expires".split()


def header(msg):
    magic = b"causeway line 1\n"
    need(msg.startswith(magic), "the first line is another")
    head, sealed = cut(msg[len(magic) :])
    h = read(head, "header")
    need(h["v"] == 1 and h["sealed"] == len(sealed), "the length is another than the header's")
    need((h["seq"] == 1) == (h["prev"] == "0" * 64), "only the first has no predecessor")
    return h, head, sealed


def message(msg, me, secrets, senders):
    h, head, sealed = header(msg)
    need(h["to"] == me["node"], "it is for another node")
    rest, pieces = sealed[ENC:], []
    while rest:
        chunk, rest = rest[: (1 << 20) + 16], rest[(1 << 20) + 16 :]
        pieces.append((len(pieces).to_bytes(4, "big") + (b"\0" if rest else b"\1"), chunk))
    plain = hpke_open(secrets[h["to_generation"] - 1], sealed[:ENC], b"causeway line 1\nseal\0" + head, pieces)
    need(len(plain) == padme(len(plain)), "the padding is another")
    body, rest = cut(plain)
    need(sha(body).hex() == h["statement"], "the statement is another than the header's")
    sigs = {"ed25519": base64.b64encode(rest[:64]).decode(), "mldsa65": base64.b64encode(rest[64:3373]).decode()}
    st = read(body, "statement")
    sender = [s for s in senders if s["generation"] == st["from_generation"] and s["node"] == st["from"]]
    need(sender, "the keys are not known")
    verify(sender[0], "statement", body, sigs)
    need(all(st[f] == h[f] for f in SAME), "the outside is not what was signed")
    packed, zeros = cut(rest[3373:])
    need(not zeros.strip(b"\0"), "the padding is not zeros")
    size = sum(p["size"] for p in st["parts"])
    content = zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj().decompress(packed)
    need(len(content) == size, "the body has another size than was signed")
    need([p["name"] for p in st["parts"]] == PARTS[st["kind"]], "other parts")
    parts = []
    for p in st["parts"]:
        parts.append(content[: p["size"]])
        content = content[p["size"] :]
        need(sha(parts[-1]).hex() == p["sha256"], "a part is another than was signed")
    return h, st, body, parts


# ---- 5.3: objects and who said them

def leaf(salt, rule, obj):
    return sha(b"\0" + salt + sha(rule.encode()) + obj)


def tree(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1" + tree(leaves[:k]) + tree(leaves[k:]))


def included(node, index, size, proof):
    """RFC 9162, section 2.1.3.2; gives the root."""
    last = size - 1
    for h in proof:
        need(last > 0, "the proof is too long")
        if index % 2 or index == last:
            node = sha(b"\1" + h + node)
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha(b"\1" + node + h)
        index, last = index >> 1, last >> 1
    need(last == 0, "the proof is too short")
    return node


def objects(envelope):
    """The producers' bytes, commas between them, nothing else."""
    head, tail = b'{"objects":[', b"]}"
    need(envelope.startswith(head) and envelope.endswith(tail), "not an envelope")
    text, out, at = envelope[len(head) : -len(tail)].decode(), [], 0
    decoder = json.JSONDecoder()
    while at < len(text):
        _, end = decoder.raw_decode(text, at)
        out.append(text[at:end].encode())
        need(end == len(text) or text[end] == ",", "something between the objects")
        at = end + 1
    return out


def attested(parts, sender, known):
    """For each object the node whose attestation covers it, or None."""
    man, objs = read(parts[0], "manifest"), objects(parts[2])
    docs = json.loads(parts[1])
    need(write(docs) == parts[1], "the attestations are not in the one form")
    own, carried = man.get("own", []), man.get("carried", [])
    need(len(own) + len(carried) == len(objs), "the manifest does not fit the envelope")
    words = []
    for d in docs:
        a = json.loads(raw(d["body"]))
        ids = [i for i in known if i["node"] == a["node"] and i["generation"] == a["generation"]]
        words.append(signed(d, "attestation", ids[0]))
    out = []
    if own:
        need(words[0]["node"] == sender["node"] and words[0]["count"] == len(own), "the first attestation is not the sender's")
        seed = raw(man["seed"], 32)
        leaves = []
        for i, r in enumerate(own):
            salt = hmac.digest(seed, b"causeway line salt 1\0" + i.to_bytes(8, "big"), "sha256")
            leaves.append(leaf(salt, man["rules"][r], objs[i]))
        need(tree(leaves).hex() == words[0]["root"], "the own objects are not what was attested")
        out = [sender["node"]] * len(own)
    for c, obj in zip(carried, objs[len(own) :]):
        if c["attestation"] < 0:
            out.append(None)
            continue
        a = words[c["attestation"]]
        root = included(leaf(raw(c["salt"], 32), man["rules"][c["rule"]], obj), c["leaf"], a["count"], [raw(p, 32) for p in c.get("proof", [])])
        need(root.hex() == a["root"], "the attestation does not cover the object")
        out.append(a["node"])
    return out


# ---- 7: witness

def note_key(vkey):
    name, id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    need(key[0] == 1 and sha(name.encode() + b"\n" + key)[:4].hex() == id, "not a verifier key")
    return name, bytes.fromhex(id), ed25519.Ed25519PublicKey.from_public_bytes(key[1:])


def checkpoint(text, vkey):
    name, id, key = note_key(vkey)
    body, _, lines = text.partition("\n\n")
    body += "\n"
    for line in lines.splitlines():
        dash, who, sig = line.split(" ")
        sig = base64.b64decode(sig)
        if dash == "\u2014" and who == name and sig[:4] == id:
            try:
                key.verify(sig[4:], body.encode())
            except InvalidSignature:
                raise Refused("the checkpoint's signature does not verify")
            origin, size, root = body.split("\n")[:3]
            need(origin == name, "a checkpoint of another log")
            return int(size), base64.b64decode(root)
    raise Refused("the checkpoint is not signed")


def consistent(old_size, old_root, size, root, proof):
    """RFC 9162, section 2.1.4.2."""
    proof = list(proof)
    if old_size & (old_size - 1) == 0:
        proof.insert(0, old_root)
    need(proof, "the proof is empty")
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        need(sn > 0, "the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = sha(b"\1" + c + fr), sha(b"\1" + c + sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha(b"\1" + sr + c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == old_root and sr == root, "the entries seen before are not in it")


class Witness:
    size, root, time = 0, bytes(32), 0

    def see(self, log, vkey):
        size, root = checkpoint(log["checkpoint"], vkey)
        if self.size:
            if size < self.size:
                need(log["time"] <= self.time, "it has become shorter")
                return
            if size == self.size:
                need(root == self.root, "two logs of one length")
                return
            if log["since"] != self.size:
                return
            consistent(self.size, self.root, size, root, [raw(p, 32) for p in log.get("proof", [])])
        self.size, self.root, self.time = size, root, log["time"]


# ---- 9: files

def courier(b):
    magic = b"causeway line file 1\n"
    need(b.startswith(magic), "not a courier file")
    at, frames = len(magic), []
    while True:
        kind, n = b[at : at + 1].decode(), int.from_bytes(b[at + 1 : at + 9], "big")
        content = b[at + 9 : at + 9 + n]
        need(len(content) == n, "it is cut")
        frames.append((kind, content))
        if kind == "e":
            need(content == sha(b[:at]) and at + 9 + n == len(b), "it is damaged")
            return frames
        at += 9 + n


# ---- 10: what is compared

def normal_url(s):
    s = s.split("#")[0]
    scheme, sep, rest = s.partition("://")
    if not sep:
        return s
    host, slash, path = rest.partition("/")
    return scheme.lower() + "://" + host.lower() + ("/" + path if path else "")


def values(o):
    import ipaddress

    t, out = o["type"], []
    if t == "domain-name":
        out = ["domain:" + o["value"].lower().removesuffix(".")]
    elif t == "url":
        out = ["url:" + normal_url(o["value"])]
    elif t in ("ipv4-addr", "ipv6-addr"):
        a = ipaddress.ip_address(o["value"])
        out = ["address:" + str(getattr(a, "ipv4_mapped", None) or a)]
    elif t == "user-account":
        out = ["account:" + (o.get("account_type", "") + "/" + (o.get("user_id") or o.get("account_login"))).lower()]
    elif t == "file":
        out = [f"file:{k.lower()}/{o['hashes'][k].lower()}" for k in ("SHA-256", "SHA-1", "MD5") if k in o["hashes"]]
    elif t == "artifact":
        out = ["content:" + o["hashes"]["SHA-256"].lower()]
    elif t == "identity" and o.get("identity_class") == "organization":
        out = ["supplier:" + " ".join(o["name"].split()).lower()]
    return out


def post_values(p):
    width = p["width"] * 1000
    return [f"post:{p['width']}/{g}/{(p['time'] + g * width // 2) // width}/{normal_url(p['object'])}" for g in (0, 1)]


# ---- the vectors

checked = 0


def check(name, good):
    global checked
    checked += 1
    if not good:
        sys.exit(f"FAIL  {name}")


def refuses(name, f, *args):
    try:
        f(*args)
    except Refused:
        return check(name, True)
    check(name + " was accepted", False)


def flipped(b, at):
    return b[:at] + bytes([b[at] ^ 1]) + b[at + 1 :]


def main(path):
    v = json.loads(pathlib.Path(path).read_bytes())
    ids = {name: identities(chain) for name, chain in v["identities"].items()}
    known = [i for chain in ids.values() for i in chain]
    secrets = {name: [raw(s, 32) for s in all] for name, all in v["secrets"].items()}
    check("a has two generations", len(ids["a"]) == 2)
    turned = [v["identities"]["a"][0], dict(v["identities"]["a"][1], previous=v["identities"]["b"][0]["signatures"])]
    refuses("a succession that another signed", identities, turned)
    check("the comparison code", invitation(v["invitation"]) == v["invitation"]["code"])
    for c in v["canonical"]:
        if c["good"]:
            read(raw(c["text"]), "receipt")
        else:
            refuses(c["why"], read, raw(c["text"]), "receipt")

    heads, logs = {}, []
    for m in v["messages"]:
        me, sender, msg = ids[m["to"]][0], ids[m["from"]], raw(m["message"])
        h, st, body, parts = message(msg, me, secrets[m["to"]], sender)
        check(m["name"] + ": the statement", body == raw(m["statement"]))
        check(m["name"] + ": the parts", parts == [raw(p) for p in m["parts"]])
        lane = (h["from"], h["to"], h["stream"])
        check(m["name"] + ": the chain", (h["seq"] - 1, h["prev"]) == heads.get(lane, (0, "0" * 64)))
        heads[lane] = (h["seq"], sha(body).hex())
        if st["kind"] == "objects":
            names = {i["node"]: n for n, chain in ids.items() for i in chain}
            check(m["name"] + ": who said it", [names.get(x, "") for x in attested(parts, sender[0], known)] == m["attested"])
            changed = parts[2].replace(b"Operation", b"Operatlon", 1).replace(b"large", b"LARGE", 1)
            refuses(m["name"] + ", an object changed", attested, [parts[0], parts[1], changed], sender[0], known)
        if st["kind"] == "identity":
            need(write(json.loads(parts[0])) == parts[0], "the identity is not in the one form")
            check("the new keys", identities([v["identities"]["a"][0], json.loads(parts[0])])[1] == ids["a"][1])
        rc = signed(m["receipt"], "receipt", me)
        check(m["name"] + ": the receipt", (rc["statement"], rc["to"], rc["result"], rc["held"], rc["seq"]) == (h["statement"], h["from"], "delivered", m["held"], h["seq"]))
        refuses(m["name"] + ": the receipt under other keys", signed, m["receipt"], "receipt", ids[m["from"]][0])
        refuses(m["name"] + ": the receipt as a statement", signed, dict(m["receipt"], type=payload("statement")), "receipt", me)
        for at in (20, 24, len(msg) // 2, len(msg) - 1):
            refuses(f"{m['name']}, byte {at} changed", message, flipped(msg, at), me, secrets[m["to"]], sender)
        refuses(m["name"] + ", cut short", message, msg[:-1], me, secrets[m["to"]], sender)

    w = Witness()
    for x in v["witness"]:
        if x["fork"]:
            refuses("a log that became shorter", w.see, x["log"], ids["a"][0]["log_key"])
        else:
            w.see(x["log"], ids["a"][0]["log_key"])
        check("the witness", (w.size, w.root.hex()) == (x["size"], x["root"]))
    grown = next(x["log"] for x in v["witness"] if x["log"]["since"])
    forged = Witness()
    forged.size, forged.root = grown["since"], bytes(32)
    refuses("a log without the entries seen before", forged.see, grown, ids["a"][0]["log_key"])

    r = v["relay"]
    h, _, _ = header(raw(r["message"]))
    message(raw(r["message"]), ids["c"][0], secrets["c"], ids["a"])
    digest = h["statement"]
    for doc, by, to, state in zip(r["words"], "bc", "ab", ("passed", "arrived")):
        word = signed(doc, "passage", ids[by][0])
        check("a relay's word", (word["from"], word["to"], word["state"], word["statement"]) == (ids[by][0]["node"], ids[to][0]["node"], state, digest))

    def reply(re, digest):
        need(list(re) == ["v", "statement", "to_generation", "sealed"] and re["v"] == 1 and re["statement"] == digest, "a reply to another message")
        sealed = raw(re["sealed"])
        plain = hpke_open(secrets["a"][re["to_generation"] - 1], sealed[:ENC], b"causeway line 1\nreply\0" + bytes.fromhex(digest), [(b"", sealed[ENC:])])
        return read(cut(plain)[0], "document")

    doc = reply(r["reply"], digest)
    check("the reply", doc == r["receipt"] and signed(doc, "receipt", ids["c"][0])["statement"] == digest)
    refuses("the reply for another message", reply, dict(r["reply"], statement=r["digest"]), r["digest"])
    check("the standing", signed(reply(r["standing"], r["digest"]), "standing", ids["c"][0]) == r["gap"])

    frames = courier(raw(v["file"]["file"]))
    check("the file's frames", [k for k, _ in frames] == v["file"]["frames"])
    for kind, content in frames:
        if kind == "m":
            message(content, ids["c"][0], secrets["c"], ids["a"])
    refuses("a damaged file", courier, flipped(raw(v["file"]["file"]), 2000))
    for x in v["values"]:
        check(f"values of {x['object']}", values(x["object"]) == x["values"])
    for p in v["posts"]:
        check(f"values of a post at {p['time']}", post_values(p) == p["values"])
    for n, want in v["padme"]:
        check(f"Padmé of {n}", padme(n) == want)
    print(f"ok    {path}: {checked} checks")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "vectors" / "line.json")
