"""A job for Databricks or spark-submit: find wrong labels, propose corrections, apply them.

    python job.py --table main.support.requests --text text --label label --key id

It writes TABLE_issues, adds to a decision log, TABLE_decisions, and makes TABLE_corrected. With
--merge it changes the table itself, which has to be one of Delta or Iceberg; name another --log
each time then, for a log belongs to the labels that were decided about.
"""

import argparse

from pyspark.sql import SparkSession

import sqlfuncs
import sqlfuncs.spark


def main(arguments: list[str] | None = None) -> None:
    """Run the job."""
    parser = argparse.ArgumentParser()
    for name in ("table", "text", "label", "key"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--merge", action="store_true", help="change the table itself")
    parser.add_argument("--log", help="the decision log; TABLE_decisions if none is named")
    given = parser.parse_args(arguments)

    spark = SparkSession.builder.getOrCreate()
    sqlfuncs.register(spark)
    issues, into = f"{given.table}_issues", f"{given.table}_corrected"
    log = given.log or f"{given.table}_decisions"

    found = sqlfuncs.spark.label_issues(given.table, given.text, given.label)
    found.write.mode("overwrite").saveAsTable(issues)

    there = {"log": log} if spark.catalog.tableExists(log) else {}
    proposed = sqlfuncs.spark.auto_corrections(issues, given.key, given.label, **there)
    proposed.write.mode("append").saveAsTable(log)

    if given.merge:
        sqlfuncs.spark.merge_corrections(given.table, log, given.key, given.label)
    else:
        corrected = sqlfuncs.spark.apply_corrections(given.table, log, given.key, given.label)
        corrected.write.mode("overwrite").saveAsTable(into)


if __name__ == "__main__":
    main()
