"""A declarative pipeline that judges rows as they arrive: Lakeflow's, or Spark's own.

A pipeline takes no function that has to be registered, and none that asks for the columns of a
table while it is planned: what works there is a function of a row. So a judge is learned before,
by a job: detect judge=requests.
"""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame, SparkSession

import sqlfuncs.spark

spark = SparkSession.active()
judge = sqlfuncs.spark.judge("requests")


@dp.materialized_view
def arrived() -> DataFrame:
    """The rows as they come, from files. On Databricks this may be a streaming table."""
    return spark.read.parquet(spark.conf.get("labels.arrived"))


@dp.materialized_view
def examined() -> DataFrame:
    """Each row with what the judge says of its label, a struct of the columns of label_issues."""
    return spark.read.table("arrived").withColumn("found", judge("text", "label"))
