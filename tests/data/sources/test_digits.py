"""The digits of scikit-learn."""

from pathlib import Path

import numpy as np

from thalweg.data.sources.digits import Digits


def test_digits_are_scikit_learns() -> None:
    """The first digit of the set is a zero; its class counts are those that the set's description gives."""
    examples = Digits().read_examples(Path(), 0).examples
    first = [[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0]]
    np.testing.assert_array_equal(examples.images[0, :2, :, 0], np.rint(np.array(first) * 255 / 16))
    assert np.bincount(examples.labels["label"]).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (examples.images.min(), examples.images.max()) == (0, 255)
    assert len(set(examples.groups.tolist())) == 1797
