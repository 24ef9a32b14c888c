"""How long each stage takes: epochs that are counted, and seconds that are measured."""

from typing import Any

import pytest

from tests.cli.test_programs import CONFIG
from thalweg.cli import measure, preflight, programs
from thalweg.cli.measure import Speed, count_stage_epochs, estimate_stages
from thalweg.stages import STAGE_NAMES

PLAIN = CONFIG.replace_values(
    {"confirm": {"seeds": 3, "runners_up": 1}, "diagnose": {"seeds": 2, "shares": [0.5], "landscape": {"points": 0}}}
)
"""Two epochs a lane, 8 trials, images that are augmented, one term."""


@pytest.mark.parametrize(
    ("values", "epochs"),
    [
        # confirm: baseline, winner and runner-up; diagnose: half of the images, no augmentation
        ({}, {"train": 2, "study": 16, "confirm": 3 * 3 * 2, "diagnose": 2 * 2 * 2}),
        ({"confirm.epochs": 5}, {"confirm": 3 * 3 * 5, "diagnose": 2 * 2 * 5}),
        ({"confirm.refit": "all", "confirm.members": 2}, {"confirm": 3 * 3 * 2 + 2 * 2}),
        ({"diagnose.landscape": {"points": 5, "seeds": 2}}, {"diagnose": 2 * 2 * 2 + 2 * 2}),
        ({"data.split": {"by": "folds", "folds": 3, "test": 0.2}}, {"train": 6, "study": 48, "confirm": 54}),
    ],
)
def test_epochs_of_stages(values: dict[str, Any], epochs: dict[str, float]) -> None:
    assert count_stage_epochs(PLAIN.replace_values(values)).items() >= epochs.items()


def test_seconds_follow_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    outline = preflight.build_outline(PLAIN.data, PLAIN.seed)
    assert outline is not None
    monkeypatch.setattr(measure, "_measure_reading", lambda _: 0.5)
    monkeypatch.setattr("jax.device_count", lambda: 2)
    monkeypatch.setattr("thalweg.engine.workers.count_workers", lambda: 1)
    seconds = estimate_stages(
        PLAIN, outline, Speed(2, 20.0, epoch_seconds=3.0, lone_epoch_seconds=4.0, pass_seconds=0.1)
    )
    start = measure.START_SECONDS
    assert seconds == {
        "prepare": start + 60 * 0.5,
        "augment": start,
        "train": start + 2 * 4.0 * 2 + 10.0,  # one lane leaves the second device idle
        "evaluate": start,
        "study": start + 16 * 3.0 + 20.0,
        "confirm": start + 18 * 3.0,
        "diagnose": start + 8 * 4.0 + 10.0,
        "report": start + measure.REPORT_SECONDS,
    }
    assert tuple(seconds) == STAGE_NAMES


def test_programs_are_trained() -> None:
    outline = preflight.build_outline(PLAIN.data, PLAIN.seed)
    assert outline is not None
    speed = measure.measure_speed(PLAIN, outline, programs.list_programs(PLAIN, outline))
    assert speed.programs == 1
    assert min(speed.compile_seconds, speed.epoch_seconds, speed.pass_seconds) > 0
