"""Tables that live elsewhere: docs/attached.md runs as it stands, on real servers and formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import needs_local
from tests.examples import differs
from tests.integrations import servers
from tests.integrations.attached import PREFIXES, SERVERS, Ran, run_in
from tests.integrations.tools import needs_attached

pytestmark = needs_attached
LACKS = {"PostgreSQL": servers.lacks_postgres, "MySQL and MariaDB": servers.lacks_mariadb}

# What is asked of a table and its log: rows that differ from the sample; row 6, which somebody else
# has changed; by how many decisions a row was written; what the log says of row 6.
DIFFER = """
SELECT count(*) FROM {at}train AS t JOIN 'data/support_requests.csv' AS given USING (id)
WHERE t.label <> given.label
"""
SOMEBODY = "SELECT label FROM {at}train WHERE id = 6"
WRITTEN = "SELECT count(*) FROM {at}decisions WHERE action = 'keep' AND reason = 'written'"
LOG_OF_6 = "SELECT action, reason FROM {at}decisions WHERE key = 6 ORDER BY decided_at"
FLAGGED = "SELECT count(*) FROM issues WHERE is_label_issue"


def needed(name: str) -> None:
    """Skip the test where the server of a section is not on this machine."""
    lacks = LACKS.get(name, lambda: None)()
    if lacks:
        pytest.skip(lacks)


def ran(name: str, folder: Path) -> Ran:
    needed(name)
    questions = [each.format(at=PREFIXES[name]) for each in (DIFFER, SOMEBODY, WRITTEN, LOG_OF_6)]
    with SERVERS[name]() as found:
        return run_in(folder, found, name, [*questions, FLAGGED])


@needs_local
@pytest.mark.slow
@pytest.mark.parametrize("name", SERVERS)
def test_corrections_go_back_where_the_table_lives(name: str, tmp_path: Path) -> None:
    done = ran(name, tmp_path)
    for each in done.examples:
        assert each.expected is None or not differs(each.expected, each.printed), each
    [[differ]], somebody, [[written]], log, [[flagged]] = done.written
    assert isinstance(written, int) and isinstance(flagged, int)
    assert 100 < written < flagged < 500
    assert differ == written + 1  # and row 6, which somebody else has changed
    assert somebody == [["account"]]
    assert log[-1] == ["needs_review", "changed meanwhile"]

    [[differ]], somebody, _, log, _ = done.taken_back
    assert (differ, somebody) == (1, [["account"]])
    assert log[0][0] == "relabel", "the log is only added to"
