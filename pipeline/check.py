"""Reads params.yaml and names everything that is wrong with it, all at once."""

import difflib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline import io
from pipeline.config import TERMS, Config
from pipeline.schema import create
from pipeline.search import spaces

Path_ = tuple[str | int, ...]
SECTIONS = tuple(sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent / "reporting" / "sections")])))


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where by dotted path, what, and the names or values that would do."""

    path: Path_
    what: str
    allowed: tuple[str, ...] = ()
    given: str | None = None

    def text(self, file: Path, line: int) -> str:
        dotted = ".".join(str(part) for part in self.path) or "(whole file)"
        words = [f"{file}:{line}: {dotted}: {self.what}"]
        if self.allowed:
            words.append(f"allowed: {', '.join(self.allowed)}")
        near = difflib.get_close_matches(self.given or "", self.allowed, n=1, cutoff=0.5)
        if near:
            words.append(f"did you mean `{near[0]}`?")
        return "; ".join(words)


class BadParams(io.UserError):
    """A params file with errors; the message has a line for each."""


def load(file: Path) -> Config:
    """The experiment in a params file. Raises `BadParams` with every error in it."""
    tree = _parse(file)
    parts, problems = _validate(tree)
    problems += list(_across(parts))
    if problems:
        lines = sorted((_line(tree, problem.path), problem.path, problem) for problem in problems)
        texts = [problem.text(file, line) for line, _, problem in lines]
        count = f"{len(texts)} error{'s' if len(texts) > 1 else ''} in {file}"
        raise BadParams("\n".join([*dict.fromkeys(texts), count]))
    return Config.model_construct(**parts)


def _parse(file: Path) -> Any:
    text = io.read_bytes(file)
    try:
        tree = YAML(typ="rt", pure=True).load(text.decode())
    except UnicodeDecodeError as error:
        raise BadParams(f"{file}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = (error.problem or "not YAML").split("\n")[0].strip()
        raise BadParams(f"{file}:{line}: not valid YAML: {what}") from None
    except YAMLError as error:
        raise BadParams(f"{file}:1: not valid YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(tree, dict):
        raise BadParams(f"{file}:1: must be a mapping with the parts {', '.join(Config.model_fields)}")
    return tree


def _validate(tree: Any) -> tuple[dict[str, Any], list[Problem]]:
    """Each part by itself, so that an error in one does not hide those in another."""
    parts: dict[str, Any] = {}
    plain = _plain(tree)
    problems = [Problem((n,), "unknown key", tuple(Config.model_fields), n) for n in plain.keys() - Config.model_fields]
    for name, info in Config.model_fields.items():
        alone = create(name, {name: (info.annotation, info)})
        try:
            parts[name] = getattr(alone.model_validate({name: plain[name]} if name in plain else {}), name)
        except ValidationError as error:
            problems += [_problem(detail) for detail in error.errors(include_url=False)]
    return parts, problems


def _problem(detail: Any) -> Problem:
    """Pydantic's error in this file's words."""
    path = detail["loc"]
    given = detail.get("input")
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return Problem(path, "unknown key", tuple(context["allowed"]), str(path[-1]))
        case "missing":
            return Problem(path, "missing")
        case "literal_error":
            allowed = tuple(re.findall(r"'([^']*)'|(\b\d+\b)", context["expected"]))
            return Problem(path, f"{given!r} is not known", tuple(a or b for a, b in allowed), str(given))
        case "family" | "kind":
            where = path if detail["type"] == "family" else (*path, "kind")
            return Problem(where, detail["msg"], tuple(context["allowed"]), context.get("kind"))
        case _:
            shown = "" if isinstance(given, dict | list) or hasattr(given, "model_fields") else f", not {given!r}"
            return Problem(path, detail["msg"].removeprefix("Input ").removeprefix("Value error, ") + shown)


def _across(parts: dict[str, Any]) -> Iterator[Problem]:
    """What no part can tell alone."""
    training, study, task = parts.get("training"), parts.get("study"), parts.get("task")
    if training and training.epochs % training.validate_every:
        yield Problem(("training", "validate_every"), f"does not divide training.epochs, {training.epochs}")
    longer = parts["confirm"].epochs if "confirm" in parts else None
    if training and longer and longer % training.validate_every:
        yield Problem(("confirm", "epochs"), f"is not a multiple of training.validate_every, {training.validate_every}")
    if study and study.trials % study.cohort:
        below, above = (study.trials // study.cohort + more for more in (0, 1))
        good = " or ".join(str(n * study.cohort) for n in (below, above) if n)
        yield Problem(("study", "trials"), f"{study.trials} is not a multiple of study.cohort, {study.cohort}: {good}")
    if task:
        yield from _for_task(parts, task)
    for place, name in enumerate(parts["report"].sections if "report" in parts else ()):
        if name not in SECTIONS:
            yield Problem(("report", "sections", place), f"{name!r} is no section", SECTIONS, name)
    if len(parts) == len(Config.model_fields):
        config = Config.model_construct(**parts)
        for path, what, allowed in spaces.problems(config):
            yield Problem(path, what, allowed, str(path[-1]))


def _for_task(parts: dict[str, Any], task: Any) -> Iterator[Problem]:
    if "loss" in parts:
        terms = parts["loss"].terms
        for name in sorted(task.families.keys() - terms.keys()):
            yield Problem(("loss", "terms"), f"the term `{name}` of task `{task.kind}` is missing")
        for name, term in terms.items():
            family = task.families.get(name)
            if family is None:
                what = f"task `{task.kind}` has no such term"
                yield Problem(("loss", "terms", name), what, tuple(task.families), name)
            elif not isinstance(term, TERMS[family]):
                kinds = TERMS[family].model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
                yield Problem(
                    ("loss", "terms", name, "kind"), f"{term.kind!r} does not suit this term", kinds, term.kind
                )
    if "augment" in parts:
        for where in ("offline", "online"):
            for name, strength in getattr(parts["augment"], where).model_dump().items():
                if name != "copies" and strength and name not in task.augmentations:
                    what = f"would make a target of task `{task.kind}` false"
                    yield Problem(("augment", where, name), what, task.augmentations)
    if "study" in parts:
        objectives = tuple(name for name, way in task.METRICS.items() if way in ("min", "max"))
        if parts["study"].objective not in objectives:
            given = parts["study"].objective
            what = f"{given!r} is not a metric of task `{task.kind}` to choose by"
            yield Problem(("study", "objective"), what, objectives, given)


def _line(tree: Any, path: Path_) -> int:
    """The line of the deepest part of `path` that is in the file, counted from 1."""
    line = 0
    for step in path:
        try:
            marks: Any = tree.lc
            line = marks.key(step)[0] if isinstance(tree, dict) else marks.item(step)[0]
            tree = tree[step]
        except (KeyError, IndexError, AttributeError, TypeError):
            break
    return int(line) + 1


def _plain(value: Any) -> Any:
    """YAML's containers and scalars as Python's own."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
