"""Code in a process of its own that has other disks, rights or processes around it (Linux only)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest


def run(
    code: str, *, around: list[str], mounting: str = "true"
) -> subprocess.CompletedProcess[str]:
    """What Python code prints in a process that `around` begins, once disks are mounted."""
    command = [*around, "sh", "-c", f'{mounting} && exec "$0" "$@"', sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def with_mounts() -> list[str]:
    """The command that begins a process whose mounts are its own."""
    for command in (["unshare", "-m"], ["unshare", "-rm"]):
        if _works(*command, "sh", "-c", "mount -t tmpfs none /mnt"):
            return command
    pytest.skip("this user cannot mount anything, not even in a namespace of its own")


def with_processes() -> list[str]:
    """The command that begins a process that counts as the first, as in a container."""
    for command in (["unshare", "-pf"], ["unshare", "-rpf"]):
        if _works(*command, "true"):
            return command
    pytest.skip("this user cannot begin a process in a namespace of its own")


def read_only(folder: Path) -> str:
    """The shell command after which nothing in a folder can be written."""
    return f"mount --bind '{folder}' '{folder}' && mount -o remount,bind,ro '{folder}'"


def small(folder: Path, size: str) -> str:
    """The shell command after which a folder is a small disk of its own."""
    return f"mkdir -p '{folder}' && mount -t tmpfs -o size={size} none '{folder}'"


@cache
def _works(*command: str) -> bool:
    if shutil.which(command[0]) is None or os.name == "nt":
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
