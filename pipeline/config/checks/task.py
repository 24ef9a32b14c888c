"""Validate an experiment against its task: loss terms, augmentations, background, metrics."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import get_args

from thalweg.config.numbers import TERM_CONFIGS, flatten_strengths
from thalweg.core import losses
from thalweg.core.metrics import find_name_fault, name_own_metric
from thalweg.schema.problem import ParamsTree, Problem, quote_value
from thalweg.system.members import MemberError, is_dotted
from thalweg.tasks import Task


def find_task_problems(valid_tree: ParamsTree, task: Task) -> Iterator[Problem]:
    """Return what does not suit the task, among the values that are valid on their own."""
    yield from _find_name_problems(task)
    terms = valid_tree.get("loss", {}).get("terms")
    yield from _find_term_problems(terms, task) if terms is not None else ()
    for mode in ("offline", "online"):
        for name, strength in flatten_strengths(valid_tree.get("augment", {}).get(mode, {})).items():
            if name != "copies" and strength and not _allows_augmentation(task, name):
                yield Problem(("augment", mode, name), _explain_invalid_augmentation(task, name))
    if task.CORRUPTS_INPUT and valid_tree.get("data", {}).get("background"):
        message = f"task `{task.kind}` cannot subtract a background, because it corrupts its images; set it to ''"
        yield Problem(("data", "background"), message)
    study = valid_tree.get("study", {})
    objective = study.get("objective")
    objectives = tuple(name for name, direction in task.metric_directions.items() if direction in ("min", "max"))
    fault = f"cannot be an objective of task `{task.kind}`"
    if objective is not None and objective not in objectives:
        own = f"; list it under task.metrics, and write `{name_own_metric(objective)}`" if is_dotted(objective) else ""
        yield Problem(("study", "objective"), f"{quote_value(objective)} {fault}{own}", objectives, objective)
    further = tuple(name for name in objectives if name != objective)
    for index, name in enumerate(study.get("also", ())):
        if name not in further or name in study["also"][:index]:
            message = f"{quote_value(name)} {'is already an objective' if name in objectives else fault}"
            yield Problem(("study", "also", index), message, further, name)
    for name in study.get("constraints", {}):
        if name not in task.metric_directions:
            message = f"is not a metric of task `{task.kind}`"
            yield Problem(("study", "constraints", name), message, tuple(task.metric_directions), name)


def _find_name_problems(task: Task) -> Iterator[Problem]:
    """Return the metrics of an own task whose names are taken, and the own metrics that have a name of the task's."""
    for name in task.METRIC_DIRECTIONS:
        if fault := find_name_fault(name):
            yield Problem(("task", "kind"), f"a metric of `{task.kind}` {fault}")
    for index, path in enumerate(task.metrics):
        if fault := find_name_fault(name_own_metric(path), task.METRIC_DIRECTIONS):
            yield Problem(("task", "metrics", index), f"`{path}` {fault}")


def _find_term_problems(terms: ParamsTree, task: Task) -> Iterator[Problem]:
    path, families = ("loss", "terms"), task.loss_families
    unknown = [
        Problem((*path, name), _explain_unknown_term(task, name), tuple(families), name)
        for name in terms
        if name not in families
    ]
    yield from unknown
    for name in sorted(families.keys() - terms.keys() - {problem.suggestion for problem in unknown}):
        first = losses.list_losses(families[name])[0]
        yield Problem((*path, name), f"is missing; task `{task.kind}` needs it: `{name}: {{kind: {first}}}`")
    for name in (name for name in terms if name in families):
        kinds = losses.list_losses(families[name])
        kind = terms[name].get("kind", kinds[0])
        if kind not in kinds and not is_dotted(kind):
            yield Problem((*path, name, "kind"), f"`{kind}` does not suit this term", kinds, kind)


def _explain_unknown_term(task: Task, term: str) -> str:
    """Return that the task lacks a term, and with which option it would have the term."""
    name, values = _find_option(task, lambda variant: term in variant.loss_families)
    if not values:
        return f"task `{task.kind}` has no such term"
    return f"task `{task.kind}` has this term only if `{name}` is one of {values}; it is {getattr(task, name)}"


def _allows_augmentation(task: Task, augmentation: str) -> bool:
    try:
        return task.allows_augmentation(augmentation)
    except MemberError:  # reported with its value
        return True


def _explain_invalid_augmentation(task: Task, augmentation: str) -> str:
    """Return that the task does not allow an augmentation, and with which option it would."""
    name, values = _find_option(task, lambda variant: variant.allows_augmentation(augmentation))
    advice = f"remove it, or set `task.{name}` to one of {values}" if values else "remove it"
    allowed = ", ".join(task.allowed_augmentations)
    return f"could make the labels of task `{task.kind}` wrong; {advice}; as it is, `{task.kind}` allows only {allowed}"


def _find_option(task: Task, suits: Callable[[Task], bool]) -> tuple[str, str]:
    """Return the first option with values that suit, and these values; '' and '' if there is none."""
    for name, field in type(task).model_fields.items():
        variants = [(value, task.model_copy(update={name: value})) for value in get_args(field.annotation)]
        if values := ", ".join(str(value) for value, variant in variants if suits(variant)):
            return name, values
    return "", ""


def narrow_to_task(problem: Problem, task: Task) -> Problem:
    """Return the problem of a term's unknown loss with only the losses that suit the term."""
    match problem.path:
        case ("loss", "terms", str(name), "kind") if problem.allowed and name in task.loss_families:
            return replace(problem, allowed=losses.list_losses(task.loss_families[name]))
    return problem


def is_implied_by_kind(problem: Problem, task: Task) -> bool:
    """Return whether the term has this number, unknown only because the term's kind is unsuitable."""
    match problem.path:
        case ("loss", "terms", str(name), number) if problem.message == "unknown key" and name in task.loss_families:
            return number in TERM_CONFIGS[task.loss_families[name]].model_fields
    return False
