"""What is wrong with an experiment: with each value, with what no value can tell alone, and with the search space."""

import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from thalweg import idle, suited
from thalweg.config import Config, ConfirmPart, leaves
from thalweg.schema.problem import Path_, Problem, Tree, problem, quoted, shown
from thalweg.schema.section import member_of
from thalweg.search import fixed, spaces
from thalweg.study_part import Parameter, not_whole
from thalweg.tasks.base import Task

SECTIONS = tuple(sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent / "reporting" / "sections")])))


def problems(tree: Tree) -> list[Problem]:
    """Everything that is wrong with the content of a params file."""
    found = _without_space(tree)
    return [*found, *_in_space(tree, found)]


def _without_space(tree: Tree) -> list[Problem]:
    wrong = _wrong(tree)
    good = _without(tree, wrong)
    task = _task(good)
    if task:
        wrong = [one for one in wrong if not suited.told_by_kind(one, task)]
    return [*wrong, *_across(good), *(suited.problems(good, task) if task else ())]


def _task(good: Tree) -> Task | None:
    """The task, without the options of it that are wrong; None where not even its kind is right."""
    try:
        task: Task = member_of("thalweg.tasks")(good["task"])
    except (KeyError, ValidationError, PydanticCustomError):
        return None
    return task


# --- what is wrong with a value by itself


def _wrong(tree: Tree) -> list[Problem]:
    try:
        Config.model_validate(tree)
    except ValidationError as error:
        wrong = [problem(detail) for detail in error.errors(include_url=False)]
        misspelt = {(*one.path[:-1], one.near) for one in wrong if one.what == "unknown key"}
        return [one for one in wrong if one.what != "is missing" or one.path not in misspelt]
    return []


# --- what no value can tell alone


def _across(good: Tree) -> Iterator[Problem]:
    training, study = good.get("training", {}), good.get("study", {})
    if training.get("epochs", 0) % training.get("validate_every", 1):
        yield Problem(("training", "validate_every"), f"does not divide training.epochs, {training['epochs']}")
    lengths = [training.get("epochs"), *(good.get("confirm", {}).get(name) for name in ("epochs", "refit_epochs"))]
    epochs = min([length for length in lengths if length], default=float("inf"))
    warmup = good.get("schedule", {}).get("warmup", 0)
    if warmup >= epochs:
        what = f"a rise of {warmup:g} leaves none of the {epochs} epochs that are trained; it must be shorter"
        yield Problem(("schedule", "warmup"), what)
    confirm = ConfirmPart().model_dump() | good.get("confirm", {})
    if confirm["refit"] == "none" and confirm["members"] > confirm["seeds"]:
        told = f"{confirm['members']} seeds in the final model are more than the {confirm['seeds']} of confirm.seeds"
        yield Problem(("confirm", "members"), told)
    longer, every = good.get("confirm", {}).get("epochs"), training.get("validate_every", 1)
    if longer and longer % every:
        yield Problem(("confirm", "epochs"), f"{longer} is not a multiple of training.validate_every, {every}")
    if odd := not_whole(study.get("trials", 0), study.get("cohort", 1)):
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
    for place, name in enumerate(good.get("report", {}).get("sections", ())):
        if name not in SECTIONS:
            yield Problem(("report", "sections", place), f"{quoted(name)} is no section", SECTIONS, name)


# --- the search space


def _in_space(tree: Tree, found: list[Problem]) -> Iterator[Problem]:
    """A searched value is good where putting it into the file makes nothing wrong that was not wrong before."""
    space = _parameters(_without(tree, found))
    for path, what, allowed in spaces.problems(space, _named(tree)):
        yield Problem(("study", "space", *path), what, allowed, path[-1])
    study = tree.get("study")
    if isinstance(study, dict) and not any(one.path[:2] == ("study", "space") for one in found):
        for below, what, allowed in (*fixed.problems(study, space), *fixed.unsuited(study, space)):
            given = str(below[-1]) if what == "is not searched" else ""
            yield Problem(("study", *below), what, allowed, given)
    yield from idle.numbers(tree, space)
    yield from idle.rises(space)
    filled = tree if found else Config.model_validate(tree).model_dump()
    unknown = {".".join(map(str, one.path)) for one in found if one.what == "unknown key"}
    missing = {one.path for one in found if one.what.startswith("is missing")}
    missing |= {(*one.path[:-1], one.near) for one in found if one.near}  # it is misspelt
    known = [path for path, _ in leaves(filled) if path not in unknown]
    for name in _named(tree):
        here, path = ("study", "space", name), tuple(name.split("."))
        if missing & {path[:length] for length in range(len(path))}:
            continue  # that the whole part is missing is said once
        searchable = _searchable(known, path[0])
        if name in known and name not in searchable:
            yield Problem(here, "cannot be searched", searchable, name)
            continue
        for where, value in _ends(space.get(name)):
            new = [one for one in _without_space(_changed(tree, path, value)) if one not in found]
            if name not in known and (not _may_be(name) or any(_leads_nowhere(one, path) for one in new)):
                yield Problem(here, "is not in this file", searchable, name)
                break
            if name not in space or (spaces.shapes_program(name) and space[name].choices is None):
                break  # named above
            for one in new[:1]:
                what = one.what if one.path == path else f"{shown(value)} does not go with {one.text()}"
                yield Problem((*here, *where), what, *((one.allowed, one.given) if one.path == path else ()))


def _may_be(name: str) -> bool:
    return name.startswith(spaces.NUMBERS + spaces.SHAPES)


def _searchable(known: Iterable[str], part: str) -> tuple[str, ...]:
    """What can be searched in a part of the file, or in all of it where there is no such part."""
    every = tuple(path for path in known if _may_be(path))
    return tuple(path for path in every if path.startswith(f"{part}.")) or every


def _leads_nowhere(one: Problem, path: Path_) -> bool:
    """Whether there is no such path: what is wrong is above it, or its key is unknown."""
    above = path[: len(one.path)] == one.path
    return above and (len(one.path) < len(path) or one.what == "unknown key")


def _named(tree: Tree) -> Tree:
    """What the file has as the space."""
    study = tree.get("study")
    space = study.get("space") if isinstance(study, dict) else None
    return space if isinstance(space, dict) else {}


def _parameters(tree: Tree) -> dict[str, Parameter]:
    """Those parts of the space that are right in themselves."""
    good = {}
    for name, parameter in _named(tree).items():
        try:
            good[name] = Parameter.model_validate(parameter)
        except ValidationError:
            continue
    return good


def _ends(parameter: Parameter | None) -> list[tuple[Path_, Any]]:
    """The values to try of what is searched; of what is wrong in itself none, to see whether there is such a path."""
    if parameter is None:
        return [((), None)]
    if parameter.choices is None:
        return [(("low",), parameter.low), (("high",), parameter.high)]
    return [(("choices", place), value) for place, value in enumerate(parameter.choices)]


def _changed(tree: Any, path: tuple[str, ...], value: Any) -> Tree:
    """The tree with another value at a path."""
    first, *rest = path
    known = tree if isinstance(tree, dict) else {}
    return {**known, first: _changed(known.get(first), tuple(rest), value) if rest else value}


def _without(tree: Tree, wrong: Iterable[Problem]) -> Tree:
    """The tree without what is wrong with it."""
    for one in wrong:
        tree = _dropped(tree, one.path)
    return tree


def _dropped(tree: Any, path: Iterable[str | int]) -> Any:
    """The tree without what is at a path; a list goes as a whole."""
    first, *rest = path
    if not isinstance(tree, dict) or first not in tree:
        return tree
    if rest and isinstance(tree[first], dict):
        return tree | {first: _dropped(tree[first], rest)}
    return {name: value for name, value in tree.items() if name != first}
