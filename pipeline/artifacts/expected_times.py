"""How long a run will take: measured by `check --time` or `use --minutes`, or else as long as it took before."""

import hashlib
import json
from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from thalweg.artifacts.stage_times import read_stage_times
from thalweg.config.experiment import Config
from thalweg.system import files
from thalweg.system.counts import format_duration
from thalweg.system.paths import EXPECTED_TIMES, TIMING


def write_expected_times(config: Config, seconds: Mapping[str, float]) -> None:
    """Keep the seconds of each stage, for this experiment only."""
    files.write_json(EXPECTED_TIMES, {"experiment": _compute_digest(config), "seconds": dict(seconds)})


def read_expected_times(config: Config) -> dict[str, float]:
    """Return the seconds of each stage as they were measured for this experiment; empty if they were not."""
    if not files.path_exists(EXPECTED_TIMES):
        return {}
    try:
        tree = files.read_json(EXPECTED_TIMES)
        is_same = tree["experiment"] == _compute_digest(config)
        return TypeAdapter(dict[str, float]).validate_python(tree["seconds"]) if is_same else {}
    except (files.UserError, ValidationError, KeyError, TypeError):
        return {}  # it is only a hint


def describe_expected_time(config: Config, stages: list[str], *, is_alike: bool = True) -> str:
    """Say how long these stages will take, or how to learn it.

    If the stages last ran on an experiment that is not `is_alike`, their times then say nothing.
    """
    measured = read_expected_times(config)
    if measured.keys() >= set(stages):
        return f"about {format_duration(sum(measured[stage] for stage in stages))}"
    try:
        times = read_stage_times() if is_alike and files.path_exists(TIMING) else {}
    except files.UserError:
        times = {}
    if times.keys() >= set(stages):
        return f"about {format_duration(sum(times[stage].seconds for stage in stages))} when they last ran"
    return "`thalweg check --time` measures how long that takes"


def _compute_digest(config: Config) -> str:
    """Return a digest of all that the time depends on, and more."""
    tree = config.model_dump(mode="json", exclude={"report"})
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:16]
