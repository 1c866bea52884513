"""Runs causeway's detection inside Apache Spark.

Spark reads the posts, keeps the first owner of each content id, shuffles by
object, pipes each part through "causeway kernel" and adds up what comes back.
Started by "causeway detect --engine spark"; its one argument is the job file.
"""

import json
import os
import subprocess
import sys

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

job = json.load(open(sys.argv[1]))
work = job["work"]
spark = SparkSession.builder.appName("causeway detect").getOrCreate()
sc = spark.sparkContext


def say(name):
    """Leaves a mark that a watcher (and the test that kills a worker) can see."""
    open(os.path.join(work, name + ".started"), "w").close()


def shared(name):
    return "file://" + os.path.join(work, name)


def kernel(*args):
    command = [job["kernel"], "kernel", args[0]] + job["flags"] + list(args[1:])
    return " ".join("'" + a.replace("'", "'\\''") + "'" for a in command)


def read(paths):
    if all(p.endswith(".parquet") for p in paths):
        return spark.read.parquet(*paths)
    return spark.read.option("header", True).option("quote", '"').option("escape", '"').option("mode", "FAILFAST").csv(paths)


df = read(job["posts"])
for column in ("object_id", "account_id", "content_id", "timestamp_share"):
    if column not in df.columns:
        sys.exit("the posts have no column " + column)
rows = df.select(
    F.monotonically_increasing_id().alias("n"),
    F.col("object_id").cast("string").alias("o"),
    F.col("account_id").cast("string").alias("a"),
    F.col("content_id").cast("string").alias("c"),
    (F.col("timestamp_share").cast("decimal(20,6)") * 1000000).cast("bigint").alias("t"),
).persist(StorageLevel.DISK_ONLY)

bad = rows.where("o is null or o = '' or a is null or a = '' or c is null or c = '' or t is null").count()
if bad:
    sys.exit("%d rows have an empty object, account or content, or a time that is not Unix seconds" % bad)

owner = rows.groupBy("c").agg(F.min_by(F.struct("a", "t"), "n").alias("first"))
kept = rows.join(owner, "c").where("a = first.a and t = first.t").select("o", "a", "c", "t").persist(StorageLevel.DISK_ONLY)
total, left = rows.count(), kept.count()


def b64(name):
    return F.base64(F.encode(F.col(name), "UTF-8"))


def plain(column):
    # Spark breaks base64 into lines of 76 characters.
    return F.regexp_replace(column, "[\r\n]", "")


contents = kept.groupBy("a").agg(F.countDistinct("c").alias("k"))
contents.select(F.concat_ws("\t", plain(b64("a")), F.col("k"))).rdd.map(lambda r: r[0]).saveAsTextFile(shared("contents"))

parts = job["parts"] or max(2 * sc.defaultParallelism, 2)
posts = (
    kept.repartition(parts, "o")
    .select(F.concat_ws("\t", plain(b64("o")), plain(b64("a")), plain(b64("c")), F.col("t")))
    .rdd.map(lambda r: r[0])
    .persist(StorageLevel.DISK_ONLY)
)

say("count")
posts.pipe(kernel("count"), checkCode=True).saveAsTextFile(shared("counts"))


def here(name, *args):
    with open(os.path.join(work, name), "w") as out:
        subprocess.run([job["kernel"], "kernel", args[0]] + list(args[1:]), stdout=out, check=True)


here("plan.json", "plan", *job["flags"], os.path.join(work, "counts"), os.path.join(work, "contents"))

say("pairs")
answers = posts.pipe(kernel("pairs", os.path.join(work, "plan.json")), checkCode=True).persist(StorageLevel.DISK_ONLY)
single = answers.filter(lambda l: l.startswith("f\t"))
summed = (
    answers.filter(lambda l: not l.startswith("f\t"))
    .map(lambda l: l.rsplit("\t", 1))
    .map(lambda kv: (kv[0], int(kv[1])))
    .reduceByKey(lambda x, y: x + y)
    .map(lambda kv: kv[0] + "\t" + str(kv[1]))
)
single.union(summed).saveAsTextFile(shared("pairs"))
here("wanted", "wanted", os.path.join(work, "pairs"))

say("posts")
posts.pipe(kernel("posts", os.path.join(work, "wanted")), checkCode=True).saveAsTextFile(shared("posts"))

json.dump({"rows": total, "conflicts": total - left}, open(os.path.join(work, "done.json"), "w"))
spark.stop()
