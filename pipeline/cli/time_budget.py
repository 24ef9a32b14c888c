"""Settings of a preset that fill a given time on this machine: its trials, epochs and seeds grow or shrink together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from thalweg.cli.measure import Speed, combine_speeds
from thalweg.cli.stage_work import describe_stages, estimate_stages
from thalweg.config.experiment import Config
from thalweg.config.tree import flatten_tree
from thalweg.system import files
from thalweg.system.counts import format_count, format_elapsed

TRIALS = "study.trials"
EPOCHS = ("training.epochs", "confirm.epochs", "confirm.refit_epochs")
SEEDS = {"confirm.seeds": 2, "diagnose.seeds": 1}
"""Numbers of seeds, each with the fewest that it may be set to."""

MAX_EPOCH_FACTOR = 4.0  # longer training than this begins to overfit, so more trials and seeds are the better use
MAX_SEEDS = 32
MAX_FACTOR = 1000.0
TIMING_SPREAD = 1.2
"""By how much the slower of two measurements on the same machine usually exceeds the other."""


@dataclass(frozen=True)
class Fit:
    """Values by dotted path that fill the time, and the seconds of each stage to expect with them."""

    values: dict[str, Any]
    seconds: dict[str, float]


def fit_settings(config: Config, speed: Speed, seconds: float) -> Fit:
    """Return the largest settings whose stages take `seconds` at most. Raises `UserError` if even the least do not."""
    if (least := _estimate_total(config, speed, 0.0)) > seconds:
        raise _build_error(least)
    low, high = 0.0, 1.0
    while high < MAX_FACTOR and _estimate_total(config, speed, high) <= seconds:
        low, high = high, 2 * high
    for _ in range(20):  # far below the step of any setting
        middle = (low + high) / 2
        low, high = (middle, high) if _estimate_total(config, speed, middle) <= seconds else (low, middle)
    values = scale_settings(config, low)
    return Fit(values, estimate_stages(config.replace_values(values), speed))


def require_time(config: Config, measured: Sequence[Speed], seconds: float, programs: int, elapsed: float) -> None:
    """Raise `UserError` if the speed of the programs that are `measured` so far shows that `seconds` are too few.

    They are too few even if the other programs take no time, or if measuring alone has taken longer. The advice takes
    each of the others to be as slow as the slowest.
    """
    speed, count, others = combine_speeds(measured), len(measured), programs - len(measured)
    free = replace(speed, epoch=0.0, lone_epoch=0.0, compile=0.0)
    at_best = _estimate_total(config, combine_speeds([*measured, *[free] * others]), 0.0)
    if at_best > seconds or min(elapsed, _estimate_total(config, speed, 0.0)) > seconds:
        took = f"measuring {count} of {format_count(programs, 'program')} took {format_elapsed(elapsed)}"
        condition = f", if the {'other is' if others == 1 else f'{others} others are'} no slower"
        slowest = combine_speeds([*measured, *[combine_speeds(measured, max)] * others])
        raise _build_error(_estimate_total(config, slowest, 0.0), f"{took} and was stopped, because ", condition)


def _estimate_total(config: Config, speed: Speed, factor: float) -> float:
    return sum(estimate_stages(config.replace_values(scale_settings(config, factor)), speed).values())


def _build_error(least: float, reason: str = "", condition: str = "") -> files.UserError:
    """Build the error that the time is too short; it advises enough also where the next measurement is slower."""
    message = f"{reason}the least that this preset can do takes about {format_elapsed(least)} on this machine"
    advice = f"use --minutes {math.ceil(TIMING_SPREAD * least / 60)} or more"
    return files.UserError(f"--minutes: {message}{condition}; {advice}")


def scale_settings(config: Config, factor: float) -> dict[str, Any]:
    """Return the trials, epochs and seeds of an experiment times a factor, rounded to values that it can have."""
    written, study, step = dict(flatten_tree(config.dump_written())), config.study, config.training.validate_every
    values: dict[str, Any] = {}
    if study.sampler != "grid":
        values[TRIALS] = max(1, round(study.trials / study.cohort * factor)) * study.cohort
    if "training.epochs" not in study.space:
        least = max(config.schedule.warmup, study.prune.first if study.prune else 0)
        shortest = (math.floor(least / step) + 1) * step
        for path in EPOCHS:
            if written.get(path):
                epochs = round(written[path] / step * min(factor, MAX_EPOCH_FACTOR)) * step
                values[path] = max(shortest, epochs)
    for path, fewest in SEEDS.items():
        if written.get(path):
            values[path] = min(MAX_SEEDS, max(fewest, round(written[path] * factor)))
    # without a refit the winner's networks are those of its seeds
    if config.confirm.refit == "none" and (seeds := values.get("confirm.seeds")) and seeds < config.confirm.members:
        values["confirm.members"] = seeds
    return values


def describe_fit(config: Config, speed: Speed, fit: Fit) -> str:
    """Say what was measured, which settings were chosen, and what each stage will take."""
    written = dict(flatten_tree(config.dump_written()))
    settings = ", ".join(f"{path} {value} (preset: {written[path]})" for path, value in fit.values.items())
    return "\n".join(
        [
            f"measured: {format_count(speed.parallel, 'run')} at once, {speed.epoch:.2g} s for each epoch; "
            f"{speed.compile:.1f} s for compiling a program",
            f"chosen: {settings}",
            describe_stages(fit.seconds),
        ]
    )
