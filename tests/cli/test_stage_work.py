"""Training of each stage, counted by hand."""

from typing import Any

import pytest

from tests.helpers.paths import ROOT
from thalweg.cli.stage_work import Work, list_work
from thalweg.config.experiment import Config
from thalweg.config.load import load_config

SCENES = load_config(ROOT / "presets" / "scenes.yaml")
BASE: dict[str, Any] = {
    "training.epochs": 16,
    "study.trials": 48,
    "study.cohort": 6,
    "confirm": {"seeds": 8, "runners_up": 1},
    "diagnose": {"seeds": 4, "shares": [0.25, 0.5]},
}


def count_epochs(config: Config) -> dict[str, float]:
    """Add up the epochs of all lanes of each stage."""
    epochs: dict[str, float] = {}
    for work in list_work(config):
        epochs[work.stage] = epochs.get(work.stage, 0.0) + work.lanes * work.epochs * work.repeats
    return epochs


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # baseline; 48 trials; winner, baseline and runner-up on 8 seeds; two shares and no augmentation on 4 seeds
        ({}, {"train": 16, "study": 48 * 16, "confirm": 3 * 8 * 16, "diagnose": 3 * 4 * 16}),
        ({"confirm.epochs": 20}, {"train": 16, "study": 48 * 16, "confirm": 3 * 8 * 20, "diagnose": 3 * 4 * 20}),
        ({"study.seeds": 2}, {"train": 16, "study": 96 * 16, "confirm": 3 * 8 * 16, "diagnose": 3 * 4 * 16}),
        # of 6 trials 3 go on at epoch 4, and 2 at epoch 8
        (
            {"study.prune": {"first": 4, "eta": 2, "audit": 0.0}},
            {"train": 16, "study": 8 * (6 * 4 + 3 * 4 + 2 * 8), "confirm": 3 * 8 * 16, "diagnose": 3 * 4 * 16},
        ),
        (
            {"data.split": {"by": "folds", "folds": 3, "test": 0.25}, "confirm.refit": "all"},
            {"train": 3 * 16, "study": 48 * 3 * 16, "confirm": 3 * 8 * 3 * 16 + 16 / (3 / 4 - 1 / 3),
             "diagnose": 3 * 4 * 3 * 16},
        ),
        ({"diagnose.landscape.points": 5}, {"train": 16, "study": 768, "confirm": 384, "diagnose": 192 + 3 * 16}),
    ],
)  # fmt: skip
def test_lane_epochs(values: dict[str, Any], expected: dict[str, float]) -> None:
    assert count_epochs(SCENES.replace_values(BASE | values)) == pytest.approx(expected)


def test_programs_are_counted() -> None:
    """One for the baseline, one for each kind of network, one for ablations; and for longer runs in `confirm`."""
    space = {"model.kind": {"choices": ["cnn", "mlp"]}, "optimizer.learning_rate": {"low": 0.1, "high": 0.2}}
    config = SCENES.replace_values(BASE | {"study.space": space})
    assert sum(work.programs for work in list_work(config)) == 4
    assert sum(work.programs for work in list_work(config.replace_values({"confirm.epochs": 20}))) == 6


def test_landscape_is_work_of_diagnose() -> None:
    """Two maps of 5 x 5 points and three lines of 41, each with 128 images to train on and to validate."""
    expected = Work("diagnose", 3, 16, programs=3, losses=(2 * 25 + 3 * 41) * 2 * 128)
    assert expected in list_work(SCENES.replace_values(BASE | {"diagnose.landscape.points": 5}))
