"""Measurements of training."""

import numpy as np
import pytest

from tests.helpers.paths import ROOT
from thalweg.cli.machine_speed import MEASURED_STEPS, Speed, measure_speed, shorten_data
from thalweg.cli.stage_work import Work
from thalweg.config.load import load_config
from thalweg.training.plan import TrainingData

DIGITS = load_config(ROOT / "presets" / "digits.yaml")


def build_rows(train: int, validation: int) -> TrainingData:
    """Build data of two folds, the second one example smaller, with nothing but rows."""
    none = np.zeros(0)
    return TrainingData(
        *(none, {}, none, none, none, none),
        train_rows=np.zeros((2, train), np.int32),
        train_sizes=np.array([train, train - 1], np.int32),
        validation_rows=np.zeros((2, validation), np.int32),
        validation_weights=np.ones((2, validation)),
    )


def test_long_epoch_is_shortened() -> None:
    """Of 40 steps of 10 examples a fifth is measured, and a fifth of the validation."""
    data, share = shorten_data(build_rows(401, 50), 10)
    assert share == MEASURED_STEPS / 40
    assert data.train_sizes.tolist() == [80, 80]
    assert data.validation_rows.shape == data.validation_weights.shape == (2, 10)


def test_short_epoch_is_measured_whole() -> None:
    data, share = shorten_data(build_rows(41, 7), 10)
    assert share == 1.0
    assert data.train_sizes.tolist() == [41, 40]
    assert data.validation_rows.shape == (2, 7)


def test_lanes_take_turns() -> None:
    """Five lanes on two cores take three turns, each as long as two lanes."""
    speed = Speed(epoch=0.5, compile=4.0, read=0.0, start=0.0, parallel=2, images=1000)
    assert speed.estimate_seconds(Work("study", 5, 10, repeats=2, programs=3)) == 6 * 10 * 2 * 0.5 + 3 * 4.0


def test_losses_take_a_third_of_training() -> None:
    speed = Speed(epoch=0.5, compile=0.0, read=0.0, start=0.0, parallel=2, images=1000)
    assert speed.estimate_seconds(Work("diagnose", 0, 0, losses=12_000)) == pytest.approx(12 / 3 * 0.5)


@pytest.mark.slow
def test_programs_are_timed() -> None:
    lines: list[str] = []
    space = {"study.space": {"model.kind": {"choices": ["linear", "mlp"]}}}
    speed = measure_speed(DIGITS.replace_values(space), lines.append)
    assert [line for line in lines if "program" in line] == [
        f"compiling and training program {number} of 2" for number in (1, 2)
    ]
    assert 0 < speed.epoch < 1
    assert min(speed.compile, speed.read, speed.start) > 0
