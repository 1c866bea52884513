"""A running node against the software that others use. Started by test-peers.

Every check prints one line. The list DIFFERENCES below is the machine's copy
of the table in docs/protocol/taxii.md: a difference that is not in it fails.
"""

import base64
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import stix2
from stix2 import Filter, TAXIICollectionStore
from taxii2client.v21 import ApiRoot, Server, as_pages

# requests lets the environment overrule the certificates that a session names.
os.environ["REQUESTS_CA_BUNDLE"] = os.environ["CURL_CA_BUNDLE"] = os.environ["NODE_CA"]
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1"

CAUSEWAY, URL, CA = os.environ["CAUSEWAY"], os.environ["NODE_URL"], os.environ["NODE_CA"]
TOKEN, WORK = os.environ["NODE_TOKEN"], Path(os.environ["WORK"])
HERE, BIN = Path(__file__).resolve().parent, Path(sys.executable).parent
ROOT = URL + "/taxii2/causeway/"
MEDIA = "application/taxii+json;version=2.1"
TLP_CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"

failures, processes = [], []


def check(name, good, detail=""):
    print(("ok    " if good else "FAIL  ") + name + ("" if good else f": {detail}"), flush=True)
    if not good:
        failures.append(name)


# ---- what is exchanged

def stamp(n, version):
    at = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=n % 86400, days=version - 1)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (n % 1000)


def indicator(n, version=1, marked=True):
    o = {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{n:08x}-1111-4111-8111-111111111111",
        "created": stamp(n, 1), "modified": stamp(n, version), "name": f"Indicator {n}, version {version}",
        "indicator_types": ["malicious-activity"], "pattern": f"[url:value = 'https://example.org/{n}']",
        "pattern_type": "stix", "valid_from": stamp(n, 1),
    }
    if marked:
        o["object_marking_refs"] = [TLP_CLEAR]
    return o


def key(o):
    return o["id"], o.get("modified") or o.get("created") or ""


# ---- plain requests

class Peer:
    """One TAXII server, reached with the standard library only."""

    def __init__(self, root, collection, user, password, ca=None):
        import ssl
        self.root, self.collection = root, root + "collections/" + collection + "/"
        self.user, self.password = user, password
        self.auth = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.tls = ssl.create_default_context(cafile=ca) if ca else None

    def ask(self, method, url, body=None, **headers):
        r = urllib.request.Request(url, method=method, data=body)
        r.add_header("Accept", MEDIA)
        r.add_header("Authorization", self.auth)
        if body is not None:
            r.add_header("Content-Type", MEDIA)
        for k, v in headers.items():
            r.add_header(k.replace("_", "-"), v)
        try:
            with urllib.request.urlopen(r, context=self.tls, timeout=600) as res:
                return res.status, res.headers, json.loads(res.read() or b"{}")
        except urllib.error.HTTPError as e:
            body = e.read()
            try:
                return e.code, e.headers, json.loads(body)
            except ValueError:
                return e.code, e.headers, {"text": body[:200].decode(errors="replace")}

    def get(self, path, **query):
        q = urllib.parse.urlencode({k.replace("match_", "match[") + ("]" if k.startswith("match_") else ""): v for k, v in query.items()})
        return self.ask("GET", self.collection + path + ("?" + q if q else ""))

    def post(self, objects):
        return self.ask("POST", self.collection + "objects/", json.dumps({"objects": objects}).encode())


NODE = Peer(ROOT, "inbox", "root", TOKEN, CA)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(args, port, **kw):
    log = open(WORK / f"{Path(args[-2]).name}-{port}.log", "w")
    p = subprocess.Popen(args, stdout=log, stderr=log, **kw)
    processes.append(p)
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return p
        except OSError:
            if p.poll() is not None:
                break
            time.sleep(0.1)
    sys.exit(f"{args[0]} did not start; see {log.name}:\n" + Path(log.name).read_text()[-2000:])


def medallion(data=None):
    """The OASIS reference server, with its memory backend."""
    port = free_port()
    if data is None:
        coll = str(uuid.uuid4())
        info = {"title": "root", "versions": [MEDIA], "max_content_length": 100_000_000}
        data = {"/discovery": {"title": "medallion", "default": f"http://127.0.0.1:{port}/root/", "api_roots": [f"http://127.0.0.1:{port}/root/"]},
                "root": {"information": info, "status": [], "collections": [
                    {"id": coll, "title": "all", "can_read": True, "can_write": True, "media_types": ["application/stix+json;version=2.1"], "objects": [], "manifest": []}]}}
        root = "root"
    else:
        root, coll = "trustgroup1", "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
    (WORK / f"med-{port}.json").write_text(json.dumps(data))
    config = {"backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(WORK / f"med-{port}.json")},
              "users": {"admin": "Password0"}, "taxii": {"max_page_size": 1000}}
    (WORK / f"med-{port}.conf").write_text(json.dumps(config))
    start([str(BIN / "medallion"), "--host", "127.0.0.1", "--port", str(port), str(WORK / f"med-{port}.conf")], port)
    return Peer(f"http://127.0.0.1:{port}/{root}/", coll, "admin", "Password0")


def opentaxii():
    port = free_port()
    folder = WORK / f"opentaxii-{port}"
    folder.mkdir()
    (folder / "conf.yml").write_text(f"""
domain: "127.0.0.1:{port}"
support_basic_auth: true
return_server_error_details: false
auth_api:
  class: opentaxii.auth.sqldb.SQLDatabaseAPI
  parameters: {{db_connection: "sqlite:///{folder}/auth.db", create_tables: true, secret: only-for-this-run}}
taxii1:
taxii2:
  title: OpenTAXII
  description: a peer
  contact: nobody@example.org
  max_content_length: 104857600
  public_discovery: true
  allow_custom_properties: true
  persistence_api:
    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI
    parameters: {{db_connection: "sqlite:///{folder}/data.db", create_tables: true}}
logging: {{opentaxii: error, root: error}}
""")
    env = dict(os.environ, OPENTAXII_CONFIG=str(folder / "conf.yml"))
    run = lambda name, *args: subprocess.run([str(BIN / name), *args], env=env, check=True, capture_output=True)
    run("opentaxii-add-api-root", "-t", "Peers", "--default")
    import sqlite3
    root = str(uuid.UUID(sqlite3.connect(folder / "data.db").execute("select id from opentaxii_api_root").fetchone()[0]))
    run("opentaxii-add-collection", "-r", root, "-t", "Shared", "-a", "shared", "--public", "--public-write")
    run("opentaxii-create-account", "-u", "admin", "-p", "Password0", "-a")
    start([sys.executable, str(HERE / "opentaxii_server.py"), str(port)], port, env=env)
    return Peer(f"http://127.0.0.1:{port}/taxii2/{root}/", "shared", "admin", "Password0")


def causeway(*args, password=None, token=None, stdin=None, ok=(0,)):
    env = dict(os.environ)
    if password:
        env["CAUSEWAY_TAXII_PASSWORD"] = password
    if token:
        env["CAUSEWAY_TAXII_TOKEN"] = token
    r = subprocess.run([CAUSEWAY, "taxii", *args], env=env, input=stdin, capture_output=True, timeout=600)
    if r.returncode not in ok:
        sys.exit(f"causeway taxii {' '.join(args)}: exit {r.returncode}: {r.stderr.decode()}{r.stdout.decode()[:2000]}")
    return [json.loads(line) for line in r.stdout.splitlines() if line.startswith(b"{")]


# ---- the OASIS client and library against the node

def inbox_collection():
    """By its id: the OASIS client does not take an alias."""
    root = ApiRoot(ROOT, user="root", password=TOKEN, verify=CA)
    return next(c for c in root.collections if c.alias == "inbox")


def oasis_client():
    server = Server(URL + "/taxii2/", user="root", password=TOKEN, verify=CA)
    check("taxii2-client: discovery names two roots", [r.url for r in server.api_roots] == [ROOT, URL + "/taxii2/public/"], [r.url for r in server.api_roots])
    root = ApiRoot(ROOT, user="root", password=TOKEN, verify=CA)
    rights = {c.alias: (c.can_read, c.can_write) for c in root.collections}
    check("taxii2-client: the two collections", rights == {"feed": (True, False), "inbox": (True, True)}, rights)
    check("taxii2-client: max_content_length", root.max_content_length == 32 << 20 and root.versions == [MEDIA], root.versions)
    inbox = inbox_collection()

    made = stix2.Indicator(name="made by stix2", pattern="[ipv4-addr:value = '198.51.100.1']", pattern_type="stix",
                           valid_from="2026-01-01T00:00:00Z", object_marking_refs=[TLP_CLEAR])
    newer = made.new_version(name="a newer version")
    sco = stix2.IPv4Address(value="198.51.100.1", object_marking_refs=[TLP_CLEAR])
    status = inbox.add_objects({"objects": [json.loads(o.serialize()) for o in (made, newer, sco)]})
    check("taxii2-client: add_objects", status.status == "complete" and status.success_count == 3, status)
    check("taxii2-client: get_object gives the newest", inbox.get_object(made.id)["objects"] == [json.loads(newer.serialize())])
    check("taxii2-client: object_versions", len(inbox.object_versions(made.id)["versions"]) == 2)
    store = TAXIICollectionStore(inbox)
    check("stix2: store.get", store.get(made.id) == newer)
    check("stix2: store.all_versions", len(store.all_versions(made.id)) == 2, store.all_versions(made.id))
    check("stix2: store.query", [o.id for o in store.query([Filter("type", "=", "ipv4-addr"), Filter("value", "=", "198.51.100.1")])] == [sco.id])
    check("stix2: the deterministic id of an address is taken as it is", store.get(sco.id) == sco)
    inbox.delete_object(made.id)
    code, _, body = NODE.get(f"objects/{made.id}/")
    check("taxii2-client: delete_object removes every version", code == 404 and body.get("http_status") == "404", (code, body))
    nobody = Peer(ROOT, "inbox", "root", "wrong", CA)
    code, headers, body = nobody.get("objects/")
    check("401 with a challenge and a TAXII body", code == 401 and "Basic" in str(headers.get_all("WWW-Authenticate")) and headers["Content-Type"] == MEDIA, (code, headers))


def oasis_paging():
    """Paging terminates on objects and manifest, and gives every version once, while a writer adds."""
    inbox = inbox_collection()
    before = [indicator(n, v) for n in range(100_000, 100_120) for v in (1, 2)]
    NODE.post(before)
    stop = threading.Event()
    added = []

    def write():
        n = 200_000
        while not stop.is_set() and n < 200_400:
            o = indicator(n)
            NODE.post([o])
            added.append(key(o))
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    for size in (7, 50, 1000):
        for what, func, version in (("objects", inbox.get_objects, "modified"), ("manifest", inbox.get_manifest, "version")):
            seen, pages = [], 0
            for page in as_pages(func, per_request=size, version="all", type="indicator"):
                seen += [(o["id"], o[version]) for o in page.get("objects", [])]
                pages += 1
            old = set(map(key, before))
            check(f"taxii2-client: {what} by {size}: {pages} pages, every version once beside a writer",
                  len(seen) == len(set(seen)) and old <= set(seen), (len(seen), len(set(seen)), len(old - set(seen))))
    stop.set()
    writer.join()
    seen = [key(o) for page in as_pages(inbox.get_objects, per_request=100, version="all", type="indicator") for o in page.get("objects", [])]
    check("taxii2-client: after the writer, all it added is there once", sorted(seen) == sorted(set(seen)) and set(added) <= set(seen))


# ---- medallion's own data

# Requests on which the node and medallion differ on purpose, with why.
DIFFERENCES = {
    "match[spec_version]=2.0": "the node takes STIX 2.1 only: the 2.0 version of the malware is refused on arrival",
    "match[version]=all,last": "the node answers 400: \"all\" excludes other values (section 3.4.2)",
    "added_after=nonsense": "the node answers 400; medallion falls over with a 500",
    "match[version]=nonsense": "the node answers 400; medallion falls over with a 500",
    "match[type]=malware&match[type]=indicator": "the node answers 400: a field is given once (section 3.4)",
}


def medallion_data():
    path = HERE.parents[1] / ".." / "shared" / "data" / "stix" / "taxii" / "default_data.json"
    for p in (path, HERE.parents[2] / ".." / "shared" / "data" / "stix" / "taxii" / "default_data.json"):
        if p.exists():
            path = p
            break
    else:
        print("skip  medallion's default data: ../shared/data/stix/taxii is not there", flush=True)
        return
    data = json.loads(path.read_text())
    peer = medallion(data)
    source = next(c for c in data["trustgroup1"]["collections"] if c["id"] == "91a7b528-80eb-42ed-a74d-c6fbd5a26116")
    objects = {key(o): o for o in source["objects"]}
    order = [objects[(m["id"], m["version"])] for m in source["manifest"]]
    refused = []
    for o in order:
        code, _, s = NODE.post([o])
        if code != 202 or s["success_count"] != 1:
            refused.append(key(o))
    check("medallion data: all but the STIX 2.0 version is taken", refused == [("malware--c0931cc6-c75e-47e5-9036-78fabc95d4ec", "2018-02-23T18:30:00.000Z")], refused)
    ids = ",".join(sorted({m["id"] for m in source["manifest"]}))
    _, headers, manifest = NODE.get("manifest/", match_version="all", match_id=ids)
    dates = {(m["id"], m["version"]): m["date_added"] for m in manifest["objects"]}
    theirs = {(m["id"], m["version"]): m["date_added"] for m in source["manifest"]}

    # What the fixture documents: newest versions, versions of one indicator,
    # filters, paging. Both servers get the same request.
    indicator_id, malware_id = "indicator--6770298f-0fd8-471a-ab8c-1c658a46574e", "malware--c0931cc6-c75e-47e5-9036-78fabc95d4ec"
    middle = (indicator_id, "2016-12-25T12:30:59.444Z")
    requests = [
        "", "match[type]=malware", "match[type]=indicator", "match[type]=indicator,marking-definition", f"match[id]={malware_id}", "match[version]=first", "match[version]=last",
        "match[version]=all", f"match[version]={middle[1]}", "match[version]=first,last", "match[spec_version]=2.1", "match[spec_version]=2.0",
        f"match[id]={indicator_id}&match[version]=all", "match[type]=indicator&match[version]=first", "match[version]=all,last", "limit=0", "limit=-1",
        "added_after=nonsense", "match[version]=nonsense", "match[type]=malware&match[type]=indicator", "match[type]=campaign", "next=x",
        ("added_after", middle), "unknown=1",
    ]
    for path, version in (("objects/", None), ("manifest/", "version"), (f"objects/{indicator_id}/", None)):
        for q in requests:
            if path.count("/") == 2 and isinstance(q, str) and ("id]" in q or "type]" in q):
                continue
            answers = []
            for server, when in ((NODE, dates), (peer, theirs)):
                query = q if isinstance(q, str) else f"{q[0]}={when[q[1]]}"
                if server is NODE and path in ("objects/", "manifest/") and "match[id]" not in query:
                    query += ("&" if query else "") + "match[id]=" + ids  # the node's inbox holds more
                code, _, body = server.ask("GET", server.collection + path + "?" + query.replace("[", "%5B").replace("]", "%5D"))
                items = sorted((o["id"], o.get(version) if version else key(o)[1]) for o in body.get("objects", []))
                answers.append((code, items))
            name = q if isinstance(q, str) else q[0] + "=(a date)"
            same = answers[0] == answers[1]
            if name in DIFFERENCES and not (name == "match[spec_version]=2.0" and path.startswith("objects/ind")):
                check(f"medallion: GET {path}?{name} differs as intended", not same, answers)
            else:
                check(f"medallion: GET {path}?{name} agrees ({answers[0][0]}, {len(answers[0][1])} objects)", same, answers)
    a, b = (s.get(f"objects/{indicator_id}/versions/")[2]["versions"] for s in (NODE, peer))
    check("medallion: versions agree", sorted(a) == sorted(b) and len(a) == 3, (a, b))
    check("medallion: the Go client pages its consumed cursors", sorted(map(key, causeway(
        "pull", peer.collection, "--user", "admin", "--plain-http", "--limit", "2", password="Password0"))) == sorted(
        k for k in map(key, peer.get("objects/")[2]["objects"])))


# ---- two-way sync with OpenTAXII

def opentaxii_sync():
    peer = opentaxii()
    theirs = [indicator(n, v) for n in range(300_000, 300_150) for v in (1, 2, 3)]
    for i in range(0, len(theirs), 90):
        code, _, s = peer.post(theirs[i:i + 90])
        check(f"OpenTAXII takes what stix2 and causeway call valid ({i})", code == 202 and s["success_count"] == len(theirs[i:i + 90]), (code, s))
    mark, node_inbox = WORK / "from-opentaxii", ROOT + "collections/inbox/"
    auth = ["--user", "admin", "--plain-http"]

    def pull():
        return causeway("pull", peer.collection, *auth, "--checkpoint", str(mark), "--all-versions", "--limit", "64", password="Password0")

    def into_node(objects):
        lines = "\n".join(map(json.dumps, objects)).encode()
        causeway("push", node_inbox, "--ca", CA, "-", token=TOKEN, stdin=lines)

    got = pull()
    check("OpenTAXII -> node: every version once", sorted(map(key, got)) == sorted(map(key, theirs)), (len(got), len(theirs)))
    into_node(got)
    check("OpenTAXII -> node: a second pull brings nothing", pull() == [])
    ids = ",".join(sorted({o["id"] for o in theirs})[:40])
    held = {key(o) for page in as_pages(inbox_collection().get_objects, per_request=500, version="all", type="indicator")
            for o in page.get("objects", [])}
    check("the node holds them all", set(map(key, theirs)) <= held)

    ours = [indicator(n, v) for n in range(310_000, 310_080) for v in (1, 2)]
    code, _, s = NODE.post(ours)
    check("the node takes its own", code == 202 and s["failure_count"] == 0, s)
    mark_node = WORK / "from-node"
    send = causeway("pull", node_inbox, "--ca", CA, "--checkpoint", str(mark_node), "--all-versions", "--type", "indicator", token=TOKEN)
    send = [o for o in send if o["id"] in {x["id"] for x in ours}]
    check("node -> OpenTAXII: the pull holds every version once", sorted(map(key, send)) == sorted(map(key, ours)), len(send))
    causeway("push", peer.collection, *auth, "--batch", "100", "-", password="Password0", stdin="\n".join(map(json.dumps, send)).encode())
    back = pull()
    check("node -> OpenTAXII: it serves what it was given", sorted(map(key, back)) == sorted(map(key, ours)), (len(back), len(ours)))
    into_node(back)  # a full circle: nothing new, nothing refused
    code, _, m = NODE.get("manifest/", match_version="all", match_id=",".join(sorted({o["id"] for o in ours})), limit="1000")
    check("a full circle adds nothing", len(m["objects"]) == len(ours), len(m["objects"]))
    same = {key(o): o for o in back}
    check("OpenTAXII gives the objects back unchanged in content", all(same[key(o)] == o for o in ours))


# ---- speed beside the peers

def speeds():
    n = int(os.environ.get("PEERS_N", "1000"))
    objects = [indicator(400_000 + i) for i in range(n)]
    rows = []
    for name, peer in (("causeway", NODE), ("medallion 3.0.0, memory", medallion()), ("OpenTAXII 0.9.3, SQLite", opentaxii())):
        began = time.perf_counter()
        for i in range(0, n, 500):
            code, _, s = peer.post(objects[i:i + 500])
            if code != 202 or s["success_count"] != len(objects[i:i + 500]):
                check(f"{name}: takes the load", False, (code, s))
        ingest = n / (time.perf_counter() - began)
        _, _, m = peer.get("manifest/", limit="1000", match_type="indicator")
        last = "2099-01-01T00:00:00.000000Z"
        polls = []
        for _ in range(20 if name == "causeway" else 3):
            began = time.perf_counter()
            code, _, body = peer.get("objects/", added_after=last)
            polls.append(time.perf_counter() - began)
            if code != 200 or body.get("objects"):
                check(f"{name}: an empty poll is empty", False, (code, body))
        rows.append((name, ingest, statistics.median(polls) * 1000))
    print(f"\n{n} objects, 500 per POST; an empty poll with added_after; connection and TLS set-up included; one run")
    print(f"| server | ingest, objects/s | ratio | empty poll, ms | ratio |\n|---|---|---|---|---|")
    base = rows[0]
    for name, ingest, poll in rows:
        print(f"| {name} | {ingest:,.0f} | {base[1] / ingest:.1f} | {poll:,.2f} | {poll / base[2]:,.1f} |")
    print("ratio: how many times causeway is faster", flush=True)


def main():
    try:
        for part in (oasis_client, oasis_paging, medallion_data, opentaxii_sync, speeds):
            print(f"\n## {part.__name__}", flush=True)
            part()
    finally:
        for p in processes:
            p.terminate()
        for p in processes:
            p.wait()
    print(f"\n{len(failures)} failures" + "".join("\n  " + f for f in failures))
    sys.exit(1 if failures else 0)


main()
