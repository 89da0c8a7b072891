from __future__ import annotations

import pytest

from sqlfuncs.cli.progress import Bars


def test_what_is_said_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Bars().show("openai:m: [red]2 texts[/red] :smile:")
    assert capsys.readouterr().err == "sqlfuncs: openai:m: [red]2 texts[/red] :smile:\n"
