"""What a step asks for, as lines to paste: commands, or YAML for params.yaml."""

import re
from collections.abc import Sequence

from thalweg.reporting.advice.next_space import build_next_space
from thalweg.reporting.advice.search_space import advise_search
from thalweg.reporting.advice.space_yaml import format_space, list_outside_values
from thalweg.reporting.advice.suggestions import format_suggestions
from thalweg.reporting.tables import StudyTables


def find_commands(tables: StudyTables, step: str) -> list[str]:
    """Return the lines that do a step; [] if it needs a person.

    A step that changes the search space gives the space, and says where it goes. Otherwise the step's own code counts:
    commands as they are, and settings with a value as lines of params.yaml.
    """
    if step == advise_search(tables):
        return format_suggestions(tables, build_next_space(tables)) if tables.is_foreign else _describe_paste(tables)
    code = re.findall(r"`([^`]+)`", step)
    if commands := [text for text in code if re.match(r"(thalweg study|cp) ", text)]:
        return [*commands, *(["thalweg run"] if any(text.startswith("cp ") for text in commands) else [])]
    matches = (re.fullmatch(r"([a-z_]+(?:\.[a-z_]+)+): (.+)", text) for text in code)
    settings = sorted((match[1].split("."), match[2]) for match in matches if match)
    # not `dvc exp run -S`, which needs a commit in git
    return ["# in params.yaml, then `thalweg run`", *_nest_settings(settings)] if settings else []


def _describe_paste(tables: StudyTables) -> list[str]:
    """Return the next space, below what to replace by it; [] if every parameter is settled."""
    space = build_next_space(tables)
    lines, outside = format_space(space), list_outside_values(tables, space)
    where = [
        "# in params.yaml, in place of `space:` and the lines below it, then `thalweg run`",
        *(f"# set `{inside}`, too{f': this space leaves out `{value}`' if value else ''}" for value, inside in outside),
    ]
    return [*where, *lines] if lines else []


def _nest_settings(settings: Sequence[tuple[list[str], str]]) -> list[str]:
    """Format settings, sorted by path, as lines of YAML; those of one section stand below its name once."""
    lines, before = list[str](), list[str]()
    for path, value in settings:
        for depth, section in enumerate(path[:-1]):
            if path[: depth + 1] != before[: depth + 1]:
                lines.append(f"{'  ' * depth}{section}:")
        lines.append(f"{'  ' * (len(path) - 1)}{path[-1]}: {value}")
        before = path
    return lines
