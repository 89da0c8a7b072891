"""Wrong labels, from finding to proof: the whole loop as a marimo notebook.

Open it with `marimo edit labels_marimo.py`, or look at it with `marimo run labels_marimo.py`.
"""

import marimo

app = marimo.App(width="medium")


@app.cell
def connect():
    import altair as alt
    import marimo as mo

    import sqlfuncs
    from sqlfuncs import plots
    from sqlfuncs.share import share

    # A connection among the variables is all marimo needs: mo.sql runs on it.
    con = sqlfuncs.connect()
    data = share("data")
    return alt, con, data, mo, plots


@app.cell
def about(mo):
    mo.md("""
    # Wrong labels, from finding to proof

    The whole loop on the 1,500 support requests that come with sqlfuncs, of which about one label
    in six is wrong. For your own table, change the files and the names of the columns.
    """)
    return


@app.cell
def load(con, data, mo):
    train = mo.sql(
        f"CREATE OR REPLACE TABLE train AS FROM '{data}/support_requests.csv'", engine=con
    )
    test = mo.sql(
        f"CREATE OR REPLACE TABLE test AS FROM '{data}/support_requests_test.csv'", engine=con
    )
    return test, train


@app.cell
def find(con, mo, train):
    # A relation of DuckDB 2 is computed again whenever it is read: results become tables first.
    issues = mo.sql(
        "CREATE OR REPLACE TABLE issues AS FROM label_issues(train, text, label)", engine=con
    )
    return (issues,)


@app.cell
def worst(con, issues, mo):
    worst = mo.sql(
        """
        SELECT id, label, suggested_label, label_quality, text
        FROM issues WHERE is_label_issue ORDER BY label_quality, id LIMIT 10
        """,
        engine=con,
    )
    return (worst,)


@app.cell
def qualities(alt, con, issues):
    qualities = con.sql("""
        SELECT least(floor(label_quality * 20), 19) / 20 AS quality, is_label_issue AS flagged,
            count(*) AS n
        FROM issues GROUP BY ALL ORDER BY ALL
    """).df()
    alt.Chart(qualities).mark_bar().encode(
        x=alt.X("quality:Q", bin=alt.Bin(step=0.05), title="quality of the label"),
        y=alt.Y("n:Q", title="rows"),
        color=alt.Color("flagged:N", title="flagged"),
        tooltip=["quality", "flagged", "n"],
    )
    return (qualities,)


@app.cell
def review(con, issues, mo):
    # The true labels stand in for the person who reviews: the rows the queue puts first, and some
    # drawn at random, which tell how many wrong labels are left.
    con.execute("""
        CREATE OR REPLACE TABLE looked_at AS
        SELECT id FROM review_queue(train, text, label, id, budget := 150);
        CREATE OR REPLACE TABLE drawn AS SELECT id AS key FROM train WHERE id % 10 = 7
    """)
    decisions = mo.sql(
        """
        CREATE OR REPLACE TABLE decisions AS
        SELECT id AS key, if(label = true_label, 'keep', 'relabel') AS action, label AS old_label,
            true_label AS new_label, 'me' AS decided_by, NULL::VARCHAR AS reason,
            now() AT TIME ZONE 'UTC' AS decided_at
        FROM train WHERE id IN (FROM looked_at UNION FROM drawn)
        """,
        engine=con,
    )
    return (decisions,)


@app.cell
def curve(con, decisions, plots):
    curve = con.sql("FROM review_curve(issues, decisions, id, label, sample := drawn)").df()
    plots.review_curve(curve)
    return (curve,)


@app.cell
def correct(con, decisions):
    # The model's proposals first, so that a person's decision, which is later, wins.
    con.execute("""
        CREATE OR REPLACE TABLE log AS FROM auto_corrections(issues, id, label);
        INSERT INTO log BY NAME
        SELECT * REPLACE (now() AT TIME ZONE 'UTC' AS decided_at) FROM decisions;
        CREATE OR REPLACE TABLE corrected AS FROM apply_corrections(train, log, id, label)
    """)
    changes = con.sql("""
        SELECT action, decided_by, count(*) AS changes
        FROM corrections_diff(train, log, id, label) GROUP BY ALL ORDER BY ALL
    """).df()
    changes
    return (changes,)


@app.cell
def prove(changes, con, plots, test):
    con.execute("""
        CREATE OR REPLACE TABLE trained AS
        FROM fine_tune('notebook_given', train, text, label)
        UNION ALL BY NAME FROM fine_tune('notebook_corrected', corrected, text, label);
        CREATE OR REPLACE TABLE said AS SELECT label,
            llm_classify(text, model := 'notebook_given') AS given,
            llm_classify(text, model := 'notebook_corrected') AS corrected
        FROM test
    """)
    accuracies = {
        "labels as given": con.sql("FROM evaluate(said, label, given)").df(),
        "labels corrected": con.sql("FROM evaluate(said, label, corrected)").df(),
    }
    plots.gain(accuracies)
    return (accuracies,)


@app.cell
def confusions(accuracies, con, plots):
    confusions = con.sql("FROM confusion_matrix(said, label, corrected)").df()
    plots.confusion_matrix(confusions)
    return (confusions,)


if __name__ == "__main__":
    app.run()
