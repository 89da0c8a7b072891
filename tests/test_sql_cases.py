"""The cases in tests/sql/*.sql: SQL statements and what the last of them has to give.

A case starts with a line `-- case: what it shows`, then come one or more statements, then
either `-- expect` and the rows, a comment line each, values as `a | b` in their order (no
line: no rows); or `-- error: part of the message`, once or more. Values are written as
DuckDB casts them to text (lists, maps and structs too), NULL as NULL, a line feed in a value
as \\n. The functions have their bare names, and nothing else exists at the start of a case.

Every case runs on every engine of tests/sql/engines.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from sqlfuncs import engines
from tests.sql.engines import ENGINES, Declared, Session

FOLDER = Path(__file__).parent / "sql"
_TITLE = re.compile(r"^-- case:(.*)$", re.MULTILINE)
_OUTCOME = re.compile(r"^-- (expect|error:.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """Statements, and either rows or parts of an error's message."""

    sql: str
    rows: tuple[str, ...] = ()
    error: tuple[str, ...] = ()


def parse(text: str) -> dict[str, Case]:
    """The cases of a file by their titles.

    >>> parse('''-- case: one and one
    ... SELECT 1 + 1, NULL;
    ... -- expect
    ... -- 2 | NULL
    ... ''')
    {'one and one': Case(sql='SELECT 1 + 1, NULL;', rows=('2 | NULL',), error=())}
    """
    before, *parts = _TITLE.split(text)
    if any(line and not line.startswith("--") for line in before.splitlines()):
        raise ValueError("statements stand before the first case")
    cases: dict[str, Case] = {}
    for title, body in zip((t.strip() for t in parts[::2]), parts[1::2], strict=True):
        if not title or title in cases:
            raise ValueError(f"the title {title!r} is empty or there twice")
        cases[title] = _case(title, body)
    return cases


def _case(title: str, body: str) -> Case:
    outcome = _OUTCOME.search(body)
    if outcome is None:
        raise ValueError(f"{title!r} has neither '-- expect' nor '-- error: message'")
    sql = body[: outcome.start()].strip()
    lines = [line.rstrip() for line in body[outcome.start() :].splitlines() if line.strip()]
    odd = [line for line in lines if not line.startswith("-- ")]
    if odd:
        raise ValueError(f"{title!r}: after its outcome stands {odd[0]!r}")
    told = [line.removeprefix("-- ").strip() for line in lines]
    if told[0] == "expect":
        return Case(sql, rows=tuple(told[1:]))
    if not all(line.startswith("error:") for line in told):
        raise ValueError(f"{title!r}: an error is followed by something else")
    return Case(sql, error=tuple(line.removeprefix("error:").strip() for line in told))


def _cases() -> dict[str, Case]:
    return {
        f"{file.stem}: {title}": case
        for file in sorted(FOLDER.glob("*.sql"))
        for title, case in parse(file.read_text(encoding="utf-8")).items()
    }


def _on_engines(engines: Sequence[Declared], cases: Mapping[str, Case]) -> list[ParameterSet]:
    """Each case on each engine; where it is a gap of one, it has to fail."""
    return [
        pytest.param(
            engine,
            case,
            id=f"{engine.name}: {title}",
            marks=_marks(engine, title),
        )
        for engine in engines
        for title, case in cases.items()
    ]


def _marks(engine: Declared, title: str) -> list[pytest.MarkDecorator]:
    if engine.missing:
        return [pytest.mark.skip(reason=engine.missing)]
    if title in engine.gaps:
        return [pytest.mark.xfail(reason=engine.gaps[title], strict=True)]
    return []


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[Session]:
    """An engine in which nothing but the functions exists."""
    with request.param.opened() as session:
        yield session


@pytest.mark.parametrize(("engine", "case"), _on_engines(ENGINES, _cases()), indirect=["engine"])
def test_case(engine: Session, case: Case) -> None:
    *before, last = engine.statements(case.sql)
    for statement in before:
        engine.run(statement)
    if case.error:
        with pytest.raises(engine.error) as caught:
            engine.rows(last)
        message = " ".join(str(caught.value).split())
        parts = map(engine.worded, case.error)
        assert [part for part in parts if part not in message] == [], message
    else:
        assert engine.rows(last) == case.rows


def test_every_engine_of_the_house_runs_the_cases() -> None:
    house = {file.parent.name for file in Path(engines.__file__).parent.glob("*/engine.py")}
    assert house == {engine.name for engine in ENGINES}


def test_gaps_are_of_cases_that_there_are_and_have_reasons() -> None:
    for engine in ENGINES:
        assert set(engine.gaps) <= set(_cases())
        assert all(engine.gaps.values())


def test_a_gap_has_to_fail() -> None:
    cases = {"f: one": Case("SELECT 1;"), "f: two": Case("SELECT 2;")}
    lacking = Declared("lacking", ENGINES[0].opened, gaps={"f: two": "it cannot count"})
    one, two = _on_engines([lacking], cases)
    assert one.marks == []
    (mark,) = two.marks
    assert (mark.name, mark.kwargs) == ("xfail", {"reason": "it cannot count", "strict": True})


def test_there_are_cases() -> None:
    assert len(_cases()) >= 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- case: a\nSELECT 1;\n", "neither"),
        ("-- case: a\nSELECT 1;\n-- expect\n-- 1\nSELECT 2;\n", "after its outcome"),
        ("-- case: a\nSELECT 1;\n-- error: x\n-- 1\n", "followed by something else"),
        ("-- case: a\nSELECT 1;\n-- expect\n-- case: a\nSELECT 1;\n-- expect\n", "there twice"),
        ("SELECT 1;\n-- case: a\nSELECT 1;\n-- expect\n", "before the first case"),
    ],
)
def test_a_file_with_a_mistake_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)
