from __future__ import annotations

from pathlib import Path

import pytest

from sqlfuncs.errors import BadQueryFile
from sqlfuncs.queries import files
from sqlfuncs.queries.header import QueryFile, Value, parse, values

HEADER = """\
-- title: Count: all of it
-- answers: How many?
-- a remark
-- param t table = train: what to count
-- param how text: how, with a colon: here
-- param n integer = 5: a number
-- param empty column = : may be left out

SELECT 1;
-- param not text = x: not in the header
"""


def test_a_header_is_read() -> None:
    file = parse("count", HEADER)
    assert (file.name, file.title, file.answers) == ("count", "Count: all of it", "How many?")
    assert [(p.name, p.type, p.default, p.help) for p in file.parameters] == [
        ("t", "table", "train", "what to count"),
        ("how", "text", None, "how, with a colon: here"),
        ("n", "integer", "5", "a number"),
        ("empty", "column", "", "may be left out"),
    ]
    assert file.text.lstrip().startswith("SELECT 1;")
    assert file.text.index("SELECT 1;") == HEADER.count("\n", 0, HEADER.index("SELECT 1;"))


def test_windows_line_ends_and_a_file_without_a_header() -> None:
    file = parse("count", HEADER.replace("\n", "\r\n"))
    assert [p.default for p in file.parameters] == ["train", None, "5", ""]
    assert file.text.lstrip().startswith("SELECT 1;")
    bare = parse("bare", "SELECT 1")
    assert (bare.title, bare.answers, bare.parameters, bare.text) == ("bare", "", (), "SELECT 1")
    assert bare.accepts() == "it takes no parameters"


@pytest.mark.parametrize(
    "line",
    [
        "-- param",
        "-- param x",
        "-- param x text",
        "-- param x text =",
        "-- param x words = 1: of no known type",
        "-- param X text: a capital",
        "-- param a-b text: a hyphen",
        "-- param x text = 1:",
        "-- param x = 1: without a type",
    ],
)
def test_a_line_that_is_no_parameter_is_named(line: str) -> None:
    with pytest.raises(BadQueryFile, match=r"count, line 2: .*Write: -- param NAME TYPE"):
        parse("count", f"-- title: Count\n{line}\nSELECT 1")


def test_what_a_file_accepts_is_told() -> None:
    assert parse("count", HEADER).accepts().splitlines() == [
        "it accepts",
        "  t=... (table, default train): what to count",
        "  how=... (text, has to be given): how, with a colon: here",
        "  n=... (integer, default 5): a number",
        "  empty=... (column, default none): may be left out",
    ]


def _value(kind: str, text: str) -> Value:
    return values(parse("q", f"-- param p {kind}: it\n"), {"p": text})["p"]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("table", "a.b", "a.b"),
        ("column", "a=b", "a=b"),
        ("text", "5", "5"),
        ("text", " spaces ", " spaces "),
        ("integer", "-5", -5),
        ("number", "0.25", 0.25),
        ("number", "1e-3", 0.001),
        ("boolean", "True", True),
        ("boolean", "false", False),
        ("list", "a, b ,c d", ("a", "b", "c d")),
        ("list", "one", ("one",)),
        ("text", "", None),
        ("integer", "", None),
        ("list", "", None),
    ],
)
def test_values_are_typed(kind: str, text: str, expected: Value) -> None:
    assert _value(kind, text) == expected
    assert type(_value(kind, text)) is type(expected)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "five"),
        ("integer", "1.5"),
        ("integer", "1; DROP TABLE t"),
        ("integer", "9" * 5000),
        ("number", "much"),
        ("number", "1,5"),
        ("boolean", "yes"),
        ("boolean", "1"),
        ("text", "nul \0"),
        ("table", "nul \0"),
        ("column", "nul \0"),
    ],
)
def test_values_of_another_type_show_what_is_accepted(kind: str, text: str) -> None:
    with pytest.raises(BadQueryFile, match=rf"is not of type {kind}; it accepts\n  p=\.\.\. "):
        _value(kind, text)


def test_missing_and_unknown_parameters_show_what_is_accepted() -> None:
    file = parse("count", HEADER)
    with pytest.raises(BadQueryFile, match=r"count needs how=\.\.\.; it accepts\n  t=.*\n  how="):
        values(file, {})
    with pytest.raises(BadQueryFile, match=r"count has no parameter tabel; it accepts\n  t="):
        values(file, {"how": "x", "tabel": "y"})
    assert values(file, {"how": "x"}) == {"t": "train", "how": "x", "n": 5, "empty": None}


def test_every_shipped_file_has_a_whole_header() -> None:
    shipped = files.shipped()
    assert {file.name for file in shipped} == {f.stem for f in files.folder().glob("*.sql")}
    assert [file.name for file in shipped][:3] == ["load", "detect", "review_queue"]
    for file in shipped:
        assert file.title != file.name
        assert file.answers.endswith("?")
        assert file.parameters


def test_files_are_found_by_path_and_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert files.find("detect") == files.find("detect.sql")
    own = tmp_path / "own query.sql"
    own.write_bytes(b"\xef\xbb\xbf-- title: Mine\nSELECT 1")
    assert files.find(str(own)).title == files.find("own query.sql").title == "Mine"
    (tmp_path / "detect.sql").write_text("-- title: My own detect\nSELECT 1")
    assert files.find("detect.sql").title == "My own detect"
    assert files.find("detect").title == "Find wrong labels"


@pytest.mark.parametrize("name", ["detekt", "nowhere/detect", "../queries/detect", "/", ""])
def test_a_file_that_is_not_there(name: str) -> None:
    with pytest.raises(BadQueryFile, match=r"no shipped query of that name: correct, decide, "):
        files.find(name)


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "old.sql"
    file.write_bytes("-- title: Größe\nSELECT 1".encode("latin-1"))
    with pytest.raises(BadQueryFile, match=r"old\.sql is not UTF-8 \(byte 12\)\. Save it as UTF"):
        files.find(str(file))


def test_query_files_compare_by_what_they_say() -> None:
    assert parse("q", "SELECT 1") == QueryFile("q", "q", "", (), "SELECT 1")
