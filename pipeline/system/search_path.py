"""The folders where Python looks for modules (`sys.path`), as a user's own code leaves them when it is imported."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from thalweg.system import files

CHANGES_FOLDERS = re.compile(rb"\bsys\b.*\bpath\b|\baddsitedir\b")
"""What stands in code that adds a folder. It also matches some code that adds none."""


def find_search_path(members: Iterable[str], sources: Iterable[Path]) -> list[str]:
    """Return `sys.path` as the import of some dotted paths leaves it; `sources` are the files that they reach.

    Another process imports them, and only if a file may change `sys.path`, because own code often imports JAX.
    """
    if not any(CHANGES_FOLDERS.search(files.read_bytes(file)) for file in sources):
        return sys.path
    command = [sys.executable, "-P", "-c", f"from {__name__} import print_search_path; print_search_path()"]
    given = json.dumps([sys.path, [*members]])
    done = subprocess.run(command, input=given, capture_output=True, text=True, errors="replace", check=False)
    last = done.stdout.splitlines()[-1:]
    found: list[str] = json.loads(last[0]) if not done.returncode and last else sys.path
    return found


def print_search_path() -> None:
    """Import the dotted paths on standard input, and print `sys.path` afterwards, as `find_search_path` asks."""
    from thalweg.system.members import MemberError, import_member

    sys.path[:], members = json.load(sys.stdin)
    for member in members:
        try:
            import_member(member)
        except (MemberError, files.UserError):  # `check` reports it; the folders that were added until then count
            continue
    print(f"\n{json.dumps([folder for folder in sys.path if isinstance(folder, str)])}")
