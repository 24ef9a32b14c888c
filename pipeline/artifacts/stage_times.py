"""reports/timing.json: what varies between equal runs. No other output depends on it, so damage to it stops nothing."""

import sys
from dataclasses import asdict, dataclass

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from thalweg.system import files, machine, timing
from thalweg.system.git import run_git
from thalweg.system.paths import TIMING


@dataclass(frozen=True)
class StageTime:
    """Measurements of a stage's last run."""

    seconds: FiniteFloat
    compiles: int
    compile_seconds: FiniteFloat
    retries: int
    epochs: int


@dataclass(frozen=True)
class _TimingFile:
    """The part of the file that is read; the totals follow from it."""

    stages: dict[str, StageTime]


def read_stage_times() -> dict[str, StageTime]:
    """Return the measurements of each stage. Raises `UserError` if the file is missing or damaged."""
    try:
        return TypeAdapter(_TimingFile).validate_json(files.read_bytes(TIMING), strict=True).stages
    except ValidationError:
        raise files.UserError(f"{TIMING}: not a file with the times of stages") from None


def record_stage_time(name: str, seconds: float) -> None:
    """Record the time of a stage that has just run, and totals over the last run of each stage.

    Where the file is damaged it is made anew. Where it cannot be written, a line says so.
    """
    try:
        stages = read_stage_times() if files.path_exists(TIMING) else {}
    except (files.UserError, OSError) as error:
        print(f"note: {error}; it is made anew", file=sys.stderr)
        stages = {}
    stages[name] = StageTime(
        round(seconds, 2),
        len(timing.COMPILE_SECONDS),
        round(sum(timing.COMPILE_SECONDS), 2),
        len(timing.OUT_OF_MEMORY_RETRIES),
        sum(timing.TRAINED_EPOCHS),
    )
    times = {name: asdict(stage) for name, stage in stages.items()}
    totals = {key: round(sum(stage[key] for stage in times.values()), 2) for key in times[name]}
    record = {"stages": times, "commit": run_git("rev-parse", "HEAD") or "", "device": machine.describe_processor()}
    try:
        files.write_json(TIMING, record | totals)
    except files.UserError as error:
        print(f"note: {error}; the time of this stage is not kept", file=sys.stderr)
