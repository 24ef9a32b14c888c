"""Lanes at their start and at their end, trained once."""

import pytest

from tests.helpers.small_lanes import HYPERS, PLAN, SEEDS, draw_training_data, train_lanes
from thalweg.engine import population
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fit import LaneState
from thalweg.system import timing
from thalweg.training.plan import TrainingData


@pytest.fixture(scope="session")
def training_data() -> TrainingData:
    result: TrainingData = copy_to_devices(draw_training_data())
    return result


@pytest.fixture(scope="session")
def start_states() -> list[LaneState]:
    return [population.init_lane(PLAN, *lane, 0) for lane in zip(HYPERS, SEEDS, strict=True)]


@pytest.fixture(scope="session")
def end_states(training_data: TrainingData, start_states: list[LaneState]) -> tuple[list[LaneState], int]:
    """All lanes at once: their ends, and how many compilations it took."""
    before = len(timing.COMPILE_SECONDS)
    states = train_lanes(PLAN, HYPERS, start_states, training_data)
    return states, len(timing.COMPILE_SECONDS) - before
