"""Reads params.yaml and names everything that is wrong with it, all at once."""

import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from pipeline import io
from pipeline.config import TERMS, Config, Parameter, leaves
from pipeline.schema import Path_, Problem, Tree, member_of, problem, quoted, shown
from pipeline.search import spaces
from pipeline.tasks.task import Task

SECTIONS = tuple(sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent / "reporting" / "sections")])))


class BadParams(io.UserError):
    """A params file with errors; the message has a line for each."""


def load(file: Path, *, look: bool = False) -> Config:
    """The experiment in a params file. Raises `BadParams` with every error in it.

    `look` asks whether the data is there, too: once it is prepared, most stages do without.
    """
    tree, node = _parse(file)
    wrong = problems(tree)
    wrong += _absent(tree) if look and not any(one.path[0] == "data" for one in wrong) else []
    found = [(_line(node, problem.path), problem.text()) for problem in wrong]
    found += [(line, Problem(path, what).text()) for path, what, line in _repeated(node)]
    if found:
        lines = [f"{file}:{line}: {text}" for line, text in dict.fromkeys(sorted(found, key=lambda one: one[0]))]
        raise BadParams("\n".join([*lines, f"{len(lines)} error{'s' if len(lines) > 1 else ''} in {file}"]))
    return Config.model_validate(tree)


def problems(tree: Tree) -> list[Problem]:
    """Everything that is wrong with the content of a params file."""
    found = _without_space(tree)
    return [*found, *_in_space(tree, found)]


def _without_space(tree: Tree) -> list[Problem]:
    wrong = _wrong(tree)
    good = tree
    for one in wrong:
        good = _dropped(good, one.path)
    spoilt = {one.path[0] for one in wrong}
    task = None if "task" in spoilt else member_of("pipeline.tasks")(tree["task"])
    return [*wrong, *_across(good), *(_for_task(good, task) if task else ())]


def _absent(tree: Tree) -> list[Problem]:
    data = tree["data"]
    draws = member_of("pipeline.data")(data["source"]).DRAWS
    if draws or io.exists(Path(data["path"])):
        return []
    return [Problem(("data", "path"), f"there is no {quoted(data['path'])}; name the folder that holds the data")]


# --- reading


def _parse(file: Path) -> tuple[Tree, Node]:
    """A file's content as plain values, and as nodes, which know their lines."""
    content = io.read_bytes(file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadParams(f"{file}:{line}: not UTF-8 text ({error.reason}); save it as UTF-8") from None
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True  # they are named with the other errors
    try:
        node, tree = yaml.compose(text), _plain(yaml.load(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = " ".join((error.problem or "cannot be read").split())
        if "'\\t'" in what:
            what = "there is a tab; indent with spaces"
        raise BadParams(f"{file}:{line}: not valid YAML: {what}") from None
    except YAMLError as error:
        line = text[: getattr(error, "position", 0)].count("\n") + 1
        raise BadParams(f"{file}:{line}: not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise BadParams(f"{file}:1: not valid YAML: nested too deeply, or a part holds itself") from None
    except Exception as error:  # values with a tag of their own, such as impossible dates, raise many kinds
        raise BadParams(f"{file}:1: not valid YAML: a value cannot be read ({error})") from None
    if not isinstance(tree, dict):
        empty = "is empty" if tree is None else f"is {shown(tree)}"
        raise BadParams(f"{file}:1: {empty}; it must have the parts {', '.join(Config.model_fields)}")
    return tree, node


def _plain(value: Any) -> Any:
    """The same with text for every key."""
    if isinstance(value, dict):
        return {name if isinstance(name, str) else shown(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _line(node: Node, path: Path_) -> int:
    """The line of the deepest part of `path` that is in the file, counted from 1."""
    line = node.start_mark.line
    for step in path:
        inner = None
        if isinstance(node, MappingNode):
            inner = next((pair for pair in reversed(node.value) if pair[0].value == step), None)
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner = node.value[step], node.value[step]
        if inner is None:
            break
        line, node = inner[0].start_mark.line, inner[1]
    return int(line) + 1


def _repeated(node: Node, path: Path_ = ()) -> Iterator[tuple[Path_, str, int]]:
    """Each key that its mapping has already: its path, what to say, and its line."""
    if isinstance(node, SequenceNode):
        for place, item in enumerate(node.value):
            yield from _repeated(item, (*path, place))
    if isinstance(node, MappingNode):
        first: dict[str, int] = {}
        for name, value in node.value:
            key, line = str(name.value), name.start_mark.line + 1
            if key in first:
                yield (*path, key), f"is here a second time; it was in line {first[key]}", line
            first.setdefault(key, line)
            yield from _repeated(value, (*path, key))


# --- what is wrong with a value by itself


def _wrong(tree: Tree) -> list[Problem]:
    try:
        Config.model_validate(tree)
    except ValidationError as error:
        return [problem(detail) for detail in error.errors(include_url=False)]
    return []


# --- what no value can tell alone


def _across(good: Tree) -> Iterator[Problem]:
    training, study = good.get("training", {}), good.get("study", {})
    if training.get("epochs", 0) % training.get("validate_every", 1):
        yield Problem(("training", "validate_every"), f"does not divide training.epochs, {training['epochs']}")
    epochs = min(e for e in (training.get("epochs"), good.get("confirm", {}).get("epochs"), float("inf")) if e)
    warmup = good.get("schedule", {}).get("warmup", 0)
    if warmup >= epochs:
        what = f"a rise of {warmup:g} leaves none of the {epochs} epochs that are trained; it must be shorter"
        yield Problem(("schedule", "warmup"), what)
    longer, every = good.get("confirm", {}).get("epochs"), training.get("validate_every", 1)
    if longer and longer % every:
        yield Problem(("confirm", "epochs"), f"{longer} is not a multiple of training.validate_every, {every}")
    trials, cohort = study.get("trials", 0), study.get("cohort", 1)
    if trials % cohort:
        near = " or ".join(str(n * cohort) for n in (trials // cohort, trials // cohort + 1) if n)
        yield Problem(("study", "trials"), f"{trials} is not a multiple of study.cohort, {cohort}; use {near}")
    for place, name in enumerate(good.get("report", {}).get("sections", ())):
        if name not in SECTIONS:
            yield Problem(("report", "sections", place), f"{quoted(name)} is no section", SECTIONS, name)


def _for_task(good: Tree, task: Task) -> Iterator[Problem]:
    terms = good.get("loss", {}).get("terms")
    for name in sorted(task.families.keys() - terms.keys()) if terms is not None else ():
        yield Problem(("loss", "terms"), f"the term `{name}` of task `{task.kind}` is missing")
    for name, term in (terms or {}).items():
        if name not in task.families:
            yield Problem(("loss", "terms", name), f"task `{task.kind}` has no such term", tuple(task.families), name)
            continue
        kinds = TERMS[task.families[name]].model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
        kind = term.get("kind", kinds[0])
        if kind not in kinds:
            yield Problem(("loss", "terms", name, "kind"), f"`{kind}` does not suit this term", kinds, kind)
    for where in ("offline", "online"):
        for name, strength in good.get("augment", {}).get(where, {}).items():
            if name != "copies" and strength and name not in task.augmentations:
                what = f"would make a target of task `{task.kind}` false; set it to 0"
                yield Problem(("augment", where, name), what, task.augmentations)
    objective = good.get("study", {}).get("objective")
    objectives = tuple(name for name, way in task.METRICS.items() if way in ("min", "max"))
    if objective is not None and objective not in objectives:
        what = f"{quoted(objective)} is not a metric of task `{task.kind}` to choose by"
        yield Problem(("study", "objective"), what, objectives, objective)


# --- the search space


def _in_space(tree: Tree, found: list[Problem]) -> Iterator[Problem]:
    """A searched value is good where putting it into the file makes nothing wrong that was not wrong before."""
    space = _parameters(tree)
    for path, what, allowed in spaces.problems(space):
        yield Problem(("study", "space", *path), what, allowed, path[-1])
    filled = tree if found else Config.model_validate(tree).model_dump()
    unknown = {".".join(map(str, one.path)) for one in found if one.what == "unknown key"}
    known = [path for path, _ in leaves(filled) if path not in unknown]
    for name, parameter in space.items():
        here, path = ("study", "space", name), tuple(name.split("."))
        searchable = _searchable(known, path[0])
        if name in known and name not in searchable:
            yield Problem(here, "cannot be searched", searchable, name)
            continue
        for where, value in _ends(parameter):
            new = [one for one in _without_space(_changed(tree, path, value)) if one not in found]
            if name not in known and (not _may_be(name) or any(_leads_nowhere(one, path) for one in new)):
                yield Problem(here, "is not in this file", searchable, name)
                break
            if spaces.shapes_program(name) and parameter.choices is None:
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


def _parameters(tree: Tree) -> dict[str, Parameter]:
    """Those parts of the space that are right in themselves."""
    study = tree.get("study")
    space = study.get("space") if isinstance(study, dict) else None
    good = {}
    for name, parameter in space.items() if isinstance(space, dict) else ():
        try:
            good[name] = Parameter.model_validate(parameter)
        except ValidationError:
            continue
    return good


def _ends(parameter: Parameter) -> list[tuple[Path_, Any]]:
    if parameter.choices is None:
        return [(("low",), parameter.low), (("high",), parameter.high)]
    return [(("choices", place), value) for place, value in enumerate(parameter.choices)]


def _changed(tree: Any, path: tuple[str, ...], value: Any) -> Tree:
    """The tree with another value at a path."""
    first, *rest = path
    known = tree if isinstance(tree, dict) else {}
    return {**known, first: _changed(known.get(first), tuple(rest), value) if rest else value}


def _dropped(tree: Any, path: Iterable[str | int]) -> Any:
    """The tree without what is at a path; a list goes as a whole."""
    first, *rest = path
    if not isinstance(tree, dict) or first not in tree:
        return tree
    if rest and isinstance(tree[first], dict):
        return tree | {first: _dropped(tree[first], rest)}
    return {name: value for name, value in tree.items() if name != first}
