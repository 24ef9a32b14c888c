"""What confirm writes of the final model's predictions."""

import numpy as np
import pytest

from tests.helpers.small_study import CONFIG, N, draw_examples
from thalweg.confirm import outputs
from thalweg.system import images, paths, table_files

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_pictures_are_of_the_worst_examples() -> None:
    judged = draw_examples()
    error = np.random.default_rng(1).permutation(N) / 10
    truth = judged.labels["count"].astype(np.float64)
    inputs = (judged.images / 255).astype(np.float32)
    outputs.write_predictions(CONFIG, judged, inputs, truth + error)
    table = table_files.read_table(paths.PREDICTIONS)
    assert table["image"].tolist() == judged.names.tolist()
    np.testing.assert_allclose(table["prediction"] - table["truth"], error, atol=1e-6)
    worst = table_files.read_table(paths.WORST_EXAMPLES)
    assert worst["image"].tolist() == judged.names[np.argsort(-error)[: outputs.MAX_PICTURES]].tolist()
    first = images.read_pixels(paths.PICTURES / worst["file"][0], (4, 4), 1)
    np.testing.assert_array_equal(first.pixels, judged.images[error.argmax()])
    typical = table_files.read_table(paths.TYPICAL_EXAMPLES)
    assert typical["image"].tolist() == judged.names[outputs.select_typical_examples(error)].tolist()
    last = images.read_pixels(paths.PICTURES / typical["file"].iloc[-1], (4, 4), 1)
    np.testing.assert_array_equal(last.pixels, judged.images[judged.names == typical["image"].iloc[-1]][0])


@pytest.mark.parametrize(
    ("errors", "chosen"),
    [([7, 6, 5, 4, 3, 2, 1, 0], [6, 4, 2, 0]), ([1, 1, 1, 1], [0, 1, 2, 3]), ([3, 2], [1, 0]), ([5], [0])],
)
def test_typical_examples_stand_at_quantiles(errors: list[float], chosen: list[int]) -> None:
    assert outputs.select_typical_examples(np.array(errors, np.float64)).tolist() == chosen
