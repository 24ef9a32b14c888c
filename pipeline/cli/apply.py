"""`thalweg apply`: write a next step of the report into params.yaml."""

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.cli.answers import format_answer
from thalweg.config.load import load_config
from thalweg.config.params_file import ParamsError
from thalweg.config.study import ParameterConfig
from thalweg.config.write import format_inline, rewrite_params
from thalweg.reporting.finding import Finding, read_finding
from thalweg.schema.problem import ParamsTree
from thalweg.system import files
from thalweg.system.counts import format_count
from thalweg.system.files import UserError
from thalweg.system.paths import FINDINGS, PARAMS

SPACE = "study.space"
MISSING = object()
Difference = tuple[str, Any, Any]
"""A dotted path with two values; one that is not there is MISSING."""


@dataclass(frozen=True)
class StepAnswer:
    """A next step of the report: its finding's number and section, its words, and its values by dotted path."""

    number: int
    section: str
    step: str
    patch: dict[str, Any]


@dataclass(frozen=True)
class StepsAnswer:
    """The next steps that `thalweg apply NUMBER` can write into params.yaml."""

    steps: tuple[StepAnswer, ...]


@dataclass(frozen=True)
class ChangeAnswer:
    """A value of params.yaml, and the one that replaces it; null: none is there."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class ApplyAnswer:
    """A next step, what it changes in params.yaml, and whether that was written; no changes: it was done already."""

    number: int
    step: str
    file: str
    changes: tuple[ChangeAnswer, ...]
    written: bool


def apply_step(number: int | None, *, dry_run: bool, as_json: bool) -> None:
    """Write the patch of finding `number`, and print its changes; without a number, print the steps that have one.

    A `dry_run` writes nothing. Raises `UserError` for a step that has no patch, and for a params.yaml that has other
    values, where the patch changes it, than the study had.
    """
    findings = _read_findings()
    if number is None:
        listed = StepsAnswer(tuple(map(_describe_step, filter(lambda finding: finding.patch, findings))))
        print(format_answer(listed) if as_json else _format_steps(listed))
        return
    finding = _require_finding(findings, number)
    content, patch = files.read_bytes(PARAMS), finding.patch or {}
    now = _read_experiment(content)
    text = rewrite_params(content.removeprefix(BOM_UTF8).decode(), patch)
    try:
        wanted = _read_experiment(text.encode())
    except ParamsError as error:
        raise UserError(f"apply: with step {number}, {PARAMS} would have errors:\n{error}") from None
    _require_same_study(finding, now, wanted)
    changes = _list_changes(patch, now, wanted)
    is_written = bool(changes) and not dry_run
    if is_written:
        mark = BOM_UTF8.decode() if content.startswith(BOM_UTF8) else ""
        files.replace_text(PARAMS, mark + text)
    print(
        format_answer(_build_answer(finding, changes, written=is_written))
        if as_json
        else _describe_changes(number, changes, written=is_written)
    )


def _read_experiment(content: bytes) -> ParamsTree:
    """Return all values of a params file, defaults included; of a search space, only what its parameters set."""
    config = load_config(PARAMS, content=content)
    tree: ParamsTree = config.model_dump(mode="json")
    tree["study"]["space"] = _shorten_space(tree["study"]["space"])
    return tree


def _shorten_space(space: Mapping[str, Any]) -> dict[str, Any]:
    """Return a search space without the defaults of its parameters."""
    parameters = {name: ParameterConfig.model_validate(each) for name, each in space.items()}
    return {name: each.model_dump(mode="json", exclude_defaults=True) for name, each in parameters.items()}


def _read_findings() -> list[Finding]:
    if not files.path_exists(FINDINGS):
        raise UserError(f"{FINDINGS}: there is no report yet; `thalweg run` makes it")
    findings = [read_finding(row) for row in files.read_json(FINDINGS)]
    if any(not finding.number for finding in findings):
        raise UserError(f"{FINDINGS}: an earlier version of Thalweg made it; `thalweg run` makes it anew")
    return findings


def _require_finding(findings: Sequence[Finding], number: int) -> Finding:
    """Return the finding with a number. Raises `UserError` if there is none, or if nothing can be written for it."""
    finding = next((finding for finding in findings if finding.number == number), None)
    advice = "`thalweg apply` lists the steps that can be applied"
    if finding is None:
        raise UserError(f"apply: the report has no finding {number}; it has 1 to {len(findings)}. {advice}")
    if finding.commands:
        commands = " and ".join(f"`{command}`" for command in finding.commands)
        raise UserError(f"apply: step {number} is no change of {PARAMS}, but a command: run {commands}")
    if not finding.patch:
        reason = f'its step needs a person: "{finding.next_step}"' if finding.next_step else "it advises nothing"
        raise UserError(f"apply: finding {number} cannot be applied, because {reason}. {advice}")
    return finding


def _require_same_study(finding: Finding, now: ParamsTree, wanted: ParamsTree) -> None:
    """Raise `UserError` if the experiment has other values, where a patch changes it, than the study had."""
    differences = list[Difference]()
    for path in finding.patch or {}:
        was, is_now = finding.replaces.get(path, MISSING), _look_up(now, path)
        was = _shorten_space(was) if path == SPACE else was
        if is_now not in (was, _look_up(wanted, path)):
            differences += _pair_values(path, was, is_now)
    if differences:
        lines = [
            f"  {path} was {_format_value(was)}, and is {_format_value(is_now)}" for path, was, is_now in differences
        ]
        advice = "Set them back, or run `thalweg run` for a report on the file as it is"
        raise UserError("\n".join([f"apply: {PARAMS} is no longer the file of the report:", *lines, advice]))


def _list_changes(patch: Mapping[str, Any], now: ParamsTree, wanted: ParamsTree) -> list[Difference]:
    """List what a patch changes in an experiment; of a search space, for each parameter."""
    return [change for path in patch for change in _pair_values(path, _look_up(now, path), _look_up(wanted, path))]


def _pair_values(path: str, old: Any, new: Any) -> list[Difference]:
    """List the values that differ, each with its path; of a search space, for each parameter."""
    if path != SPACE:
        return [(path, old, new)] if old != new else []
    pairs = ((f"{path}.{name}", old.get(name, MISSING), new.get(name, MISSING)) for name in {**old, **new})
    return [(name, one, other) for name, one, other in pairs if one != other]


def _look_up(tree: Any, path: str) -> Any:
    """Return the value at a dotted path; MISSING if there is none."""
    for name in path.split("."):
        tree = tree.get(name, MISSING) if isinstance(tree, dict) else MISSING
    return tree


def _describe_step(finding: Finding) -> StepAnswer:
    return StepAnswer(finding.number, finding.section, finding.next_step, dict(finding.patch or {}))


def _format_steps(listed: StepsAnswer) -> str:
    if not listed.steps:
        return f"no step of the report is a change of {PARAMS}"
    width = max(len(step.section) for step in listed.steps)
    return "\n".join(f"{step.number:>3}  {step.section:<{width}}  {step.step}" for step in listed.steps)


def _build_answer(finding: Finding, changes: Sequence[Difference], *, written: bool) -> ApplyAnswer:
    listed = tuple(
        ChangeAnswer(path, *(None if value is MISSING else value for value in ends)) for path, *ends in changes
    )
    return ApplyAnswer(finding.number, finding.next_step, str(PARAMS), listed, written)


def _describe_changes(number: int, changes: Sequence[Difference], *, written: bool) -> str:
    if not changes:
        return f"{PARAMS}: step {number} is done already"
    lines = [f"{path}: {_format_value(old)} -> {_format_value(new)}" for path, old, new in changes]
    follows = "`thalweg run` makes the new study" if written else "nothing was written"
    return "\n".join([*lines, f"{PARAMS}: {format_count(len(lines), 'change')}; {follows}"])


def _format_value(value: Any) -> str:
    return "not there" if value is MISSING else format_inline(value)
