"""What a step asks for, as lines to paste: commands, or YAML for params.yaml."""

from collections.abc import Mapping
from typing import Any

from thalweg.config.write import format_inline
from thalweg.reporting.advice.next_space import build_next_space
from thalweg.reporting.advice.space_yaml import format_space, list_outside_values
from thalweg.reporting.finding import Step
from thalweg.reporting.tables import StudyTables

SPACE = "study.space"


def format_commands(tables: StudyTables, step: Step) -> list[str]:
    """Format a step as lines that do it; [] if it needs a person.

    A step that changes the search space gives the space, and says where it goes.
    """
    if step.commands:
        return [*step.commands]
    if SPACE in step.patch:
        return _describe_paste(tables)
    # not `dvc exp run -S`, which needs a commit in git
    return ["# in params.yaml, then `thalweg run`", *_nest_settings(step.patch)] if step.patch else []


def _describe_paste(tables: StudyTables) -> list[str]:
    """Return the next space, below what to replace by it."""
    space = build_next_space(tables)
    outside = list_outside_values(tables, space)
    return [
        "# in params.yaml, in place of `space:` and the lines below it, then `thalweg run`",
        *(f"# set `{inside}`, too{f': this space leaves out `{value}`' if value else ''}" for value, inside in outside),
        *format_space(space),
    ]


def _nest_settings(patch: Mapping[str, Any]) -> list[str]:
    """Format settings as lines of YAML, sorted by path; those of one section stand below its name once."""
    lines, before = list[str](), list[str]()
    for path, value in sorted((path.split("."), value) for path, value in patch.items()):
        for depth, section in enumerate(path[:-1]):
            if path[: depth + 1] != before[: depth + 1]:
                lines.append(f"{'  ' * depth}{section}:")
        lines.append(f"{'  ' * (len(path) - 1)}{format_inline({path[-1]: value})[1:-1]}")
        before = path
    return lines
