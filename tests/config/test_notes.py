"""What `check` says of a valid file."""

from typing import Any

import pytest

from tests.helpers.small_study import replace_space
from thalweg.config import notes
from thalweg.config.experiment import Config

KIND = {"optimizer.kind": {"choices": ["adam", "lion"], "role": "scientific"}}
SIX = {**KIND, "loss.terms.count.kind": {"choices": ["l1", "l2", "log_cosh"]}}
GRID = {
    "loss.terms.count.kind": {"choices": ["l1", "l2", "log_cosh"]},
    "optimizer.learning_rate": {"low": 0.001, "high": 0.1, "log": True, "points": 3},
}
ADAM = {"optimizer": {"kind": "adam", "learning_rate": 0.01}}


def test_notes_on_doubtful_spaces(config: Config) -> None:
    good = config.replace_values({"study.trials": 32, "study.cohort": 4, "study.sampler": "tpe"})
    assert list(notes.list_notes(good)) == []
    (few,) = notes.list_notes(good.replace_values({"study.trials": 28}))
    assert few.startswith("study.sampler: tpe learns little from 7 cohorts")
    (alone,) = notes.list_notes(good.replace_values({"study.cohort": 1, "study.prune": {"first": 1}}))
    assert alone.startswith("study.prune has no effect with cohort: 1")
    restarts = {"schedule.kind": "restarts", "study.prune": {"first": 2}}
    (peaks,) = notes.list_notes(
        replace_space(good, {"schedule.period": {"low": 2.0, "high": 8.0}}).replace_values(restarts)
    )
    assert peaks.startswith("study.prune may compare trials right after a restart (`schedule.kind: restarts`)")
    (idle,) = notes.list_notes(
        good.replace_values({"optimizer": {"kind": "heavy_ball", "learning_rate": 0.01, "momentum": 0.5, "b2": 0.9}})
    )
    assert idle == "optimizer.b2 is never used: `heavy_ball` has no parameter `b2`"
    lengths = {**good.study.model_dump()["space"], "training.epochs": {"choices": [2, 3]}}
    (longer,) = notes.list_notes(replace_space(good, lengths).replace_values({"confirm.epochs": 6}))
    assert longer.startswith("confirm.epochs: confirmed trials train for 6 epochs")
    (outside,) = notes.list_notes(good.replace_values({"optimizer.learning_rate": 0.5}))
    assert outside.endswith("not the first trial: optimizer.learning_rate is 0.5 (study.space: 0.0001 to 0.1)")
    (empty,) = notes.list_notes(replace_space(good, {}))
    assert empty.startswith("study.space is empty")


def test_note_names_every_value_outside_the_space(config: Config) -> None:
    space = {
        "optimizer.learning_rate": {"low": 0.001, "high": 0.1, "log": True},
        "optimizer.kind": {"choices": ["lion", "adam"]},
        "optimizer.b2": {"low": 0.8, "high": 0.9, "when": {"optimizer.kind": ["adam"]}},  # not the cause
        "training.batch_size": {"choices": [8, 16]},
    }
    enough = {"study.trials": 32, "study.cohort": 4, "study.sampler": "random"}
    values = {**ADAM, "optimizer.learning_rate": 0.5, "optimizer.kind": "heavy_ball", "training.batch_size": 12}
    (note,) = notes.list_notes(replace_space(config, space).replace_values({**enough, **values}))
    assert note.partition(": ")[2] == (
        "optimizer.kind is heavy_ball (study.space: [lion, adam]), "
        "optimizer.learning_rate is 0.5 (study.space: 0.001 to 0.1), "
        "training.batch_size is 12 (study.space: [8, 16])"
    )


def test_note_on_values_with_few_trials(config: Config) -> None:
    """Each value of a scientific parameter needs 12 trials; the note says how many trials give them."""
    rate = {"optimizer.learning_rate": {"low": 0.001, "high": 0.1, "log": True}}
    kinds = {"loss.terms.count.kind": {"choices": ["l1", "l2", "huber"], "role": "scientific"}}
    few = config.replace_values({"study.trials": 32, "study.cohort": 8, "study.sampler": "random"})
    (note,) = notes.list_notes(replace_space(few, {**rate, **kinds}))
    assert note == (
        "loss.terms.count.kind has 3 values, and 32 trials give each of them 10; study.trials: 40 gives each 13, "
        "enough to come to its own best"
    )
    assert list(notes.list_notes(replace_space(few, {**rate, **kinds}).replace_values({"study.trials": 40}))) == []
    thirds = {"optimizer.learning_rate": {"low": 0.001, "high": 0.1, "log": True, "role": "scientific"}}
    (note,) = notes.list_notes(replace_space(few, thirds))
    assert note.startswith("optimizer.learning_rate has 3 thirds, and 32 trials give each of them 10")


@pytest.mark.parametrize(
    ("space", "values", "expected"),
    [
        (KIND, {"trials": 6}, "the space has 2 combinations; 6 trials: each is trained with 3 seeds"),
        (SIX, {"trials": 48}, "the space has 6 combinations; 48 trials: each is trained with 8 seeds"),
        (SIX, {"trials": 48, "seeds": 2}, "the space has 6 combinations; 48 trials: each is trained with 16 seeds"),
        (SIX, {"trials": 6}, "the space has 6 combinations; 6 trials: each is trained with 1 seed"),
        (
            SIX,
            {"trials": 8},
            "the space has 6 combinations; 8 trials: each is trained with 1 seed; 2 trials left over",
        ),
        (SIX, {"trials": 4}, "the space has 6 combinations; 4 trials: sampler tpe chooses which"),
        (
            SIX,
            {"trials": 16, "randomness": "independent"},
            "the space has 6 combinations; 16 trials: each is trained with 2 to 3 seeds",
        ),
        (
            SIX,
            {"trials": 12, "randomness": "independent"},
            "the space has 6 combinations; 12 trials: each is trained with 2 seeds",
        ),
        (
            SIX,
            {"trials": 12, "stop": {"epochs": 100}},
            "the space has 6 combinations; 12 trials: each is trained with 1 seed, because study.stop limits the "
            "study; for more, raise study.seeds",
        ),
        ({}, {"trials": 8}, "the space has 1 combination; 8 trials: it is trained with 8 seeds"),
        ({"optimizer.learning_rate": {"low": 0.001, "high": 0.1}}, {"trials": 8}, ""),
        (
            GRID,
            {"sampler": "grid", "trials": 4},
            "the grid has 9 points; 4 trials: the study tries 4 of 9 grid points; `study.trials: 10` tries all",
        ),
        (
            GRID,
            {"sampler": "grid", "trials": 20},
            "the grid has 9 points; 20 trials: each is trained with 2 seeds; 2 trials left over",
        ),
    ],
)
def test_finite_space_is_described(
    config: Config, space: dict[str, Any], values: dict[str, Any], expected: str
) -> None:
    study = {"cohort": 2, "sampler": "tpe"} | values
    tried = config.replace_values({**ADAM, "study.space": space} | {f"study.{name}": v for name, v in study.items()})
    assert notes.describe_settings(tried) == expected


def test_point_off_the_grid_is_no_grid_point(config: Config) -> None:
    off = {"optimizer.learning_rate": 0.02, "study.sampler": "grid", "study.space": GRID, "study.cohort": 1}
    few = config.replace_values({**off, "study.trials": 9})
    assert notes.describe_missing_points(few) == "tries 8 of 9 grid points; `study.trials: 10` tries all"
    all_points = config.replace_values({**off, "study.trials": 10})
    assert notes.describe_missing_points(all_points) == ""
    assert notes.describe_settings(all_points) == (
        "the grid has 9 points, and 1 combination off it; 10 trials: each is trained with 1 seed"
    )
