"""What a module may import: an engine-free core, and a package that is cheap to import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sqlfuncs
from sqlfuncs.learning.rows import registry

PACKAGE = Path(sqlfuncs.__file__).parent
HEAVY = ("torch", "sklearn", "pandas", "openai", "duckdb", "numpy", "pyarrow")
MODULES = {
    ".".join(("sqlfuncs", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): file
    for file in sorted(PACKAGE.rglob("*.py"))
    if "_share" not in file.parts
}


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _imports(node: ast.AST, inside_functions: bool) -> Iterator[str]:
    """The names that are imported below a node: `a.b` for `import a.b` and `from a import b`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif _only_for_types(child):
            continue
        elif inside_functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _imports(child, inside_functions)


def _imported(module: str, inside_functions: bool = True) -> set[str]:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    return set(_imports(tree, inside_functions))


def _is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize(
    ("module", "loads_nothing_of"),
    [
        ("sqlfuncs", HEAVY),
        ("sqlfuncs.cli", ("torch", "sklearn", "pandas", "openai", "duckdb", "scipy")),
        ("sqlfuncs.engines.duckdb.engine", ("torch", "sklearn", "openai", "duckdb")),
        ("sqlfuncs.engines.duckdb.connection", ("torch", "sklearn", "openai", "scipy", "cleanlab")),
        ("sqlfuncs.functions.llm_classify", ("torch", "sklearn", "openai", "duckdb")),
    ],
)
def test_importing_loads_little(module: str, loads_nothing_of: tuple[str, ...]) -> None:
    script = (
        "import sys, time\n"
        "begun = time.perf_counter()\n"
        f"import {module}\n"
        "print(time.perf_counter() - begun, *sorted({m.partition('.')[0] for m in sys.modules}))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    seconds, *loaded = ran.stdout.split()
    print(f"import {module}: {float(seconds):.3f} s")
    assert sorted(set(loaded) & set(loads_nothing_of)) == []


def test_only_the_duckdb_engine_and_integrations_import_duckdb() -> None:
    importing = {m for m in MODULES if any(_is_below(name, "duckdb") for name in _imported(m))}
    allowed = ("sqlfuncs.engines.duckdb", "sqlfuncs.integrations")
    assert importing
    assert {m for m in importing if not any(_is_below(m, each) for each in allowed)} == set()


def test_only_the_command_line_and_integrations_import_an_engine() -> None:
    importing = {
        module
        for module in MODULES
        for name in _imported(module)
        if _is_below(name, "sqlfuncs.engines") and not _is_below(name, "sqlfuncs.engines.base")
    }
    allowed = ("sqlfuncs.engines", "sqlfuncs.cli", "sqlfuncs.integrations")
    others = {m for m in importing if not any(_is_below(m, package) for package in allowed)}
    assert others == {"sqlfuncs", "sqlfuncs.spark"}
    of_duckdb = {
        name
        for module in importing
        if _is_below(module, "sqlfuncs.engines.spark")
        for name in _imported(module)
        if _is_below(name, "sqlfuncs.engines.duckdb")
    }
    # DuckDB as a library: what is in its SQL is written there.
    assert {name.split(".")[3] for name in of_duckdb} == {
        "embedded",
        "embedded_calls",
        "embedded_logs",
    }
    at_once = _imported("sqlfuncs", inside_functions=False)
    assert [name for name in at_once if _is_below(name, "sqlfuncs.engines")] == []


# What each room may import of the others; each stands below those that name it. What an engine is,
# and what a function is, are rooms of their own; `sqlfuncs` itself offers what all are made of.
HOUSE: dict[str, set[str]] = {
    "browser_images": set(),
    "charts": set(),
    "share": set(),
    "statistics": set(),
    "visible": set(),
    "wording": set(),
    "engines.base": set(),
    "errors": {"wording"},
    "entry_points": {"errors"},
    "work": {"errors", "visible"},
    "plots": {"errors"},
    "queries": {"errors", "share"},
    "store": {"errors", "wording", "work"},
    "datasets": {"errors", "share", "store", "work"},
    "learning": {"entry_points", "errors", "statistics", "store", "wording", "work"},
    "llm": {"errors", "learning", "store", "wording", "work"},
    "training": {"errors", "learning", "llm", "store", "wording", "work"},
    "functions.spec": {"errors", "wording"},
    "functions": {
        "functions.spec",
        "errors",
        "learning",
        "llm",
        "statistics",
        "store",
        "training",
        "wording",
        "work",
    },
    "plugins": {"errors", "functions.spec"},
    "review": {"browser_images", "charts", "errors", "learning", "statistics", "work"},
    "report": {
        "browser_images",
        "charts",
        "engines.base",
        "errors",
        "review",
        "statistics",
        "work",
    },
    "engines": {
        "engines.base",
        "errors",
        "functions.spec",
        "learning",
        "llm",  # hosted models, which Spark's driver asks
        "plugins",
        "queries",
        "report",
        "review",
        "store",
        "wording",
        "work",
    },
    "cli": {
        "engines.base",
        "datasets",
        "engines",
        "errors",
        "functions",
        "learning",
        "llm",
        "queries",
        "report",
        "review",
        "store",
        "visible",
        "work",
    },
    "integrations": {"engines", "errors", "queries", "work"},
    "spark": {"engines"},
}


def _room(name: str) -> str:
    """Of a module, or of what is imported from one; "" for the package itself."""
    parts = name.removeprefix("sqlfuncs").removeprefix(".").split(".")
    inner = ".".join(parts[:2])
    return inner if inner in HOUSE else parts[0] if parts[0] in HOUSE else ""


def test_the_rooms_of_the_house_stand_on_each_other() -> None:
    used: dict[str, set[str]] = {room: set() for room in HOUSE}
    for module in MODULES:
        room, others = _room(module), {_room(n) for n in _imported(module) if "sqlfuncs" in n}
        assert room or module == "sqlfuncs", module
        if room:
            used[room] |= others - {room, ""}
    assert used == HOUSE
    TopologicalSorter(HOUSE).prepare()


# What each room of learning/ may import of the others; each stands below those that name it.
ROOMS: dict[str, set[str]] = {
    "labels": set(),
    "encoders": set(),
    "features": {"labels", "encoders"},
    "rows": {"labels", "encoders", "features"},
    "models": {"labels", "encoders", "features", "rows"},
    "similarity": {"rows"},
    "detection": {"labels", "features", "rows", "models"},
    "annotators": {"labels", "features", "rows", "models"},
    "tasks": {"labels", "rows", "features", "models", "detection", "annotators"},
}


def test_the_rooms_of_learning_stand_on_each_other() -> None:
    learning = "sqlfuncs.learning."
    inside = [module for module in MODULES if module.startswith(learning)]
    assert {module.split(".")[2] for module in inside} == set(ROOMS)
    used: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module in inside:
        room = module.split(".")[2]
        others = {n.split(".")[2] for n in _imported(module) if n.startswith(learning)}
        used[room] |= others - {room}
    assert used == ROOMS
    TopologicalSorter(ROOMS).prepare()


def imports() -> dict[str, set[str]]:
    """The modules of ours that each one imports, those that it imports late too.

    But for the package itself, which offers what others are made of.
    """

    def module_of(name: str) -> str:
        return name if name in MODULES else name.rpartition(".")[0]

    return {
        module: {
            imported
            for name in _imported(module)
            if (imported := module_of(name)) in MODULES and imported not in (module, "sqlfuncs")
        }
        for module in MODULES
    }


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = imports()
    assert sum(map(len, graph.values())) > len(MODULES)
    TopologicalSorter(graph).prepare()  # raises CycleError, naming the circle


def test_what_is_offered_is_sorted_and_complete() -> None:
    assert sqlfuncs.__all__ == sorted(sqlfuncs.__all__)
    tree = ast.parse(MODULES["sqlfuncs"].read_text(encoding="utf-8"))
    defined = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    } | {name.rpartition(".")[2] for name in _imported("sqlfuncs", False) if "sqlfuncs." in name}
    assert set(sqlfuncs.__all__) == {n for n in defined if not n.startswith("_")} | {"__version__"}
    for name in sqlfuncs.__all__:
        assert hasattr(sqlfuncs, name)
    assert issubclass(sqlfuncs.errors.BadInput, sqlfuncs.SqlfuncsError)


def asking_for_kinds_of_rows() -> list[str]:
    """The modules outside of their room that ask what kind rows are, once for each question."""
    kinds = {kind.__name__ for kind in registry.kinds()}
    asked = []
    for module, file in MODULES.items():
        if _is_below(module, "sqlfuncs.learning.rows"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "isinstance",
                "issubclass",
            ):
                names = {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
                names |= {n.attr for n in ast.walk(node.args[1]) if isinstance(n, ast.Attribute)}
                asked += [module] if names & kinds else []
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Is) for op in node.ops):
                compared = {ast.unparse(each) for each in node.comparators}
                asked += [module] if compared & kinds else []
    return asked


def test_only_their_own_room_asks_what_kind_rows_are() -> None:
    """Others ask what `rows.base.Rows` says of every kind: a new one is one file."""
    assert asking_for_kinds_of_rows() == []


def test_callers_know_no_store_but_those_in_use() -> None:
    """Others may be put in their place: outside, only the kinds of values are named."""
    values = {"Answer", "ModelRecord", "check_name"}
    local = ("sqlfuncs.store.answers", "sqlfuncs.store.embeddings", "sqlfuncs.store.models")
    for module in (m for m in MODULES if not _is_below(m, "sqlfuncs.store")):
        named = {n for n in _imported(module) if any(_is_below(n, store) for store in local)}
        assert {name for name in named if name.rpartition(".")[2] not in values} == set(), module
