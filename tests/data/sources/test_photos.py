"""Patches of scikit-image's photographs."""

from importlib.metadata import files
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from thalweg.data.sources.photos import PHOTOGRAPHS, Photos, read_photograph

FILES = {"immunohistochemistry": "ihc", "stereo_motorcycle": "motorcycle_left"}
"""Files that have another name than their function."""


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photograph_is_in_the_package(name: str) -> None:
    """Others are downloaded when they are asked for."""
    stems = {Path(file).stem for file in files("scikit-image") or () if Path(file).parent.name == "data"}
    assert FILES.get(name, name) in stems


def test_gray_pixel_is_a_mean_of_four() -> None:
    original = data.camera().astype(int)
    halved = read_photograph("camera")
    assert halved.shape == (256, 256)
    assert halved[3, 5] == (original[6:8, 10:12].sum() + 2) // 4


def test_colours_become_luma() -> None:
    red, green, blue = np.moveaxis(data.astronaut()[:2, :2].astype(float), -1, 0)
    assert read_photograph("astronaut")[0, 0] == np.rint((0.299 * red + 0.587 * green + 0.114 * blue).mean())


def test_patches_are_of_their_group() -> None:
    """Every patch is found in its photograph, and the seed alone decides where."""
    examples = Photos(patches=2, size=(16, 24)).read_examples(Path(), 3).examples
    assert examples.images.shape == (2 * len(PHOTOGRAPHS), 16, 24, 1)
    for index in (0, 9, 33):
        photograph = read_photograph(str(examples.groups[index]))
        windows = np.lib.stride_tricks.sliding_window_view(photograph, (16, 24))
        assert (windows == examples.images[index, ..., 0]).all((2, 3)).any()


def test_smallest_photograph_holds_the_largest_patch() -> None:
    sides = [min(read_photograph(name).shape) for name in PHOTOGRAPHS]
    assert min(sides) == 86
    assert Photos(size=(80, 80)).read_examples(Path(), 0).examples.images.shape[1:] == (80, 80, 1)
