import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.tasks.classify import Classify

LABEL = np.array([2, 0, 1], np.int32)
SURE = np.eye(3, dtype=np.float32)[LABEL]
EMPTY = np.full(3, "")
EXAMPLES = Examples(np.zeros((3, 2, 2, 1), np.uint8), EMPTY, EMPTY, EMPTY, {"label": LABEL}, ("cat", "dog", "owl"))


def test_certain_truth_has_best_metrics() -> None:
    measured = Classify().compute_metrics(jnp.asarray(SURE), {"label": jnp.asarray(LABEL)}, jnp.ones(3))
    assert {n: float(v) for n, v in measured.items()} == {"accuracy": 1, "log_loss": 0, "calibration_error": 0}


def test_one_probability_per_class() -> None:
    assert Classify().output_shape(DataSpec((4, 4, 1), 3)) == (3,)
    likely = Classify().decode_outputs(jnp.log(jnp.array([[1.0, 2.0, 5.0]])))
    np.testing.assert_allclose(likely, [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-6)


def test_table_names_likeliest_class() -> None:
    table = Classify().build_prediction_columns(np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]]), EXAMPLES.classes)
    assert table["prediction"].tolist() == ["owl", "cat"]
    assert table["confidence"].tolist() == [0.7, 0.5]
    assert Classify().list_true_values(EXAMPLES).tolist() == ["owl", "cat", "dog"]


def test_error_is_finite_at_zero_probability() -> None:
    likely = np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]], np.float32)
    errors = Classify().compute_errors(likely, EXAMPLES)
    assert errors == pytest.approx([np.log(4), np.log(2), 12 * np.log(10)], rel=1e-5)


def test_loss_uses_logits() -> None:
    logits = jax.random.normal(jax.random.key(0), (3, 3))
    prediction, truth, _ = Classify().build_loss_terms(logits, {"label": jnp.asarray(LABEL)})["label"]
    np.testing.assert_array_equal(prediction, logits)
    np.testing.assert_array_equal(truth, LABEL)


def test_two_classes_are_required() -> None:
    examples = Examples(EXAMPLES.images, EMPTY, EMPTY, EMPTY, EXAMPLES.labels, ("cat",))
    assert Classify().find_data_faults(examples) == ["the data has fewer than two classes"]
