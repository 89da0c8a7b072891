from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlfuncs.cli.run import rendered
from sqlfuncs.errors import BadQueryFile
from sqlfuncs.queries.header import parse

NASTY = [
    "it's",
    "''; DROP TABLE t; --",
    '"; DROP TABLE t; --',
    "/* comment",
    "*/ -- comment",
    "two\nlines\r\nand three",
    "{{ 7 * 7 }}",
    "{% for x in y %}",
    "{# hidden #}",
    "$$dollar$$ $1 ?",
    "back\\slash \\' \\x27",
    "🎈 naïve ‘quotes’ \u2028 \u202e",
    "x' || (SELECT 1) || 'x",
    " ",
    "NULL",
]


def _render(text: str, given: dict[str, str] | None = None, header: str = "") -> str:
    return rendered(parse("mine", header + text), given or {})


@pytest.mark.parametrize("value", NASTY)
def test_a_value_is_nothing_but_a_value(value: str) -> None:
    header = (
        "-- param a text: it\n-- param b list: it\n-- param c column: it\n-- param t table: it\n"
    )
    sql = _render(
        "SELECT {{ a | literal }} AS {{ c | ident }}, {{ b | literal }} AS b,\n"
        "    {% for one in b %}{{ one | literal }}{% endfor %} AS one,\n"
        "    {{ t | literal }} AS t, {{ c | literal }} AS c2 FROM {{ t | ident }};",
        {"a": value, "b": value, "c": value, "t": '"' + value.replace('"', '""') + '"'},
        header,
    )
    name = value.replace('"', '""')
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (x INTEGER)")
        con.execute(f'CREATE TABLE "{name}" AS SELECT 1 AS x')
        assert len(con.extract_statements(sql)) == 1
        found = con.execute(sql)
        assert (found.description or [])[0][0] == value
        parts = [part.strip() for part in value.split(",")]
        assert found.fetchall() == [(value, parts, "".join(parts), f'"{name}"', value)]
        assert con.execute("SELECT count(*) FROM t").fetchall() == [(0,)]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_text_comes_back_as_it_was(value: str) -> None:
    header = "-- param a text: it\n-- param c column: it\n"
    sql = _render("SELECT {{ a | literal }} AS {{ c | ident }}", {"a": value, "c": value}, header)
    with duckdb.connect() as con:
        found = con.execute(sql)
        assert found.fetchall() == [(value,)]
        assert (found.description or [])[0][0] == value


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("integer", "-7", -7),
        ("number", "0.1", 0.1),
        ("number", "inf", float("inf")),
        ("number", "1e300", 1e300),
        ("boolean", "true", True),
        ("list", "a,b", ["a", "b"]),
        ("text", "", None),
    ],
)
def test_every_type_of_value(kind: str, text: str, expected: object) -> None:
    sql = _render("SELECT {{ p | literal }}", {"p": text}, f"-- param p {kind}: it\n")
    with duckdb.connect() as con:
        ((value,),) = con.execute(sql).fetchall()
        assert float(value) == expected if kind == "number" else value == expected


def test_dots_separate_in_the_name_of_a_table_only() -> None:
    header = "-- param t table: it\n-- param c column: it\n"
    text = "{{ t | ident }} {{ c | ident }}"
    assert _render(text, {"t": "my db.s.t", "c": "a.b"}, header) == '"my db"."s"."t" "a.b"'
    assert _render(text, {"t": 's."a.b"', "c": '"a"'}, header) == '"s"."a.b" """a"""'
    for bad in ("", "a.", ".a", '"".a'):
        with pytest.raises(BadQueryFile, match="it accepts\n  t="):
            _render(text, {"t": bad, "c": "x"}, header)


@pytest.mark.parametrize(
    "text",
    [
        "{{ p }}",
        "{{ p | upper }}",
        "{{ p | literal | upper }}",
        "{{ p | literal | safe }}",
        "{{ p | literal ~ p }}",
        "{{ (p | literal) + p }}",
        "{{ (p | literal).strip() }}",
        "{{ (p | literal)[1:-1] }}",
        "{{ 'p' }}",
        "{{ 1 + 1 }}",
        "{{ none }}",
        "{{ [p] }}",
        "{{ p | ident, p }}",
        "{% set q %}{{ p | literal }}{% endset %}{{ q }}",
        "{% macro m() %}{{ p | literal }}{% endmacro %}{{ m() }}",
        "{{ p if true else (p | literal) }}",
        "{{ p | list | join }}",
        "{{ self }}",
    ],
)
def test_what_is_not_quoted_is_refused(text: str) -> None:
    with pytest.raises(BadQueryFile, match=r"mine cannot be rendered: .*; it accepts\n  p="):
        _render(text, {"p": "x; DROP TABLE t"}, "-- param p text: it\n")


def test_a_filter_around_what_is_quoted_is_refused() -> None:
    with pytest.raises(BadQueryFile, match="filter blocks could undo the quoting"):
        _render(
            """SELECT {% filter replace("'", "") %}{{ p | literal }}{% endfilter %}""",
            {"p": "1; DROP TABLE t"},
            "-- param p text: it\n",
        )


@pytest.mark.parametrize(
    "text",
    [
        "{{ p.__class__ | literal }}",
        "{{ p.__class__.__mro__[1].__subclasses__() | literal }}",
        "{{ ''.__class__ | literal }}",
        "{{ p['__class__'] | literal }}",
        "{{ p | attr('__class__') | literal }}",
        "{{ cycler.__init__.__globals__ | literal }}",
        "{{ self.__init__.__globals__ | literal }}",
        "{{ lipsum.__globals__['os'].popen('id').read() | literal }}",
        "{{ '{0.__class__}'.format(p) | literal }}",
        "{{ '%s' % p.__class__ | literal }}",
        "{% set x = p.__class__ %}{{ x | literal }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
    ],
)
def test_a_file_cannot_reach_out_of_its_parameters(text: str) -> None:
    with pytest.raises(BadQueryFile, match="mine"):
        _render(text, {"p": "x"}, "-- param p text: it\n")


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in range(10 ** 9) %}x{% endfor %}",
        "{{ (1 // 0) | literal }}",
        "{{ 'x'.encode('no such') | literal }}",
        "{{ {}['x'] | literal }}",
        "{{ p.nothing.at_all | literal }}",
        "{{ p() | literal }}",
        "{{ p | nothing }}",
        "{{ [1, 2] | ident }}",
        "{{ {'a': 1} | literal }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
def test_a_template_that_fails_is_an_error_of_the_file(text: str) -> None:
    with pytest.raises(BadQueryFile, match="mine"):
        _render(text, {"p": "x"}, "-- param p text: it\n")


def test_a_name_that_is_no_parameter_is_told() -> None:
    for text in ("{{ q | literal }}", "{{ q | ident }}", "{% for x in q %}{% endfor %}"):
        with pytest.raises(BadQueryFile, match=r"'q' is undefined; it accepts\n  p="):
            _render(text, {"p": "x"}, "-- param p text: it\n")


@pytest.mark.parametrize(
    "text", ["SELECT\n{{ p | literal", "SELECT\n{% if %}", "SELECT\n{% nothing %}", "\n{% for %}"]
)
def test_a_syntax_error_names_file_and_line(text: str) -> None:
    with pytest.raises(BadQueryFile, match=r"^mine, line \d"):
        _render(text, {"p": "x"}, "-- param p text: it\n")


def test_the_line_of_a_syntax_error_is_that_of_the_file() -> None:
    header = "-- title: Mine\n-- param p text: it\n\n"
    with pytest.raises(BadQueryFile, match=r"^mine, line 5\b"):
        _render("SELECT 1,\n{% if %}\n", {"p": "x"}, header)


def test_missing_unknown_and_ill_typed_parameters_show_what_is_accepted() -> None:
    header = "-- param p integer: it\n"
    for given_, why in (
        ({}, r"mine needs p="),
        ({"p": "1", "q": "2"}, "mine has no parameter q"),
        ({"p": "x"}, "mine: p=x is not of type integer"),
    ):
        with pytest.raises(BadQueryFile, match=why + r".*; it accepts\n  p=\.\.\. \(integer"):
            _render("SELECT {{ p | literal }}", given_, header)


def test_sql_outside_of_braces_stays_as_it_is() -> None:
    text = "SELECT 'it''s', \"{x}\", $$ a $$ -- {not} a % parameter\n  , {'a': 1}, 5 % 3;"
    assert _render(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '{{ p | literal }}'",
        'SELECT "{{ p | ident }}"',
        "SELECT 1 -- {{ p | literal }}\n",
        "SELECT /* {{ p | literal }} */ 1",
        "SELECT $q${{ p | literal }}$q$",
        r"SELECT E'\'{{ p | literal }}'",
        "SELECT 'open {{ p | literal }}",
    ],
)
def test_a_value_inside_quotes_or_a_comment_is_refused(text: str) -> None:
    with pytest.raises(BadQueryFile, match="a value stands"):
        _render(text, {"p": "x' OR 1 = 1; DROP TABLE t; --\n"}, "-- param p text: it\n")


def test_quotes_and_comments_around_values_are_left_alone() -> None:
    text = "SELECT 'it''s', {{ p | literal }}, \"a\"\"b\" -- it's\n, {{ p | literal }} /* ' */"
    rendered = _render(text, {"p": "x"}, "-- param p text: it\n")
    assert rendered == text.replace("{{ p | literal }}", "'x'")


# Values that would end a quote or a comment, begin one, or be part of what stands beside them.
HOSTILE = [
    "billing",
    "*/; DROP TABLE t; /*",
    "'; DROP TABLE t; --",
    '"; DROP TABLE t; --',
    "\\'; DROP TABLE t; --",
    "$$; DROP TABLE t; $$",
    "$a$; DROP TABLE t; $a$",
    "\n; DROP TABLE t; --",
    "\r; DROP TABLE t; --",
    "/* ' /* \"",
    "; DROP TABLE t",
    "&#39;",
]
SURROUNDINGS = [
    "SELECT 1 /* old: SELECT 2 /* two */ WHERE l = {} */ AS x",
    "SELECT 1 /* /* */ {} */ AS x",
    "SELECT 1 /* */ , {} /* */ AS x",
    "SELECT 1 -- it's\r , {}\n AS x",
    "SELECT 1 --\r'\n, {}, '' AS x",
    "SELECT 'a' LIKE'b\\', {}, '' AS x",
    "SELECT E'a\\' {} ' AS x",
    "SELECT E'a\\\\', {} AS x",
    "SELECT E'a'\n'b\\', {}, 'c' AS x",
    "SELECT\u00a0E'a\\', {}, 'c' AS x",
    "SELECT $a$ ' $a$, {}, $a$ ' $a$ AS x",
    "SELECT $1a$ ' $1a$, {}, ' ' AS x",
    "SELECT 1 AS a$b$, {} AS c$b$",
    "SELECT $$ {} $$ AS x",
    "SELECT 'a'{} AS x",
    "SELECT E{} AS x",
    "SELECT x{} AS x",
    "SELECT 5 -{} AS x",
    "SELECT 5{} AS x",
    "SELECT {}{} AS x",
    "SELECT {}'b' AS x",
    "SELECT ' {} ' AS x",
    'SELECT 1 AS " {} "',
    "SELECT {} AS x; SELECT 2 AS y",
]
FILTERS = [
    "v | literal",
    "v | e | literal",
    "v | tojson | literal",
    "v | urlize | literal",
    "v | forceescape | literal",
    "[v] | literal",
    "[v | e] | literal",
    "(v, v | e) | literal",
    "v | e | ident",
    "v | striptags | literal",
    "v | indent(1) | literal",
    "v | xmlattr | literal",
    "{'a': v} | xmlattr | literal",
    "v | safe | literal",
    "v | literal | literal",
    "v | reverse | literal",
    "n | literal",
    "-n | literal",
    "(v ~ n) | literal",
]


@pytest.fixture(scope="module")
def plain_duckdb() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


def _shape(con: duckdb.DuckDBPyConnection, sql: str) -> list[object]:
    """The tokens of SQL without what they say, and its statements: what a value must not change."""
    try:
        statements: list[object] = [each.type for each in con.extract_statements(sql)]
    except duckdb.ParserException:
        return ["no SQL"]
    return [*statements, *(kind for _, kind in duckdb.tokenize(sql))]


@pytest.mark.parametrize("surrounding", SURROUNDINGS)
@pytest.mark.parametrize("filters", FILTERS)
def test_no_value_changes_the_shape_of_a_statement(
    plain_duckdb: duckdb.DuckDBPyConnection, surrounding: str, filters: str
) -> None:
    template = surrounding.replace("{}", "{{ " + filters + " }}")
    header = "-- param v text: it\n-- param n integer: it\n"
    shapes = []
    for value in HOSTILE:
        for number in ("3", "-3") if "n |" in filters else ("3",):
            try:
                sql = _render(template, {"v": value, "n": number}, header)
                shapes.append(_shape(plain_duckdb, sql))
            except BadQueryFile:
                continue
    if "n" in filters and "v" not in filters:
        # A minus before the number is a sign of its own.
        shapes = [
            [kind for kind in shape if kind != duckdb.token_type.operator] for shape in shapes
        ]
    assert all(shape == shapes[0] for shape in shapes), template


QUOTES = ["'", '"', "$$", "$a$", "$1$", "E'", "x'", "''", "/*", "*/", "--", "\\"]
OTHERS = ["a", "e", "1", "é", ",", "-", " ", "\n", "\r", "\u00a0", "\u3000"]
PARTS = st.sampled_from([*QUOTES, *OTHERS, "{}", "{}", "{}"])


@given(st.lists(PARTS, min_size=1, max_size=12), st.sampled_from(HOSTILE[1:]))
def test_what_a_random_template_means_is_not_for_a_value_to_say(
    plain_duckdb: duckdb.DuckDBPyConnection, parts: list[str], value: str
) -> None:
    template = ("SELECT 0, " + "".join(parts)).replace("{}", "{{ v | literal }}")
    header = "-- param v text: it\n"
    try:
        plain = _shape(plain_duckdb, _render(template, {"v": "billing"}, header))
    except BadQueryFile:
        return
    assert _shape(plain_duckdb, _render(template, {"v": value}, header)) == plain


@pytest.mark.parametrize(
    "text",
    [
        "SELECT {% autoescape true %}{{ v | literal }}{% endautoescape %}",
        "SELECT \0{{ v | literal }}",
        "SELECT {{ v | literal }}{{ v | literal }}",
        "SELECT 1 /* a /* b */ {{ v | literal }} */",
    ],
)
def test_templates_that_would_undo_the_quoting_are_refused(text: str) -> None:
    with pytest.raises(BadQueryFile):
        _render(text, {"v": "x"}, "-- param v text: it\n")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(BadQueryFile, match="not UTF-8"):
        _render("SELECT {{ v | literal }}", {"v": "a\udce9"}, "-- param v text: it\n")
