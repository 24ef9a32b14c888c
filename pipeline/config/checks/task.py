"""What does not go with the task: terms and kinds of loss, augmentations, metrics."""

from collections.abc import Iterator
from typing import get_args

from thalweg.config.numbers import TERM_CONFIGS
from thalweg.core import losses
from thalweg.schema.problem import ParamsTree, Problem, quote_value
from thalweg.tasks import Task


def find_task_problems(valid_tree: ParamsTree, task: Task) -> Iterator[Problem]:
    """What of an experiment does not go with its task, by those of its parts that are right in themselves."""
    terms = valid_tree.get("loss", {}).get("terms")
    yield from _find_term_problems(terms, task) if terms is not None else ()
    for where in ("offline", "online"):
        for name, strength in valid_tree.get("augment", {}).get(where, {}).items():
            if name != "copies" and strength and name not in task.allowed_augmentations:
                what = f"would make a target of task `{task.kind}` false; set it to 0"
                yield Problem(("augment", where, name), what, task.allowed_augmentations)
    if task.CORRUPTS_INPUT and valid_tree.get("data", {}).get("background"):
        what = f"task `{task.kind}` gives the network what it makes of an image: nothing to take off; set it to ''"
        yield Problem(("data", "background"), what)
    study = valid_tree.get("study", {})
    objective = study.get("objective")
    objectives = tuple(name for name, way in task.METRIC_DIRECTIONS.items() if way in ("min", "max"))
    what = f"is not a metric of task `{task.kind}`"
    if objective is not None and objective not in objectives:
        yield Problem(("study", "objective"), f"{quote_value(objective)} {what} to choose by", objectives, objective)
    further = tuple(name for name in objectives if name != objective)
    for place, name in enumerate(study.get("also", ())):
        if name not in further or name in study["also"][:place]:
            yield Problem(("study", "also", place), f"{quote_value(name)} {what} to choose by", further, name)
    for name in study.get("constraints", {}):
        if name not in task.METRIC_DIRECTIONS:
            yield Problem(("study", "constraints", name), what, tuple(task.METRIC_DIRECTIONS), name)


def _find_term_problems(terms: ParamsTree, task: Task) -> Iterator[Problem]:
    here, families = ("loss", "terms"), task.loss_families
    unknown = [
        Problem(
            (*here, name), f"task `{task.kind}` has no such term{_describe_option(task, name)}", tuple(families), name
        )
        for name in terms
        if name not in families
    ]
    yield from unknown
    for name in sorted(families.keys() - terms.keys() - {one.suggestion for one in unknown}):
        first = losses.list_losses(families[name])[0]
        yield Problem((*here, name), f"is missing; task `{task.kind}` needs it: `{name}: {{kind: {first}}}`")
    for name in (name for name in terms if name in families):
        kinds = losses.list_losses(families[name])
        kind = terms[name].get("kind", kinds[0])
        if kind not in kinds:
            yield Problem((*here, name, "kind"), f"`{kind}` does not suit this term", kinds, kind)


def _describe_option(task: Task, term: str) -> str:
    """With which option of the task there is a term that it does not have as it is."""
    for name, field in type(task).model_fields.items():
        others = [(value, task.model_copy(update={name: value})) for value in get_args(field.annotation)]
        values = [str(value) for value, other in others if term in other.loss_families]
        if values:
            return f" with `{name}: {getattr(task, name)}`; it has with {', '.join(values)}"
    return ""


def is_implied_by_kind(problem: Problem, task: Task) -> bool:
    """Whether it is a number of a term's loss unknown to its kind alone, which does not suit the term."""
    match problem.path:
        case ("loss", "terms", str(name), number) if problem.message == "unknown key" and name in task.loss_families:
            return number in TERM_CONFIGS[task.loss_families[name]].model_fields
    return False
