"""The contract of every data source; a new source is tested automatically."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from thalweg.data.examples import DataSource, Examples
from thalweg.data.labelled.label_files import SPLIT_NAMES
from thalweg.schema.section import find_members
from thalweg.system import files

SOURCES = find_members("thalweg.data.sources")
FIXED = {"digits"}
"""Sources that need no files, and yet draw nothing."""
UNLABELLED = {"photos"}
"""Sources for tasks that need images alone."""


@pytest.fixture(params=sorted(SOURCES))
def source(request: pytest.FixtureRequest, tmp_path: Path) -> DataSource:
    family = SOURCES[request.param]
    assert issubclass(family, DataSource)
    return family.write_example(tmp_path)


@pytest.fixture
def examples(source: DataSource, tmp_path: Path) -> Examples:
    reading = source.read_examples(tmp_path, 5)
    assert reading.faults == ()
    return reading.examples


def test_examples_have_common_types(source: DataSource, examples: Examples) -> None:
    count, height, width, channels = examples.images.shape
    assert count > 0
    assert channels in (1, 3)
    assert examples.images.dtype == np.uint8
    for texts in (examples.names, examples.groups, examples.split):
        assert texts.shape == (count,)
        assert texts.dtype.kind == "U"
    assert len(set(examples.names.tolist())) == count
    assert set(examples.split.tolist()) <= {"", *SPLIT_NAMES}
    assert bool(examples.labels) == (source.kind not in UNLABELLED)
    wanted = {"count": np.float32, "label": np.int32, "points": np.float32, "boxes": np.float32, "kinds": np.int32,
              "present": bool}  # fmt: skip
    for name, values in examples.labels.items():
        assert len(values) == count
        assert values.dtype == wanted[name]
    for name in {"label", "kinds"} & examples.labels.keys():
        assert examples.labels[name].min() >= 0
        assert examples.labels[name].max() < len(examples.classes)
    for name in {"points", "boxes"} & examples.labels.keys():
        places = examples.labels[name][examples.labels["present"]].reshape(-1, 2)
        assert (places >= 0).all()
        assert (places <= (width, height)).all()


def test_outline_matches_examples(source: DataSource, tmp_path: Path) -> None:
    outline, examples = source.build_outline(tmp_path, 5), source.read_examples(tmp_path, 5).examples
    if outline is not None:
        assert outline.images.shape[1:] == examples.images.shape[1:]
        for name in ("names", "groups", "split"):
            np.testing.assert_array_equal(getattr(outline, name), getattr(examples, name))
        assert outline.labels.keys() == examples.labels.keys()
        for name, values in examples.labels.items():
            assert outline.labels[name].dtype == values.dtype
            assert (
                outline.labels[name].shape[:1] + outline.labels[name].shape[2:] == values.shape[:1] + values.shape[2:]
            )


def test_outline_of_unreadable_data_is_empty(source: DataSource, tmp_path: Path) -> None:
    if source.REQUIRED_FILES:
        outline = source.build_outline(tmp_path / "nowhere", 5)
        assert outline is None or (len(outline), outline.labels) == (0, {})


def damage_content(content: bytes) -> list[bytes]:
    """Return nothing, half, zeros, another text, and the content twice."""
    return [b"", content[: len(content) // 2], bytes(len(content)), b"\xff\xfe {[<\n" * 3, content + content]


def test_damaged_file_is_named(source: DataSource, tmp_path: Path) -> None:
    """Whichever file is damaged: an error for the user, or faults, or all is read; no other exception."""
    for name in files.list_files(tmp_path):
        content = (tmp_path / name).read_bytes()
        for damaged in damage_content(content):
            (tmp_path / name).write_bytes(damaged)
            with contextlib.suppress(files.UserError):
                result = source.read_examples(tmp_path, 5)
                assert all(fault.where and fault.reason for fault in result.faults)
            source.build_outline(tmp_path, 5)
        (tmp_path / name).write_bytes(content)


def test_count_is_number_of_objects(examples: Examples) -> None:
    if {"count", "present"} <= examples.labels.keys():
        np.testing.assert_array_equal(examples.labels["count"], examples.labels["present"].sum(-1))


def test_seed_matters_only_if_drawn(source: DataSource, tmp_path: Path) -> None:
    first, again, other = (source.read_examples(tmp_path, seed).examples for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.images, again.images)
    for name, values in first.labels.items():
        np.testing.assert_array_equal(values, again.labels[name])
    assert np.array_equal(first.images, other.images) == (bool(source.REQUIRED_FILES) or source.kind in FIXED)
