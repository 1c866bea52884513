"""Holds `causeway stix check` against stix2-validator on mutants of real objects.

usage: validator.py CAUSEWAY DATA [COUNT] [SEED]

Every mutant leaves out one property or puts something else in its place. What
stix2-validator rejects must be rejected, but for the differences that
docs/protocol/stix.md lists; what only causeway rejects is counted and shown.
"""
import copy
import glob
import gzip
import json
import random
import re
import subprocess
import sys
import tempfile

from stix2validator import ValidationOptions, validate_instance

JUNK = ["", "x", "a b", 5, -1, 1.5, 99999999, True, False, None, [], {}, ["x"], [1], {"a": 1}, {"x_y": "z"},
        "2026-02-30T00:00:00Z", "2026-01-01T00:00:00.5Z", "2001-01-01T00:00:00.000Z",
        "identity--0b1c9e3c-6e5e-4f1e-9d7c-3b1d2a4c5e6f", "file--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
        "bundle--0b1c9e3c-6e5e-4f1e-9d7c-3b1d2a4c5e6f", "http://a b/", "foo:bar", "ftp://x", "a@b", "a@@b", "-a.com",
        "a..b", "1.2.3", "::1", "ZZ", "en-US", "abc", "QUJD", "QUI", "utf8", "image/png", "HKCU\\x", "[a:b = 'c']",
        "unknown", ["identity--0b1c9e3c-6e5e-4f1e-9d7c-3b1d2a4c5e6f"], ["file--28bb3599-77cd-5a82-a950-b5bc3caf07c4"]]

# What we take and it rejects, by intent: the standard allows it.
INTENDED = ["language code", "second must be in 0..59", "'marking_ref' is a required property", "must be a base64-encoded string",
            "raised KeyError", "raised TypeError"]


def paths(value, at=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield at + (key,)
        yield from paths(inner, at + (key,))


def mutants(objects):
    for o in objects:
        for path in paths(o):
            for junk in [None] + random.sample(JUNK, 3):
                m = copy.deepcopy(o)
                parent = m
                for step in path[:-1]:
                    parent = parent[step]
                if junk is None:
                    del parent[path[-1]]
                else:
                    parent[path[-1]] = junk
                yield m


def objects(data):
    with gzip.open(data + "/validator_cases.jsonl.gz", "rt") as f:
        for line in f:
            case = json.loads(line)
            if case["must_valid"] and case["instance"]["type"] != "bundle":
                yield case["instance"]
    for name in sorted(glob.glob(data + "/interop/testcases/**/*.json", recursive=True)):
        with open(name) as f:
            yield from json.load(f)["objects"]


def main(causeway, data, count="2000", seed="1"):
    random.seed(int(seed))
    tried = list(mutants(list(objects(data))))
    random.shuffle(tried)
    tried = tried[:int(count)]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        for m in tried:
            f.write(json.dumps(m) + "\n")
        f.flush()
        out = subprocess.run([causeway, "stix", "check", "--lines", f.name], capture_output=True, text=True).stdout
    ours = [json.loads(line) for line in out.splitlines()]
    assert len(ours) == len(tried), "causeway did not answer every line"
    options = ValidationOptions(version="2.1", disabled="all")
    agree, intended, stricter, missed = 0, 0, 0, []
    for m, our in zip(tried, ours):
        try:
            r = validate_instance(m, options)
            valid, errors = r.is_valid, [re.sub(r"\s+", " ", str(e))[:200] for e in r.errors]
        except Exception as e:  # it raises on some inputs instead of reporting
            valid, errors = False, ["raised " + repr(e)[:100]]
        if valid == our["valid"]:
            agree += 1
        elif valid:
            stricter += 1
        elif all(any(i in e for i in INTENDED) for e in errors) or m.get("defanged") is True:
            intended += 1
        else:
            missed.append((errors[:2], m))
    print(f"{len(tried)} mutants: {agree} alike, {stricter} rejected by causeway only, {intended} taken by intent, {len(missed)} missed")
    for errors, m in missed:
        print("missed:", errors, json.dumps(m)[:300])
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
