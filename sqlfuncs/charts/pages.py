"""HTML templates of a package, beside those of charts. Jinja2."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def environment(package: str) -> Environment:
    """The templates in `templates/` of a package, and `charts.html`; all values are escaped."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("sqlfuncs.charts")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
