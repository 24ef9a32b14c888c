"""`thalweg ps` and `thalweg stop`: the stages that run in this project."""

import time
from dataclasses import dataclass

from thalweg.cli.answers import format_answer
from thalweg.system import running
from thalweg.system.counts import format_duration, format_elapsed
from thalweg.system.files import UserError
from thalweg.system.running import RunningStage


@dataclass(frozen=True)
class RunningAnswer:
    """The stages that run in this project, the oldest first."""

    stages: tuple[RunningStage, ...]


def show_running(*, as_json: bool) -> None:
    """Print a line for each stage that runs, or all as JSON."""
    answer = RunningAnswer(tuple(running.list_running()))
    if as_json:
        print(format_answer(answer))
        return
    print("\n".join(map(describe_stage, answer.stages)) or "no stage runs in this project")


def describe_stage(stage: RunningStage) -> str:
    """Describe how far a stage is: `study (process 71): for 42 s, training, 12 of 48 trials, about 2 min left`."""
    parts = [
        f"for {format_elapsed(max(0.0, time.time() - stage.began))}",
        stage.part,
        stage.progress,
        "" if stage.seconds_left is None else f"about {format_duration(stage.seconds_left)} left",
    ]
    return f"{stage.stage} (process {stage.process}): {', '.join(filter(None, parts))}"


def stop_stage(process: int | None) -> None:
    """Ask a stage that trains to end after its segment; without a number the only one. Raises `UserError`."""
    stages = running.list_running()
    listed = "; ".join(map(describe_stage, stages)) or "no stage runs in this project"
    chosen = [stage for stage in stages if process in (None, stage.process)]
    if process is not None and not chosen:
        raise UserError(f"stop: there is no process {process}: {listed}")
    if len(chosen) != 1:
        raise UserError(f"stop: {f'name one process: {listed}' if chosen else listed}")
    (stage,) = chosen
    if not stage.trains:
        raise UserError(f"stop: {stage.stage} does not train now; Ctrl-C ends it, and the next run does it again")
    running.ask_to_stop(stage.process)
    print(f"{stage.stage} (process {stage.process}) ends after its segment; the command that ran it goes on from there")
