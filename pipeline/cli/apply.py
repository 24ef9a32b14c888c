"""`thalweg apply`: write a next step of the report into params.yaml."""

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.cli.answers import ApplyAnswer, ChangeAnswer, StepAnswer, StepsAnswer, format_answer
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.config.params_file import ParamsError, parse_params
from thalweg.config.write import format_inline, rewrite_params
from thalweg.reporting.finding import Finding, read_finding
from thalweg.schema.problem import ParamsTree
from thalweg.system import files
from thalweg.system.counts import format_count
from thalweg.system.files import UserError
from thalweg.system.paths import FINDINGS, PARAMS

SPACE = "study.space"


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
    content = files.read_bytes(PARAMS)
    text = rewrite_params(content.removeprefix(BOM_UTF8).decode(), finding.patch or {})
    _require_same_study(finding, content, text)
    changes = _list_changes(finding.patch or {}, content, text.encode())
    is_written = bool(changes) and not dry_run
    if is_written:
        mark = BOM_UTF8.decode() if content.startswith(BOM_UTF8) else ""
        files.replace_text(PARAMS, mark + text)
    answer = ApplyAnswer(number, finding.next_step, str(PARAMS), tuple(changes), is_written)
    print(format_answer(answer) if as_json else _describe_changes(answer))


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


def _require_same_study(finding: Finding, content: bytes, text: str) -> None:
    """Raise `UserError` if the file has other values than the study had, or would have errors with the new ones."""
    now = load_config(PARAMS, content=content)
    try:
        wanted = load_config(PARAMS, content=text.encode())
    except ParamsError as error:
        raise UserError(f"apply: with step {finding.number}, {PARAMS} would have errors:\n{error}") from None
    differences = list[str]()
    for path in finding.patch or {}:
        was, is_now, is_wanted = finding.replaces.get(path), _find_value(now, path), _find_value(wanted, path)
        if is_now not in (was, is_wanted):
            differences += _list_differences(path, was, is_now)
    if differences:
        listed = "\n".join(f"  {line}" for line in differences)
        advice = "Set them back, or run `thalweg run` for a report on the file as it is"
        raise UserError(f"apply: {PARAMS} is no longer the file that the report is about:\n{listed}\n{advice}")


def _find_value(config: Config, path: str) -> Any:
    """Return the value at a dotted path of a whole experiment, defaults included; None if there is none."""
    return _look_up(config.model_dump(mode="json"), path)


def _look_up(tree: Any, path: str) -> Any:
    for name in path.split("."):
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _list_differences(path: str, was: Any, is_now: Any) -> list[str]:
    """List what differs between two values; of a search space, for each parameter."""
    return [f"{name} was {_format(old)}, and is {_format(new)}" for name, old, new in _pair_values(path, was, is_now)]


def _list_changes(patch: Mapping[str, Any], content: bytes, written: bytes) -> list[ChangeAnswer]:
    """List what a patch changes, as the file has it before and after."""
    before, after = (parse_params(PARAMS, each)[0] for each in (content, written))
    default = load_config(PARAMS, content=content)
    changes = list[ChangeAnswer]()
    for path in patch:
        old = _look_up(before, path)
        old = _find_value(default, path) if old is None else old
        changes += [ChangeAnswer(*change) for change in _pair_values(path, old, _look_up(after, path))]
    return changes


def _pair_values(path: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """List the values that differ, each with its path; of a search space, for each parameter."""
    if path != SPACE:
        return [(path, old, new)] if old != new else []
    olds: ParamsTree = old or {}
    news: ParamsTree = new or {}
    pairs = ((f"{path}.{name}", olds.get(name), news.get(name)) for name in dict.fromkeys([*olds, *news]))
    return [(name, one, other) for name, one, other in pairs if one != other]


def _describe_step(finding: Finding) -> StepAnswer:
    return StepAnswer(finding.number, finding.section, finding.next_step, dict(finding.patch or {}))


def _format_steps(listed: StepsAnswer) -> str:
    if not listed.steps:
        return f"no step of the report is a change of {PARAMS}"
    width = max(len(step.section) for step in listed.steps)
    return "\n".join(f"{step.number:>3}  {step.section:<{width}}  {step.step}" for step in listed.steps)


def _describe_changes(answer: ApplyAnswer) -> str:
    if not answer.changes:
        return f"{answer.file}: step {answer.number} is done already"
    lines = [f"{change.path}: {_format(change.old)} -> {_format(change.new)}" for change in answer.changes]
    follows = "`thalweg run` makes the new study" if answer.written else "nothing was written"
    return "\n".join([*lines, f"{answer.file}: {format_count(len(lines), 'change')}; {follows}"])


def _format(value: Any) -> str:
    return "not there" if value is None else format_inline(value)
