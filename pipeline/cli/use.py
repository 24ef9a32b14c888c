"""Put a preset into params.yaml, with settings that fill a given time on this machine if one is given."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thalweg.artifacts import expected_times
from thalweg.cli import measure, preflight, presets, programs, time_budget
from thalweg.cli.answers import ParamsFault, UseAnswer
from thalweg.cli.check import list_faults
from thalweg.cli.schema_file import add_modeline, remove_modeline, write_schema
from thalweg.config import notes
from thalweg.config.load import load_config
from thalweg.config.params_file import ParamsError, format_fault
from thalweg.config.write import rewrite_params
from thalweg.system import compiled, files, progress
from thalweg.system.git import run_git
from thalweg.system.paths import PARAMS, WRITTEN_PARAMS

RESTORE = f"; `git restore {PARAMS}` brings back the committed file"


def use_preset(preset: Path, minutes: float | None, *, force: bool) -> UseAnswer:
    """Replace params.yaml by a preset; return what changed, and what is still to do.

    Raises `UserError` for a preset that is wrong, for `minutes` that are too few, and for changes in params.yaml that
    would be lost without `force`.
    """
    load_config(preset)
    if not force:
        _require_no_changes()
    text, chosen = files.read_bytes(preset).decode(), _Chosen()
    if minutes is not None:
        chosen = _fit_preset(preset, minutes)
        text = rewrite_params(text, chosen.values)
    write_params(text)
    errors, listed = _find_remaining()
    return UseAnswer(preset.stem, str(PARAMS), chosen.values, chosen.seconds, errors, listed, chosen.description)


def describe_use(answer: UseAnswer) -> str:
    """Describe what was written, and what must still be set."""
    chosen = " with these settings" if answer.values else ""
    restore = RESTORE if run_git("rev-parse", "--verify", f"HEAD:./{PARAMS}") else ""
    lines = [answer.description, f"{answer.file} is now the preset {answer.preset}{chosen}{restore}"]
    return "\n".join(filter(None, [*lines, *_describe_remaining(answer.errors, answer.notes)]))


def write_params(text: str) -> None:
    """Write params.yaml with a line that names its JSON Schema, and the schema.

    A digest of the file stays in the state folder: it tells what this command wrote from a person's edit.
    """
    text = add_modeline(text)
    files.write_text(PARAMS, text)
    files.write_text(WRITTEN_PARAMS, _hash_text(text))
    write_schema()


def print_next_steps() -> bool:
    """Print what must still be set in params.yaml, or notes on it. Return whether it can run as it is."""
    errors, listed = _find_remaining()
    for line in _describe_remaining(errors, listed):
        print(line)
    return not errors


def _find_remaining() -> tuple[tuple[ParamsFault, ...], tuple[str, ...]]:
    """Return the errors of params.yaml; without any, the notes on it."""
    try:
        config = load_config(PARAMS, preflight.find_data_problems)
    except ParamsError as error:
        return list_faults(error), ()
    return (), tuple(notes.list_notes(config))


def _describe_remaining(errors: Sequence[ParamsFault], listed: Sequence[str]) -> list[str]:
    faults = [format_fault(PARAMS, error.line, error.message) for error in errors]
    return [*(["before the first run, set this:"] if faults else []), *faults, *(f"note: {note}" for note in listed)]


@dataclass(frozen=True)
class _Chosen:
    """Settings that fill a time, the seconds of each stage then, and a description of both."""

    values: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] | None = None
    description: str = ""


def _fit_preset(preset: Path, minutes: float) -> _Chosen:
    """Choose settings of a preset that fill some minutes here."""
    if not 0 < minutes < math.inf:
        raise files.UserError(f"--minutes: must be above 0, not {minutes:g}")
    config = load_config(preset, preflight.find_data_problems)
    outline = preflight.build_outline(config.data, config.seed)
    if outline is None or not len(outline):
        raise files.UserError(f"--minutes: the time cannot be measured, because {preflight.UNKNOWN_EXAMPLES}")
    compiled.guard_compiled_programs()
    began = time.monotonic()

    def review(measured: Sequence[measure.Speed], count: int) -> None:
        time_budget.require_time(config, measured, 60 * minutes, count, time.monotonic() - began)

    with progress.show_stage("use"):
        speed = measure.measure_speed(config, outline, programs.list_programs(config, outline), review)
    fit = time_budget.fit_settings(config, speed, 60 * minutes)
    expected_times.write_expected_times(config.replace_values(fit.values), fit.seconds)
    return _Chosen(dict(fit.values), dict(fit.seconds), time_budget.describe_fit(config, speed, fit))


def _require_no_changes() -> None:
    """Raise `UserError` if params.yaml holds changes that neither git nor a preset nor this command has."""
    if not files.path_exists(PARAMS) or run_git("status", "--porcelain", "--", str(PARAMS)) == "":
        return
    if not _is_replaceable(files.read_bytes(PARAMS)):
        raise files.UserError(f"{PARAMS} has uncommitted changes; commit them, or overwrite them with --force")


def _is_replaceable(written: bytes) -> bool:
    """Return whether a params file is a preset, or what `write_params` wrote, with settings of `--minutes` or not."""
    text = written.decode(errors="replace")
    if files.path_exists(WRITTEN_PARAMS) and files.read_bytes(WRITTEN_PARAMS).decode(errors="replace") == _hash_text(
        text
    ):
        return True
    return remove_modeline(text) in (files.read_bytes(preset).decode() for preset in presets.list_presets())


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() + "\n"
