"""One of two programs to compare: its command, and what makes two runs of it the same."""

import hashlib
import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thalweg.system import files

SEED_MARK = "{seed}"
PARAMS_ENDINGS = (".yaml", ".yml")
DIGEST_CHARACTERS = 12


@dataclass(frozen=True)
class Side:
    """A program: `command` goes to the shell, where SEED_MARK stands for the seed.

    - `text`: what the user wrote: a command, or the path of a params file.
    - `tree`: the hash of the git tree with all uncommitted changes.
    - `environment`: the variables that count, with their values.
    """

    name: str
    text: str
    command: str
    tree: str
    environment: Mapping[str, str]

    @property
    def key(self) -> str:
        """Two runs of the same key and seed are the same."""
        parts = json.dumps([self.tree, self.text, sorted(self.environment.items())])
        return hashlib.sha256(parts.encode()).hexdigest()[:DIGEST_CHARACTERS]


def build_side(name: str, text: str, tree: str, variables: Sequence[str]) -> Side:
    """Build a side from a command or a params file. The variables that the command names count, too."""
    named = [first or second for first, second in re.findall(r"\$(?:(\w+)|\{(\w+)\})", text)]
    environment = {name: os.environ.get(name, "") for name in sorted({*variables, *named})}
    command = text
    if text.endswith(PARAMS_ENDINGS):
        if not files.path_exists(Path(text)):
            raise files.UserError(f"{text}: there is no such params file")
        command = shlex.join([sys.executable, "-m", "thalweg.api.baseline", text, SEED_MARK])
        command = command.replace(shlex.quote(SEED_MARK), SEED_MARK)
    return Side(name, text, command, tree, environment)
