"""The baseline: the experiment as params.yaml has it, one lane a fold."""

from collections.abc import Sequence
from pathlib import Path

from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.engine import results
from thalweg.engine.fit import LaneState
from thalweg.engine.fleet import train_to_end
from thalweg.engine.launchers import EngineOptions
from thalweg.engine.results import LaneSeed
from thalweg.training import build
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram


def train_baseline(
    config: Config, spec: DataSpec, data: TrainingData, folder: Path
) -> tuple[NetworkProgram, list[LaneSeed], Sequence[LaneState]]:
    """Train the baseline; return its program, its lanes and their final states. Its state is kept in `folder`."""
    plan = build.build_plan(config, spec, data, searched=False)
    lanes = results.list_lane_seeds(config.seed, "study", 1, len(data.train_rows))
    trials = {0: (plan, build.build_hyper(config), lanes)}
    options = EngineOptions(config.engine.width)  # one lane needs no cluster
    states = train_to_end(folder, data, trials, "training the baseline", options)[0]
    return plan, lanes, states
