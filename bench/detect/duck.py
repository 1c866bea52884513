"""The cnt semantics (co_retweet, window 60 s, least weight 1) in DuckDB's SQL."""

import sys

import duckdb

posts, out = sys.argv[1:3]
db = duckdb.connect()
db.execute("create table p as select * from read_csv(?, all_varchar=true)", [posts])
db.execute("create table q as select object_id o, account_id a, content_id c, timestamp_share::bigint t from p")
n = db.execute(
    """with e as (
         select x.a a, y.a b, count(distinct x.c) ab
         from q x join q y on x.o = y.o and x.a <> y.a and y.t between x.t - 60 and x.t + 60
         group by x.a, y.a)
       select count(*) from e where a < b"""
).fetchone()[0]
open(out, "w").write(str(n) + "\n")
