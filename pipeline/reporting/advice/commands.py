"""What a step asks for, as lines to paste: commands, or YAML for params.yaml."""

import re
import shlex

from thalweg.reporting.advice.next_space import build_next_space
from thalweg.reporting.advice.search_space import advise_search
from thalweg.reporting.advice.space_yaml import format_space
from thalweg.reporting.tables import StudyTables


def find_commands(tables: StudyTables, step: str) -> list[str]:
    """Return the lines that do a step; [] if it needs a person.

    A step that changes the search space gives the space. Otherwise the step's own code counts: commands as they are,
    and settings with a value as one experiment.
    """
    if step == advise_search(tables):
        return format_space(build_next_space(tables))
    code = re.findall(r"`([^`]+)`", step)
    if commands := [text for text in code if re.match(r"(thalweg study|dvc|cp) ", text)]:
        return commands
    settings = [match.groups() for text in code if (match := re.fullmatch(r"([a-z_]+(?:\.[a-z_]+)+): (.+)", text))]
    changes = [f"-S {shlex.quote(f'{name}={value}')}" for name, value in settings]
    return [f"dvc exp run {' '.join(changes)}"] if changes else []
