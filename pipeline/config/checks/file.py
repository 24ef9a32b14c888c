"""Validate a params file apart from its search space."""

import importlib.util
import pkgutil
from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from thalweg.config.checks.own_keys import check_own_keys
from thalweg.config.checks.task import find_task_problems, is_implied_by_kind, narrow_to_task
from thalweg.config.experiment import RENAMED_SECTIONS, Config, ConfirmConfig
from thalweg.config.study import find_cohort_error
from thalweg.config.tree import remove_paths
from thalweg.core.metrics import name_own_metric
from thalweg.schema.problem import ParamsTree, Problem, build_problem, quote_value
from thalweg.schema.section import build_member_validator
from thalweg.system.members import is_dotted
from thalweg.system.package_files import find_package_file
from thalweg.tasks import Task

FOLDER = find_package_file("reporting", "sections")
SECTION_NAMES = tuple(sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)])))
"""Sections of the report by file name; importing them would load pandas and Altair."""


def find_file_problems(tree: ParamsTree) -> list[Problem]:
    """Return the problems of single values, of values with each other, and of values with the task."""
    problems = find_value_problems(tree)
    valid_tree = remove_paths(tree, [problem.path for problem in problems])
    task = validate_task(valid_tree)
    if task:
        problems = [narrow_to_task(problem, task) for problem in problems if not is_implied_by_kind(problem, task)]
    problems = check_own_keys(tree, problems)
    task_problems = find_task_problems(valid_tree, task) if task else ()
    broken = _list_broken_metrics(tree, problems)
    further = (p for p in task_problems if p.path[:1] != ("study",) or p.written not in broken)
    return [*problems, *find_cross_field_problems(valid_tree), *further]


def _list_broken_metrics(tree: ParamsTree, problems: list[Problem]) -> set[str]:
    """Return the names of own metrics that cannot be used; the task does not know them."""
    written = tree["task"].get("metrics") if isinstance(tree.get("task"), dict) else None
    broken = any(problem.path[:2] == ("task", "metrics") for problem in problems)
    return {name_own_metric(str(path)) for path in ([written] if isinstance(written, str) else written or ()) if broken}


def validate_task(valid_tree: ParamsTree) -> Task | None:
    """Return the task, with defaults for its invalid options; None if its kind is invalid."""
    try:
        task: Task = build_member_validator("thalweg.tasks", Task)(valid_tree["task"])
    except (KeyError, ValidationError, PydanticCustomError):
        return None
    return task


def find_value_problems(tree: ParamsTree) -> list[Problem]:
    """Return the problems of single values; a misspelt key is not reported as missing, too."""
    try:
        Config.model_validate(tree)
    except ValidationError as error:
        problems = [build_problem(detail) for detail in error.errors(include_url=False)]
        misspelt = {(*p.path[:-1], p.suggestion) for p in problems if p.message == "unknown key"}
        return [problem for problem in problems if problem.message != "is missing" or problem.path not in misspelt]
    return []


def find_cross_field_problems(valid_tree: ParamsTree) -> Iterator[Problem]:
    """Return the problems between values that are valid on their own."""
    training, study, confirm = (valid_tree.get(name, {}) for name in ("training", "study", "confirm"))
    validate_every = training.get("validate_every", 1)
    if training.get("epochs", 0) % validate_every:
        yield Problem(("training", "validate_every"), f"does not divide training.epochs, {training['epochs']}")
    lengths = [training.get("epochs"), confirm.get("epochs"), confirm.get("refit_epochs")]
    epochs = min([length for length in lengths if length], default=float("inf"))
    warmup = valid_tree.get("schedule", {}).get("warmup", 0)
    if warmup >= epochs:
        message = f"must be below {epochs} (the epochs of the shortest training), not {warmup:g}"
        yield Problem(("schedule", "warmup"), message)
    filled = ConfirmConfig().model_dump() | confirm
    if filled["refit"] == "none" and filled["members"] > filled["seeds"]:
        message = f"must be at most {filled['seeds']} (confirm.seeds) without a refit, not {filled['members']}"
        yield Problem(("confirm", "members"), message)
    if (confirm.get("epochs") or 0) % validate_every:
        message = f"{confirm['epochs']} is not a multiple of training.validate_every, {validate_every}"
        yield Problem(("confirm", "epochs"), message)
    if message := find_cohort_error(study.get("trials", 0), study.get("cohort", 1)):
        yield Problem(("study", "trials"), message)
    first = (study.get("prune") or {}).get("first")
    if first and first >= training.get("epochs", float("inf")):
        message = f"must be below {training['epochs']} (training.epochs), not {first}; otherwise no trial is pruned"
        yield Problem(("study", "prune", "first"), message)
    elif first and first <= warmup:
        message = f"must be above {warmup:g} (schedule.warmup), not {first}; otherwise trials are judged in warmup"
        yield Problem(("study", "prune", "first"), message)
    if study.get("also") and (study.get("stop") or {}).get("gain") is not None:
        message = "needs a single objective; use `epochs` or `seconds`, or remove study.also"
        yield Problem(("study", "stop", "gain"), message)
    engine = valid_tree.get("engine", {})
    if engine.get("launcher") == "ray" and importlib.util.find_spec("ray") is None:
        yield Problem(("engine", "launcher"), "ray needs the package ray: pip install 'thalweg[ray]'")
    if engine.get("address") and engine.get("launcher") != "ray":
        yield Problem(("engine", "address"), "is that of a Ray cluster; add `launcher: ray`, or remove it")
    for index, name in enumerate(valid_tree.get("report", {}).get("sections", ())):
        if name not in SECTION_NAMES and name not in RENAMED_SECTIONS and not is_dotted(name):
            message = f"{quote_value(name)} is not a section of the report"
            yield Problem(("report", "sections", index), message, SECTION_NAMES, name)
