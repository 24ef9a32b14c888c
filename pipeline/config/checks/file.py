"""What is wrong with a file, its search space left aside."""

import pkgutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from thalweg.config.checks.task import find_task_problems, is_implied_by_kind
from thalweg.config.experiment import RENAMED_SECTIONS, Config, ConfirmConfig
from thalweg.config.study import cohort_multiple_error
from thalweg.config.tree import without
from thalweg.schema.problem import ParamsTree, Problem, build_problem, quote_value
from thalweg.schema.section import build_member_validator
from thalweg.tasks import Task

FOLDER = Path(__file__).parents[2] / "reporting" / "sections"
SECTION_NAMES = tuple(sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)])))
"""Sections of the report, by their files: they are not imported, since nothing else here needs pandas and Altair."""


def find_file_problems(tree: ParamsTree) -> list[Problem]:
    """List what is wrong with a file: single values, rules across values, what does not go with the task."""
    wrong = find_value_problems(tree)
    good = without(tree, [one.path for one in wrong])
    task = validate_task(good)
    if task:
        wrong = [one for one in wrong if not is_implied_by_kind(one, task)]
    return [*wrong, *find_cross_field_problems(good), *(find_task_problems(good, task) if task else ())]


def validate_task(valid_tree: ParamsTree) -> Task | None:
    """The task, without the options of it that are wrong; None where not even its kind is right."""
    try:
        task: Task = build_member_validator("thalweg.tasks")(valid_tree["task"])
    except (KeyError, ValidationError, PydanticCustomError):
        return None
    return task


def find_value_problems(tree: ParamsTree) -> list[Problem]:
    """List what is wrong with single values; a misspelt key is not missing, too."""
    try:
        Config.model_validate(tree)
    except ValidationError as error:
        wrong = [build_problem(detail) for detail in error.errors(include_url=False)]
        misspelt = {(*one.path[:-1], one.suggestion) for one in wrong if one.message == "unknown key"}
        return [one for one in wrong if one.message != "is missing" or one.path not in misspelt]
    return []


def find_cross_field_problems(valid_tree: ParamsTree) -> Iterator[Problem]:
    """List what is wrong between values that are right in themselves."""
    training, study = valid_tree.get("training", {}), valid_tree.get("study", {})
    if training.get("epochs", 0) % training.get("validate_every", 1):
        yield Problem(("training", "validate_every"), f"does not divide training.epochs, {training['epochs']}")
    lengths = [
        training.get("epochs"),
        *(valid_tree.get("confirm", {}).get(name) for name in ("epochs", "refit_epochs")),
    ]
    epochs = min([length for length in lengths if length], default=float("inf"))
    warmup = valid_tree.get("schedule", {}).get("warmup", 0)
    if warmup >= epochs:
        what = f"a rise of {warmup:g} leaves none of the {epochs} epochs that are trained; it must be shorter"
        yield Problem(("schedule", "warmup"), what)
    confirm = ConfirmConfig().model_dump() | valid_tree.get("confirm", {})
    if confirm["refit"] == "none" and confirm["members"] > confirm["seeds"]:
        told = f"{confirm['members']} seeds in the final model are more than the {confirm['seeds']} of confirm.seeds"
        yield Problem(("confirm", "members"), told)
    longer, every = valid_tree.get("confirm", {}).get("epochs"), training.get("validate_every", 1)
    if longer and longer % every:
        yield Problem(("confirm", "epochs"), f"{longer} is not a multiple of training.validate_every, {every}")
    if odd := cohort_multiple_error(study.get("trials", 0), study.get("cohort", 1)):
        yield Problem(("study", "trials"), odd)
    first = (study.get("prune") or {}).get("first")
    if first and first >= training.get("epochs", float("inf")):
        what = f"{first} epochs are the whole training, {training['epochs']}: nothing would be pruned"
        yield Problem(("study", "prune", "first"), what)
    elif first and first <= warmup:
        what = f"{first} epochs lie within the schedule's rise of {warmup:g}: trials would be judged before"
        yield Problem(("study", "prune", "first"), f"{what} they have begun")
    if study.get("also") and (study.get("stop") or {}).get("gain") is not None:
        what = "the gain of several objectives is not one number: use `epochs` or `seconds`, or remove study.also"
        yield Problem(("study", "stop", "gain"), what)
    for place, name in enumerate(valid_tree.get("report", {}).get("sections", ())):
        if name not in SECTION_NAMES and name not in RENAMED_SECTIONS:
            yield Problem(("report", "sections", place), f"{quote_value(name)} is no section", SECTION_NAMES, name)
