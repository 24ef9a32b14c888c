"""Settings of a preset that fill a given time on this machine: its trials, epochs and seeds grow or shrink together."""

import math
from dataclasses import dataclass
from typing import Any

from thalweg.cli.machine_speed import Speed
from thalweg.cli.stage_work import STAGES, list_work
from thalweg.config.experiment import Config
from thalweg.config.tree import flatten_tree
from thalweg.system import files

TRIALS = "study.trials"
EPOCHS = ("training.epochs", "confirm.epochs", "confirm.refit_epochs")
SEEDS = {"confirm.seeds": 2, "diagnose.seeds": 1}
"""Numbers of seeds, each with the fewest that it may be set to."""
PATHS = (TRIALS, *EPOCHS, *SEEDS)

MAX_EPOCH_FACTOR = 4.0  # longer training than this begins to overfit, so more trials and seeds are the better use
MAX_SEEDS = 32
MAX_FACTOR = 1000.0
SHOWN_SHARE = 0.1  # of the time; stages that take less are told together
REPORT_STARTS = 3.0  # the report draws charts for about as long as so many processes start
DVC_STARTS = 0.7  # DVC checks a stage's inputs and hashes its outputs


@dataclass(frozen=True)
class Fit:
    """Values by dotted path that fill the time, and the seconds of each stage to expect with them."""

    values: dict[str, Any]
    seconds: dict[str, float]


def fit_settings(config: Config, speed: Speed, seconds: float) -> Fit:
    """Return the largest settings whose stages take `seconds` at most. Raises `UserError` if even the least do not."""
    smallest = scale_settings(config, 0.0)
    least = sum(estimate_stages(config.replace_values(smallest), speed).values())
    if least > seconds:
        message = f"the least that this preset can do takes about {describe_seconds(least)} on this machine"
        raise files.UserError(f"--minutes: {message}; use --minutes {math.ceil(least / 60)} or more")
    low, high = 0.0, MAX_FACTOR
    for _ in range(40):  # far below the step of any setting
        middle = (low + high) / 2
        total = sum(estimate_stages(config.replace_values(scale_settings(config, middle)), speed).values())
        low, high = (middle, high) if total <= seconds else (low, middle)
    values = scale_settings(config, low)
    return Fit(values, estimate_stages(config.replace_values(values), speed))


def scale_settings(config: Config, factor: float) -> dict[str, Any]:
    """Return the trials, epochs and seeds of an experiment times a factor, rounded to values that it can have."""
    written, study, step = dict(flatten_tree(config.dump_written())), config.study, config.training.validate_every
    values: dict[str, Any] = {}
    if study.sampler != "grid":
        values[TRIALS] = max(1, round(study.trials / study.cohort * factor)) * study.cohort
    if "training.epochs" not in study.space:
        shortest = step if study.prune is None else math.ceil((study.prune.first + 1) / step) * step
        for path in EPOCHS:
            if written.get(path):
                epochs = round(written[path] / step * min(factor, MAX_EPOCH_FACTOR)) * step
                values[path] = max(shortest, epochs)
    for path, fewest in SEEDS.items():
        if written.get(path):
            values[path] = min(MAX_SEEDS, max(fewest, round(written[path] * factor)))
    return values


def estimate_stages(config: Config, speed: Speed) -> dict[str, float]:
    """Return the seconds of each stage, with its process and with DVC's part."""
    seconds = dict.fromkeys(STAGES, speed.start * (1 + DVC_STARTS))
    seconds["prepare"] += speed.read
    seconds["report"] += speed.start * REPORT_STARTS
    for work in list_work(config):
        seconds[work.stage] += speed.estimate_seconds(work)
    return seconds


def describe_fit(config: Config, speed: Speed, fit: Fit) -> str:
    """Say what was measured, which settings were chosen, and what each stage will take."""
    written = dict(flatten_tree(config.dump_written()))
    settings = ", ".join(f"{path} {value} (preset: {written[path]})" for path, value in fit.values.items())
    long = {
        stage: seconds for stage, seconds in fit.seconds.items() if seconds >= SHOWN_SHARE * sum(fit.seconds.values())
    }
    rest = sum(fit.seconds.values()) - sum(long.values())
    stages = ", ".join(f"{stage} {describe_seconds(seconds)}" for stage, seconds in {**long, "others": rest}.items())
    return "\n".join(
        [
            f"measured: {speed.epoch:.2g} s for an epoch of a run, with {speed.parallel} at once; "
            f"{speed.compile:.1f} s for compiling a program",
            f"chosen: {settings}",
            f"`dvc repro` will take about {describe_seconds(sum(fit.seconds.values()))}: {stages}",
        ]
    )


def describe_seconds(seconds: float) -> str:
    """Describe a duration as a person would: 40 seconds, 3.5 minutes, 2.1 hours."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.2g} minutes" if seconds < 90 * 60 else f"{seconds / 3600:.2g} hours"
