"""Prepared data: what is written is read, folds in order, copies after the originals."""

import pickle
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.paths import ROOT
from thalweg.artifacts import prepared
from thalweg.config.load import load_config
from thalweg.data.examples import Examples, Labels
from thalweg.data.splits import Splits
from thalweg.system import files
from thalweg.system.paths import EXAMPLES, MANIFEST

pytestmark = pytest.mark.usefixtures("empty_folder")


def build_examples(count: int, first: int = 0) -> Examples:
    numbers = np.arange(first, first + count)
    return Examples(
        images=np.broadcast_to(numbers.astype(np.uint8)[:, None, None, None], (count, 4, 6, 3)).copy(),
        names=np.array([f"ü{n}.png" for n in numbers]),
        groups=np.array([f"place {n % 2}" for n in numbers]),
        split=np.full(count, ""),
        labels={"count": numbers.astype(np.float32), "present": np.ones((count, 2), bool)},
        classes=("no one", "someone"),
    )


def assert_same_arrays(one: Examples, other: Examples) -> None:
    for name in ("images", "names", "groups", "split"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype.kind == getattr(other, name).dtype.kind
    assert one.labels.keys() == other.labels.keys()
    for name, values in one.labels.items():
        np.testing.assert_array_equal(values, other.labels[name])
        assert values.dtype == other.labels[name].dtype
    assert one.classes == other.classes


def build_rows(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def test_examples_round_trip(tmp_path: Path) -> None:
    prepared.write_examples(tmp_path / "a.npz", build_examples(3))
    assert_same_arrays(prepared.read_examples(tmp_path / "a.npz"), build_examples(3))


def test_examples_without_classes(tmp_path: Path) -> None:
    examples = build_examples(2)
    prepared.write_examples(
        tmp_path / "a.npz", Examples(examples.images, examples.names, examples.groups, examples.split, examples.labels)
    )
    assert prepared.read_examples(tmp_path / "a.npz").classes == ()


def test_folds_round_trip_in_order() -> None:
    folds = 120
    parts = Splits(
        tuple(build_rows(k) for k in range(folds)), tuple(build_rows(k, k + 1) for k in range(folds)), build_rows(7)
    )
    prepared.write_splits(parts)
    splits = prepared.read_splits()
    assert [fold.tolist() for fold in splits.train] == [[k] for k in range(folds)]
    assert [fold.tolist() for fold in splits.validation] == [[k, k + 1] for k in range(folds)]
    assert splits.test.tolist() == [7]


def write_prepared() -> None:
    """Write four examples as `prepare` does."""
    config, splits = load_config(ROOT / "params.yaml"), Splits((build_rows(0, 1, 2),), (build_rows(3),), build_rows())
    prepared.write_examples(EXAMPLES, build_examples(4))
    prepared.write_splits(splits)
    files.write_json(MANIFEST, prepared.build_manifest(config, build_examples(4), splits, (), ()))


def test_manifest_counts_classes_by_set() -> None:
    labels: Labels = {"label": np.array([0, 1, 1, 2], np.int32)}
    examples = replace(build_examples(4), labels=labels, classes=("a", "b", "c", "d"))
    config, splits = load_config(ROOT / "params.yaml"), Splits((build_rows(1, 2),), (build_rows(0),), build_rows(3))
    manifest = prepared.build_manifest(config, examples, splits, (), ())
    assert manifest["class_counts"] == {"train": [0, 2, 0, 0], "validation": [1, 0, 0, 0], "test": [0, 0, 1, 0]}
    assert prepared.build_manifest(config, build_examples(4), splits, (), ())["class_counts"] == {}


def test_copies_follow_originals_and_record_origin() -> None:
    write_prepared()
    chunks = [build_examples(1, first=20), build_examples(1, first=21)]
    prepared.write_copies(build_examples(4), chunks, np.array([0, 2]), "")
    loaded = prepared.load_prepared_data()
    assert len(loaded.examples) == 6
    assert loaded.copy_origins.tolist() == [0, 2]
    assert_same_arrays(loaded.examples.take_rows(np.arange(4)), build_examples(4))
    assert_same_arrays(loaded.examples.take_rows(np.arange(4, 6)), build_examples(2, first=20))


def test_images_are_mapped_once() -> None:
    """With copies, originals and copies are one file; workers map it, too."""
    write_prepared()
    for count in (0, 2):
        prepared.write_copies(build_examples(4), [build_examples(count, 20)] if count else [], np.arange(count), "")
        images = prepared.load_prepared_data().examples.images
        assert isinstance(images, np.memmap)
        assert images.shape == (4 + count, 4, 6, 3)
        assert not images.flags.writeable
        sent = bytes(ForkingPickler.dumps(images))
        assert len(sent) < 300
        np.testing.assert_array_equal(pickle.loads(sent), images)
        np.testing.assert_array_equal(pickle.loads(ForkingPickler.dumps(images[1:3])), images[1:3])


def test_no_copies_keep_originals() -> None:
    write_prepared()
    prepared.write_copies(build_examples(4), [], np.zeros(0, np.int64), "")
    loaded = prepared.load_prepared_data()
    assert_same_arrays(loaded.examples, build_examples(4))
    assert len(loaded.copy_origins) == 0


def test_is_prepared_depends_on_experiment_and_copies() -> None:
    config = load_config(ROOT / "params.yaml")
    files.write_json(MANIFEST, {"made_for": prepared.data_identity(config)})
    prepared.write_copies(build_examples(4), [], np.zeros(0, np.int64), prepared.augmentation_identity(config))
    assert prepared.is_prepared(config)
    assert prepared.is_prepared(config.replace_values({"data.path": "elsewhere", "training.epochs": 2}))
    assert not prepared.is_prepared(config.replace_values({"seed": 9}))
    assert not prepared.is_prepared(config.replace_values({"augment.offline.copies": 3}))
