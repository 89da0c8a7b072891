"""The fault server, which fine-tunes, too."""

from __future__ import annotations

from tests.llm.conftest import _process, server

__all__ = ["_process", "server"]
