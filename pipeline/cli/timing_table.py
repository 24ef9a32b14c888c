"""`thalweg timing`: how long each stage took when it last ran."""

from dataclasses import dataclass

from thalweg.artifacts.stage_times import StageTime, read_stage_times
from thalweg.cli.answers import format_answer
from thalweg.system import files
from thalweg.system.counts import format_count
from thalweg.system.paths import TIMING


@dataclass(frozen=True)
class TimingAnswer:
    """The last run of each stage."""

    stages: dict[str, StageTime]


def print_timing(*, as_json: bool) -> None:
    """Print a line for each stage, or all as JSON."""
    if not files.path_exists(TIMING):
        raise files.UserError(f"{TIMING}: no stage has run yet")
    answer = TimingAnswer(read_stage_times())
    if as_json:
        print(format_answer(answer))
        return
    for name, stage in answer.stages.items():
        programs = f"{format_count(stage.compiles, 'program')} compiled in {stage.compile_seconds:.1f} s"
        print(f"{name:10} {stage.seconds:8.1f} s   {programs}")
