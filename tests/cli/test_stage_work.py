"""Training of each stage, counted by hand."""

from typing import Any

import pytest

from tests.helpers.paths import EXPERIMENT
from thalweg.cli.measure import Speed
from thalweg.cli.stage_work import DVC_STARTS, REPORT_STARTS, Work, describe_stages, estimate_stages, list_work
from thalweg.config.experiment import Config
from thalweg.config.load import load_config

SCENES = load_config(EXPERIMENT)
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
        # 48 trials; the best of four losses, a runner-up and the baseline on 8 seeds; all images, two shares, and no
        # augmentation on 4 seeds
        ({}, {"train": 16, "study": 48 * 16, "confirm": 6 * 8 * 16, "diagnose": 4 * 4 * 16}),
        ({"confirm.epochs": 20}, {"train": 16, "study": 48 * 16, "confirm": 6 * 8 * 20, "diagnose": 4 * 4 * 20}),
        ({"study.seeds": 2}, {"train": 16, "study": 96 * 16, "confirm": 6 * 8 * 16, "diagnose": 4 * 4 * 16}),
        # the best of three values, all that are trained, and the baseline
        (
            {"study.space": {"model.width": {"choices": [4, 6, 8], "role": "scientific"}}, "study.trials": 6},
            {"train": 16, "study": 6 * 16, "confirm": 4 * 8 * 16, "diagnose": 4 * 4 * 16},
        ),
        (
            {"study.space": {"model.width": {"choices": [4, 6, 8], "role": "scientific"}}, "confirm.questions": False},
            {"train": 16, "study": 48 * 16, "confirm": 3 * 8 * 16, "diagnose": 4 * 4 * 16},
        ),
        ({"study.in_flight": 2}, {"train": 16, "study": 48 * 16, "confirm": 6 * 8 * 16, "diagnose": 4 * 4 * 16}),
        # of 6 trials 3 go on at epoch 4, and 2 at epoch 8
        (
            {"study.prune": {"first": 4, "eta": 2, "audit": 0.0}},
            {"train": 16, "study": 8 * (6 * 4 + 3 * 4 + 2 * 8), "confirm": 6 * 8 * 16, "diagnose": 4 * 4 * 16},
        ),
        (
            {"data.split": {"by": "folds", "folds": 3, "test": 0.25}, "confirm.refit": "all"},
            {"train": 3 * 16, "study": 48 * 3 * 16, "confirm": 6 * 8 * 3 * 16 + 16 / (3 / 4 - 1 / 3),
             "diagnose": 4 * 4 * 3 * 16},
        ),
        ({"diagnose.landscape.points": 5}, {"train": 16, "study": 768, "confirm": 768, "diagnose": 256 + 3 * 16}),
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


PLAIN: dict[str, Any] = {
    **BASE,
    "study.space": {"optimizer.learning_rate": {"low": 0.1, "high": 0.2}},
    "diagnose": {"seeds": 3, "shares": []},
    "augment.online": {},
}


def test_seconds_of_stages() -> None:
    """Lanes take turns of two; only trials and candidates share batches; nothing is left to diagnose."""
    speed = Speed(epoch=3.0, lone_epoch=4.0, compile=10.0, read=30.0, start=2.0, parallel=2, passes=100.0)
    process = 2.0 * (1 + DVC_STARTS)
    assert estimate_stages(SCENES.replace_values(PLAIN), speed) == pytest.approx(
        {
            "prepare": process + 30,
            "augment": process,
            "train": process + 2 * 16 * 4.0 + 10.0,
            "evaluate": process,
            "study": process + 48 * 16 * 3.0 + 10.0,
            "confirm": process + 24 * 16 * 3.0,
            "diagnose": process,
            "report": process + 2.0 * REPORT_STARTS,
        }
    )


def test_landscape_takes_forward_passes() -> None:
    speed = Speed(epoch=0.0, lone_epoch=0.5, compile=0.0, read=0.0, start=0.0, parallel=1, passes=1000.0)
    options = {"points": 5, "seeds": 2, "examples": 100}
    seconds = estimate_stages(SCENES.replace_values(PLAIN | {"diagnose.landscape": options}), speed)
    assert seconds["diagnose"] == pytest.approx(0.5 * (2 * 16 + (2 * 25 + 2 * 41) * 2 * 100 / 1000))


def test_stages_in_words() -> None:
    assert describe_stages({"prepare": 3.0, "study": 60.0}) == "about 63 s: prepare 3 s, study 60 s"
