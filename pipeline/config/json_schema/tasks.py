"""What each task that is built in has: its terms of the loss, and its metrics."""

from collections.abc import Iterator
from typing import Any, get_args

from thalweg.config.json_schema.kinds import PACKAGES
from thalweg.schema.section import find_members
from thalweg.tasks import Task

VALUES: dict[Any, tuple[Any, ...]] = {bool: (False, True), float: (0.0, 1.0)}
"""The values of an option to try, by its type; those of a `Literal` are all tried."""


def list_tasks() -> dict[str, type[Task]]:
    """Return the class of each task by its kind."""
    return find_members(PACKAGES[Task])  # type: ignore[return-value]


def list_terms(task: type[Task]) -> dict[str, str]:
    """Return each term that a task may have, with its family of losses. The task's options decide which it has."""
    return {name: family for variant in _list_variants(task) for name, family in variant.loss_families.items()}


def list_required_terms(task: type[Task]) -> list[str]:
    """Return the terms that a task has with all values of its options."""
    variants = [variant.loss_families.keys() for variant in _list_variants(task)]
    return [name for name in variants[0] if all(name in names for names in variants)]


def list_objectives(task: type[Task]) -> list[str]:
    """Return the metrics that can be an objective."""
    return [name for name, direction in task.METRIC_DIRECTIONS.items() if direction in ("min", "max")]


def _list_variants(task: type[Task]) -> Iterator[Task]:
    """Yield a task with its defaults, and with each other value of each option; a number is 0 or above it."""
    default: Any = task.model_validate({"kind": task.model_fields["kind"].default})
    yield default
    for name, field in task.model_fields.items():
        for value in VALUES.get(field.annotation, get_args(field.annotation)):
            yield default.model_copy(update={name: value})
