"""Processor time of stix2-validator on a bundle: python peer.py FILE..."""
import gzip
import json
import sys
import time

from stix2validator import ValidationOptions, validate_instance

options = ValidationOptions(version="2.1", disabled="all")
for name in sys.argv[1:]:
    opener = gzip.open if name.endswith(".gz") else open
    with opener(name) as f:
        objects = json.load(f)["objects"][:400]
    validate_instance(objects[0], options)
    start = time.process_time()
    for o in objects:
        validate_instance(o, options)
    spent = time.process_time() - start
    print(f"stix2-validator on the first {len(objects)} of {name.rsplit('/', 1)[-1]}: {len(objects) / spent:.0f} objects/s")
