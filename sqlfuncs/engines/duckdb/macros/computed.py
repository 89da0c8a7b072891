"""The text of the macro over a function that is computed in Python.

It gathers the arguments, or the rows of a table in their order, calls the function of Python's
(`udf`), and hands its results back as columns. Texts only; imports the function descriptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlfuncs.engines.duckdb.batches import PACKED
from sqlfuncs.engines.duckdb.macros.columns import (
    given_again,
    given_value,
    kept_for_type,
    own_columns,
    typed_like,
)
from sqlfuncs.engines.duckdb.names import identifier, literal
from sqlfuncs.engines.duckdb.scalars import ONE, SEVERAL, may_give_lists
from sqlfuncs.engines.duckdb.udf import DECISIONS, udf_name
from sqlfuncs.functions.spec import (
    REVIEWS,
    CountFunction,
    Input,
    ListFunction,
    ScalarFunction,
    TableFunction,
)
from sqlfuncs.learning.labels.compared import COUNT, cast_field
from sqlfuncs.learning.labels.labels import INSTANT, TIME

INSTANCE_NAME = "_sf_instance"  # a function of Python's: a number that no other instance has
INSTANCE = f"{INSTANCE_NAME}()"
NO_ROWS = "sqlfuncs.main._sf_none"  # stands for a second table that is left out
NO_LOG = "sqlfuncs.main._sf_no_log"  # stands for a decision log that is left out
ROWS = "number of rows"  # the column that says how often a combination is there
_BARE = "sqlfuncs.main._sf_bare"
_LABEL = "sqlfuncs.main._sf_label"
_LABELS = "sqlfuncs.main._sf_labels"
_TEXT_KEYS = "sqlfuncs.main._sf_text_keys"
# What people have decided about the rows of the table, in one value. By itself: beside a table with
# a column called log, log would be that column.
_DECIDED = f"""_sf_decided AS (
    SELECT list({{key: _sf_key, decision: _sf_action, decided_label: _sf_new_label}}) AS _sf_list
    FROM sqlfuncs.main._sf_decisions(
        tbl, coalesce(log, {literal(NO_LOG)}), key, label, NULL, may_be_empty := true
    )
    WHERE sqlfuncs.main._sf_is_person(_sf_by)
), """
# Types of which lists come as lists of text (`spec.of_words`). A macro is planned as it is made,
# without the types of its arguments: coalesce, unlike typeof, says that it has to wait for these.
_ARE_WORDS = (
    "regexp_full_match(typeof(coalesce({0}, NULL)), '(VARCHAR|JSON|UUID|ENUM\\(.*\\))\\[\\d*\\]')"
)
_AFTER_ALL = 2**62  # more rows than any table has
_CALLER = f"{INSTANCE}, current_connection_id()"  # for `interrupts.Caller`
_QUERY = f"{_CALLER}, current_query_id()"  # whose rows these are, for `batches.Query`


def definition(function: TableFunction | ListFunction | ScalarFunction) -> str:
    """The macro's text, from its name on."""
    match function:
        case ScalarFunction():
            return _scalar(function)
        case ListFunction():
            return _list(function)
        case TableFunction():
            return _of_table(function)


def of_counts(function: CountFunction) -> str:
    """The same over different combinations of labels, of each of which `ROWS` says how many."""
    return _of_table(function, counted_by=ROWS)


def _scalar(function: ScalarFunction) -> str:
    # A prepared statement has one number however often it is executed, but new transactions.
    query = [f"[{_QUERY}, txid_current()]"] if function.per_query else []
    options = (_option(function, name) for name in function.options)
    arguments = ", ".join([*function.inputs, *query, *options, _CALLER])
    call = f"{udf_name(function.name)}({arguments})"
    if may_give_lists(function):  # a field is taken as the statement is planned, with its type
        many = (
            f"coalesce({_option(function, function.lists)}, false)" if function.lists else "false"
        )
        if function.word_by_word:
            many += f" OR {_ARE_WORDS.format(function.inputs[0])}"
        call = f"struct_extract({call}, if({many}, {literal(SEVERAL)}, {literal(ONE)}))"
    return f"{_head(function, function.inputs)} AS {call}"


def _list(function: ListFunction) -> str:
    return f"""{_head(function, function.arguments)} AS TABLE
SELECT unnest({udf_name(function.name)}({_options(function)}, {_CALLER}), recursive := true)"""


def _of_table(function: TableFunction, counted_by: str | None = None) -> str:
    """Gather all rows in order, compute once, and hand rows back.

    Names start with `_sf_`, because the columns an analyst names are looked up in the table
    first, and nothing of ours may stand in their way.
    """
    required = [each.name for each in function.columns if not each.is_optional]
    optional = [f"{each.name} := NULL" for each in function.columns if each.is_optional]
    if function.second:
        assert not function.keeps_rows
        optional.append(f"{function.second} := {literal(NO_ROWS)}")
    if function.reviews:
        optional += [f"{name} := NULL" for name in REVIEWS]
    head = _head(function, (*function.arguments, "tbl", *required, *optional))
    if function.keeps_rows:
        return f"{head} AS TABLE\n{_beside_rows(function)}"
    select = _instead_of_rows(function, counted_by)
    return f"{head} AS TABLE\n{select}"


def _instead_of_rows(function: TableFunction, counted_by: str | None) -> str:
    own = own_columns(function, lambda name: f"struct_extract(_sf_own, {literal(name)})")
    return f"""WITH _sf_numbered AS (
    {_numbered(function, counted_by)}
), _sf_packed_rows AS (
    SELECT {_packed(function)} FROM _sf_numbered
), {_gathered(function, "_sf_packed_rows", "NULL")}, _sf_rows AS (
    SELECT unnest(_sf_own) AS _sf_own{_carried(function)} FROM _sf_gathered
)
SELECT {own} FROM _sf_rows"""


def _numbered(function: TableFunction, counted_by: str | None) -> str:
    """The rows of the table in their order, and those of the second one after them."""
    if isinstance(function, CountFunction):
        return _counted(function, counted_by)
    if function.second is None:
        return "SELECT *, row_number() OVER () AS _sf_n FROM query_table(tbl)"
    return f"""SELECT *, false AS _sf_second, row_number() OVER () AS _sf_n FROM query_table(tbl)
    UNION ALL BY NAME
    SELECT *, true AS _sf_second, {_AFTER_ALL} + row_number() OVER () AS _sf_n
    FROM query_table({function.second})"""


def _counted(function: CountFunction, counted_by: str | None) -> str:
    """The different combinations of labels. They are counted as they are, of their own types."""
    names = range(len(function.inputs))
    given = ", ".join(
        f"{name if name in function.may_be_constant else f'{_BARE}({name})'} AS _sf_{at}"
        for at, name in enumerate(function.inputs)
    )
    one = "_sf_one_or_tags" if function.takes_tags else "_sf_one"
    ones = ", ".join(
        f"sqlfuncs.main.{one}(_sf_{at}, {literal(function.inputs[at])}) AS _sf_{at}" for at in names
    )
    counted = "count(*)"
    if counted_by is not None:
        given = f"{given}, {identifier(counted_by)} AS _sf_rows"
        counted = "sum(_sf_rows)::BIGINT"
    return f"""SELECT *, row_number() OVER () AS _sf_n FROM (
        SELECT {ones}, {counted} AS _sf_count
        FROM (SELECT {given} FROM query_table(tbl) AS _sf_in) GROUP BY ALL
    )"""


def _packed_counts(function: CountFunction) -> str:
    """Each label as text, and cast to what it is compared with: see `labels.compared.fields`."""
    places = {name: f"_sf_{at}" for at, name in enumerate(function.inputs)}
    text = f"{_LABELS}({{at}})" if function.takes_tags else "{at}::VARCHAR"
    kind = "_sf_labels_kind" if function.takes_tags else "_sf_kind"
    fields = {name: text.format(at=at) for name, at in places.items()}
    if len(places) > 1:  # else there is nothing to compare with
        fields |= _casts(places)
    fields[COUNT] = "_sf_count"
    given = ", ".join(f"{identifier(name)}: {value}" for name, value in fields.items())
    kinds = ", ".join(
        f"{identifier(name)}: sqlfuncs.main.{kind}(typeof({at}))" for name, at in places.items()
    )
    typed = "".join(f", {places[name]} AS _sf_typed_{name}" for name in typed_like(function))
    return f"{PACKED}(_sf_n, {{{given}}}, {{{kinds}}}, {_QUERY}) AS _sf_batch{typed}"


def _casts(places: Mapping[str, str]) -> dict[str, str]:
    """Columns, by the names of inputs, cast to times and to the types of the other ones."""
    casts = {}
    for name, at in places.items():
        casts[cast_field(name, TIME)] = f"sqlfuncs.main._sf_time({at})"
        casts[cast_field(name, INSTANT)] = f"TRY_CAST({at}::VARCHAR AS TIMESTAMPTZ)::VARCHAR"
        for other, to in places.items():
            if other != name:
                casts[cast_field(name, other)] = f"sqlfuncs.main._sf_cast({at}, {to})"
    return casts


def _beside_rows(function: TableFunction) -> str:
    """Results beside the table's own rows, which are numbered and kept once.

    MATERIALIZED, because a view may give other rows or another order the second time. The results
    come first in the join: the other way round DuckDB 2.0.0 waits for ever where a LIMIT ends it
    before all rows, of more than 60,000, are read.
    """
    kept = [
        "_sf_n",
        "_sf_names",
        "_sf_batch",
        *(f"_sf_typed_{name}" for name in typed_like(function)),
    ]
    numbered = "*, row_number() OVER () AS _sf_n, "
    numbered += "CASE WHEN row_number() OVER () = 1 THEN struct_keys(_sf_in) END AS _sf_names"
    for name in given_again(function):
        # What is no column (a call, perhaps a costly one) is computed once and kept.
        bare = f"list_contains(struct_keys(_sf_in), alias({name}))"
        numbered += f", {bare} AS _sf_bare_{name}, CASE WHEN NOT {bare} THEN {name} END"
        numbered += f" AS _sf_kept_{name}"
        kept += [f"_sf_bare_{name}", f"_sf_kept_{name}"]
    lists = ", ".join(
        f"unnest(struct_extract(_sf_own, {literal(column.name)})) "
        f"AS {identifier('_sf_own_' + column.name)}"
        for column in function.returns
    )
    own = own_columns(function, lambda name: identifier("_sf_own_" + name))
    return f"""WITH _sf_numbered AS (
    SELECT {numbered} FROM query_table(tbl) AS _sf_in
), _sf_kept AS MATERIALIZED (
    SELECT *, {_packed(function)} FROM _sf_numbered
), {_gathered(function, "_sf_kept", "any_value(_sf_names)")}, _sf_rows AS (
    SELECT {lists}{_carried(function)} FROM _sf_gathered
)
SELECT _sf_kept.* EXCLUDE ({", ".join(kept)}), {own}
FROM _sf_rows POSITIONAL JOIN _sf_kept"""


def _packed(function: TableFunction) -> str:
    if isinstance(function, CountFunction):
        return _packed_counts(function)
    given = ", ".join(f"{each.name}: {_given(function, each)}" for each in function.columns)
    if function.second:
        given += f", {function.second}: _sf_second"
    if function.reviews:
        given += ", key: (key)::VARCHAR"
    kinds = ", ".join(f"{each.name}: {_kind(each)}" for each in function.columns)
    typed = "".join(
        f", {kept_for_type(function, name)} AS _sf_typed_{name}" for name in typed_like(function)
    )
    return f"{PACKED}(_sf_n, {{{given}}}, {{{kinds}}}, {_QUERY}) AS _sf_batch{typed}"


def _given(function: TableFunction, given: Input) -> str:
    bare = f"{_BARE}({given_value(function, given.name)})"
    # A label travels as DuckDB's own text for it, and so do the keys of maps: both cast back.
    if given.is_optional:  # which may be NULL without a type, and is to stay so
        return bare
    match given.comes_as:
        case "given":
            return f"{_TEXT_KEYS}({bare})"
        case "text":
            return f"{bare}::VARCHAR"
        case "label":
            return f"{_LABEL}({bare}, {literal(given.name)})"
        case "labels":
            return f"{_LABELS}({bare}, {literal(given.name)})"


def _kind(given: Input) -> str:
    """What an input's values are as labels, or the keys of its maps: see `learning.labels`."""
    kind = {"given": "_sf_keys_kind", "labels": "_sf_labels_kind"}.get(given.comes_as, "_sf_kind")
    of = f", x_type := typeof({given.of})" if given.of else ""
    return f"sqlfuncs.main.{kind}(typeof({given.name}){of})"


def _gathered(function: TableFunction, packed: str, names: str) -> str:
    any_given = "".join(
        f", any_value(_sf_typed_{name}) AS _sf_any_{name}" for name in typed_like(function)
    )
    return f"""{_DECIDED if function.reviews else ""}_sf_gathered AS (
    SELECT
        {udf_name(function.name)}(
            list(_sf_batch) FILTER (_sf_batch IS NOT NULL), {names}, {_options(function)}, {_CALLER}
        ) AS _sf_own{any_given}
    FROM {packed}
)"""


def _carried(function: TableFunction) -> str:
    return "".join(f", _sf_any_{name}" for name in typed_like(function))


def _head(
    function: TableFunction | ListFunction | ScalarFunction, parameters: Iterable[str]
) -> str:
    options = [
        f"{identifier(name)} := {literal(default)}" for name, default in function.options.items()
    ]
    return f"{identifier(function.name)}({', '.join([*parameters, *options])})"


def _options(function: TableFunction | ListFunction) -> str:
    fields = [f"{name}: {name}" for name in function.arguments]
    fields += [f"{identifier(name)}: {_option(function, name)}" for name in function.options]
    if isinstance(function, TableFunction) and function.reviews:
        fields.append(f"{DECISIONS}: (SELECT _sf_list FROM _sf_decided)")
    # A struct needs a field; where a function takes nothing, this one is not read.
    fields = fields or ["_sf_nothing: NULL"]
    return "{" + ", ".join(fields) + "}"


def _option(function: TableFunction | ListFunction | ScalarFunction, name: str) -> str:
    """What an option is, with the session's variable behind it if it has one."""
    if name not in function.session:
        return identifier(name)
    return f"coalesce({identifier(name)}, getvariable({literal(function.session[name])}))"
