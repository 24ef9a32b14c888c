"""The winner with less to learn from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.small_study import build_training_data
from thalweg.artifacts.prepared import PreparedData
from thalweg.config.experiment import Config
from thalweg.confirm import candidates
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.diagnose import ablations
from thalweg.engine.devices import copy_to_devices
from thalweg.training import build

SEEDS = (11, 12)
VALUES = {"optimizer.learning_rate": 0.02}


@pytest.fixture(scope="module")
def grouped_data(examples: Examples, splits: Splits) -> PreparedData:
    """Examples in groups of four, without copies."""
    return PreparedData(
        replace(examples, groups=np.array([f"group {i // 4}" for i in range(48)])), splits, np.zeros(0, int)
    )


@pytest.fixture(scope="module")
def brightness_config(config: Config) -> Config:
    """The experiment with an augmentation that counts allow."""
    return config.replace_values({"augment.online.brightness": 0.3, "diagnose": {"seeds": 2, "shares": [0.25, 0.5]}})


def test_image_shares_are_nested(brightness_config: Config, grouped_data: PreparedData) -> None:
    small, large, full, plain = ablations.list_ablations(
        brightness_config, grouped_data, build_training_data(brightness_config, grouped_data), SEEDS
    )
    assert [(way.kind, way.share) for way in (small, large, full, plain)] == [
        ("images", 0.25), ("images", 0.5), ("images", 1.0), ("augmentation", 1.0)
    ]  # fmt: skip
    assert (set(full.rows[0][0]), full.values) == (set(grouped_data.splits.train[0]), {})
    assert set(small.rows[0][0]) < set(large.rows[0][0]) < set(grouped_data.splits.train[0])
    assert len(set(large.rows[0][0])) == 12
    assert len({row // 4 for row in large.rows[0][0]}) == 3
    assert set(plain.rows[0][0]) == set(grouped_data.splits.train[0])


def test_images_differ_by_seed(brightness_config: Config, grouped_data: PreparedData) -> None:
    data = build_training_data(brightness_config, grouped_data)
    small, large, _, plain = ablations.list_ablations(brightness_config, grouped_data, data, SEEDS)
    assert set(small.rows[0][0]) != set(small.rows[1][0])
    for draw in (0, 1):
        assert set(small.rows[draw][0]) < set(large.rows[draw][0])
    assert set(plain.rows[0][0]) == set(plain.rows[1][0])
    extended = ablations.add_ablation_folds(data, [small, large, plain])
    np.testing.assert_array_equal(extended.train_rows[3], large.rows[1][0])
    assert len(extended.train_rows) == 6


def test_images_are_seen_equally_often(brightness_config: Config, grouped_data: PreparedData) -> None:
    small, *_ = ablations.list_ablations(
        brightness_config, grouped_data, build_training_data(brightness_config, grouped_data), SEEDS
    )
    assert np.unique(small.rows[0][0], return_counts=True)[1].tolist() == [4] * 6


def test_copies_follow_originals(brightness_config: Config, grouped_data: PreparedData) -> None:
    twice = grouped_data.examples.take_rows(np.concatenate([np.arange(48), np.arange(24)]))
    loaded = PreparedData(twice, grouped_data.splits, np.arange(24))
    small, large, _, plain = ablations.list_ablations(
        brightness_config, loaded, build_training_data(brightness_config, loaded), SEEDS
    )
    for way in (small, large):
        rows = set(way.rows[0][0])
        assert {row + 48 for row in rows if row < 48} == {row for row in rows if row >= 48}
        assert len(way.rows[0][0]) == 48
    assert set(plain.rows[0][0]) == set(range(24))
    assert [ablations.count_images(way.rows[0], loaded) for way in (small, large, plain)] == [6, 12, 24]


def test_folds_have_image_ablations(config: Config, examples: Examples, folded_splits: Splits) -> None:
    loaded = PreparedData(examples, folded_splits, np.zeros(0, int))
    data = build_training_data(config, loaded)
    ways = ablations.list_ablations(config, loaded, data, SEEDS)
    assert [way.share for way in ways] == [0.25, 0.5, 1.0]  # nothing is augmented here
    for fold, rows in enumerate(folded_splits.train):
        assert set(ways[0].rows[0][fold]) < set(rows)
    extended = ablations.add_ablation_folds(data, ways)
    assert extended.train_rows.shape == (3 * 2 * 3, data.train_rows.shape[1])
    assert extended.train_sizes.tolist() == data.train_sizes.tolist() * 6
    np.testing.assert_array_equal(extended.validation_rows[15:], data.validation_rows)


@pytest.mark.slow
def test_full_runs_are_the_winner_on_fresh_seeds(
    brightness_config: Config,
    grouped_data: PreparedData,
    data_spec: DataSpec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With every image and the augmentation left on, a lane has the bits of a candidate on its seed."""
    data, seeds = build_training_data(brightness_config, grouped_data), ablations.list_ablation_seeds(brightness_config)
    assert not {*seeds} & {*candidates.list_confirm_seeds(brightness_config)}
    table = ablations.train_ablations(brightness_config, grouped_data, data, VALUES, tmp_path / "less")
    assert table["what"].tolist() == ["images"] * 6 + ["augmentation"] * 2
    assert table["seed"].tolist() == seeds * 4
    monkeypatch.setattr(candidates, "list_confirm_seeds", ablations.list_ablation_seeds)
    (winner,) = candidates.train_candidates(
        brightness_config, data_spec, grouped_data.splits, copy_to_devices(data), [(0, VALUES)], tmp_path / "all"
    )
    full = table[(table["what"] == "images") & (table["share"] == 1.0)]
    np.testing.assert_array_equal(full["validation_mae"], winner.validation_scores["mae"])
    means = table.groupby(["what", "share"])["validation_mae"].mean()
    winner_mean = winner.validation_scores["mae"].mean()
    assert means["images", 0.25] != pytest.approx(winner_mean, rel=1e-6)
    assert means["augmentation", 1.0] != pytest.approx(winner_mean, rel=1e-6)


@pytest.mark.slow
def test_fewer_images_are_worse(config: Config, grouped_data: PreparedData, tmp_path: Path) -> None:
    """Trained to the end, without augmentation: two images, twelve, and all twenty-four."""
    long = config.replace_values({"training.epochs": 30, "diagnose": {"seeds": 6, "shares": [0.1, 0.5]}})
    data = build_training_data(long, grouped_data)
    means = (
        ablations.train_ablations(long, grouped_data, data, VALUES, tmp_path / "less")
        .groupby("share")["validation_mae"]
        .mean()
    )
    assert means[0.1] > 1.5 * means[0.5]
    assert means[0.5] > means[1.0]


TERMS = {
    "count": {"kind": "l1"},
    "cells": {"kind": "poisson", "weight": 9.0, "phases": {"late": {"start": 0.5, "weight": 3.0}}},
    "areas": {"kind": "l2", "schedule": {"kind": "linear"}},
}


def test_loss_ablations_drop_each_part(config: Config) -> None:
    several = config.replace_values(
        {"task": {"kind": "count", "density": 4}, "loss": {"terms": TERMS, "balance": "uncertainty"}}
    )
    parts = ablations.list_loss_ablations(several)
    assert list(parts) == [
        "term areas", "schedule of areas", "term cells", "phase late of cells", "term count", "balance"
    ]  # fmt: skip
    hyper = build.build_hyper(several.replace_values(parts["term cells"]))
    assert hyper.loss["cells"]["weight"] == 0
    assert hyper.loss["cells"]["phases"]["000"]["weight"] == 0
    assert (
        build.build_hyper(several.replace_values(parts["phase late of cells"])).loss["cells"]["phases"]["000"]["start"]
        == 1
    )
    assert ablations.list_loss_ablations(config) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"diagnose.shares": [0.5]},
        {"diagnose.shares": []},
        {"augment.online.brightness": 0.3, "diagnose.shares": []},
    ],
)
def test_count_is_known_before(config: Config, grouped_data: PreparedData, changes: dict[str, object]) -> None:
    changed = config.replace_values(changes)
    data = build_training_data(changed, grouped_data)
    ways = ablations.list_ablations(changed, grouped_data, data, SEEDS)
    assert ablations.count_ablations(changed) == len(ways)


def test_no_seeds_trains_nothing(config: Config, grouped_data: PreparedData, tmp_path: Path) -> None:
    without = config.replace_values({"diagnose.seeds": 0})
    assert ablations.train_ablations(
        without, grouped_data, build_training_data(without, grouped_data), VALUES, tmp_path
    ).empty
