"""co_retweet of coordination-network-toolkit, window 60 s, least weight 1."""

import csv
import os
import sys

import coordination_network_toolkit as cnt
from coordination_network_toolkit.preprocess import preprocess_csv_files
from coordination_network_toolkit.compute_networks import compute_co_retweet_parallel

posts, work = sys.argv[1:3]
messages = os.path.join(work, "messages.csv")
with open(posts) as f, open(messages, "w", newline="") as g:
    out = csv.writer(g)
    out.writerow(["message_id", "user_id", "username", "repost_id", "reply_id", "message", "timestamp", "urls"])
    for r in csv.DictReader(f):
        out.writerow([r["content_id"], r["account_id"], r["account_id"], r["object_id"], "", "", r["timestamp_share"], ""])
db = os.path.join(work, "cnt.db")
preprocess_csv_files(db, [messages])
compute_co_retweet_parallel(db, 60, n_threads=2, min_edge_weight=1)
