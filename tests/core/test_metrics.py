from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import metrics as compare

from pipeline.core import metrics

N, K = 12, 3
MEMBERS = [(family, member) for family, members in metrics.FAMILIES.items() for member in members]
EACH = pytest.mark.parametrize(("family", "member"), MEMBERS, ids=[member.__name__ for _, member in MEMBERS])


def examples(family: str, seed: int = 0) -> tuple[jax.Array, jax.Array]:
    draw = np.random.default_rng(seed)
    if family == "classification":
        return jnp.asarray(draw.dirichlet(np.ones(K), N), jnp.float32), jnp.asarray(draw.integers(K, size=N))
    if family == "image":
        prediction, truth = draw.random((2, N, 13, 12, 3), np.float32)
        return jnp.asarray(prediction), jnp.asarray(truth)
    return jnp.asarray(draw.normal(3, 2, N), jnp.float32), jnp.asarray(draw.integers(7, size=N), jnp.float32)


@EACH
def test_padding_may_hold_anything(family, member):
    prediction, truth = examples(family)
    weight = jnp.arange(N) < 8
    clean = member(prediction[:8], truth[:8], jnp.ones(8))
    for garbage in (jnp.nan, jnp.inf, -1e30):
        dirty = member(prediction.at[8:].set(garbage), truth.at[8:].set(-1), weight.astype(jnp.float32))
        np.testing.assert_allclose(dirty, clean, rtol=1e-6)


@EACH
def test_a_weight_of_2_is_the_example_twice(family, member):
    prediction, truth = examples(family)
    weight = jnp.ones(N).at[3].set(2.0)
    twice = member(jnp.append(prediction, prediction[3:4], 0), jnp.append(truth, truth[3:4], 0), jnp.ones(N + 1))
    np.testing.assert_allclose(member(prediction, truth, weight), twice, rtol=1e-5)


@EACH
def test_compiled_and_over_many_weights_it_is_the_same_scalar(family, member):
    prediction, truth = examples(family)
    weights = jnp.asarray(np.random.default_rng(1).integers(0, 3, (4, N)), jnp.float32)
    many = jax.jit(jax.vmap(member, (None, None, 0)))(prediction, truth, weights)
    assert many.shape == (4,)
    np.testing.assert_allclose(many, [member(prediction, truth, weight) for weight in weights], rtol=1e-5, atol=1e-7)


@EACH
def test_of_nothing_it_is_nan(family, member):
    assert jnp.isnan(member(*examples(family), jnp.zeros(N)))


numbers = arrays(np.float32, N, elements=st.floats(-100, 100, width=32))
weights = arrays(np.float32, N, elements=st.integers(0, 3)).filter(lambda w: w.sum() > 0)


@settings(deadline=None, max_examples=60)
@given(numbers, arrays(np.float32, N, elements=st.integers(-100, 100)), weights)
def test_regression_metrics_are_numpys(prediction, truth, weight):
    error = prediction.astype(np.float64) - truth
    expected = {
        "mae": np.average(np.abs(error), weights=weight),
        "rmse": np.sqrt(np.average(error**2, weights=weight)),
        "bias": np.average(error, weights=weight),
        "exact": np.average(np.floor(prediction.astype(np.float64) + 0.5) == truth, weights=weight),
    }
    for member in metrics.FAMILIES["regression"]:
        seen = member(jnp.asarray(prediction), jnp.asarray(truth), jnp.asarray(weight))
        assert float(seen) == pytest.approx(expected[member.__name__], rel=1e-5, abs=1e-4)


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.float32, (N, K), elements=st.floats(0.0625, 1, width=32)),
    arrays(np.int32, N, elements=st.integers(0, 2)),
    weights,
)
def test_classification_metrics_are_numpys(shares, label, weight):
    probabilities = shares / shares.sum(-1, keepdims=True)
    right, confidence = probabilities.argmax(-1) == label, probabilities.max(-1)
    edges = np.linspace(0, 1, metrics.BINS + 1).astype(np.float32)
    expected = {
        "accuracy": np.average(right, weights=weight),
        "log_loss": np.average(-np.log(probabilities[np.arange(N), label]), weights=weight),
        "calibration_error": sum(
            abs((weight * (right - confidence))[(low < confidence) & (confidence <= high)].sum())
            for low, high in pairwise(edges)
        )
        / weight.sum(),
    }
    for member in metrics.FAMILIES["classification"]:
        seen = member(jnp.asarray(probabilities), jnp.asarray(label), jnp.asarray(weight))
        assert float(seen) == pytest.approx(expected[member.__name__], rel=1e-4, abs=1e-5)


@EACH
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.0, 1.0, 1e4]), weight=weights)
def test_no_metric_leaves_its_bounds(family, member, seed, scale, weight):
    prediction, truth = examples(family, seed)
    inside = {"classification": jax.nn.softmax, "image": lambda values: jnp.clip(values, 0, 1)}
    prediction = inside.get(family, lambda values: values)(scale * prediction)
    low, high = metrics.BOUNDS.get(member.__name__, (-np.inf, np.inf))
    assert low <= float(member(prediction, truth, jnp.asarray(weight))) <= high + 1e-6


def test_bounds_are_reached():
    for name in ("mae", "rmse"):
        assert getattr(metrics, name)(jnp.ones(3), jnp.ones(3), jnp.ones(3)) == metrics.BOUNDS[name][0]
    sure, label = jnp.array([[1.0, 0.0]]), jnp.array([0])
    assert metrics.log_loss(sure, label, jnp.ones(1)) == metrics.BOUNDS["log_loss"][0]
    for right, low in ((label, 0), (1 - label, 1)):
        assert metrics.accuracy(sure, right, jnp.ones(1)) == metrics.BOUNDS["accuracy"][1 - low]
        assert metrics.calibration_error(sure, right, jnp.ones(1)) == metrics.BOUNDS["calibration_error"][low]
    assert metrics.exact(jnp.ones(2), jnp.array([1.0, 1.0]), jnp.ones(2)) == metrics.BOUNDS["exact"][1]
    black = jnp.zeros((1, 12, 12, 1))
    checked = black.at[:, ::2, ::2].set(1.0).at[:, 1::2, 1::2].set(1.0)
    for bound in (0, 1):
        assert metrics.psnr(black + 1 - bound, black, jnp.ones(1)) == pytest.approx(metrics.BOUNDS["psnr"][bound])
        other = checked if bound else 1 - checked
        assert metrics.ssim(other, checked, jnp.ones(1)) == pytest.approx(metrics.BOUNDS["ssim"][bound], abs=0.01)
    assert set(metrics.BOUNDS) <= {member.__name__ for _, member in MEMBERS}


def test_regression_metrics_by_hand():
    prediction, truth, weight = jnp.array([1.0, 2.5, 2.4]), jnp.array([3.0, 3.0, 2.0]), jnp.array([1.0, 2.0, 1.0])
    assert metrics.mae(prediction, truth, weight) == pytest.approx((2 + 1 + 0.4) / 4)
    assert metrics.rmse(prediction, truth, weight) == pytest.approx(np.sqrt((4 + 0.5 + 0.16) / 4))
    assert metrics.bias(prediction, truth, weight) == pytest.approx((-2 - 1 + 0.4) / 4)
    assert metrics.exact(prediction, truth, weight) == pytest.approx(3 / 4)


def test_halves_are_rounded_up_and_what_is_just_below_is_not():
    prediction = jnp.array([0.5, 1.5, -0.5, 0.49999997])
    assert metrics.exact(prediction, jnp.array([1.0, 2.0, 0.0, 0.0]), jnp.ones(4)) == 1


def test_classification_metrics_by_hand():
    probabilities, label = jnp.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.3, 0.7]]), jnp.array([0, 1, 1, 1])
    assert metrics.accuracy(probabilities, label, jnp.ones(4)) == 0.75
    assert metrics.log_loss(probabilities, label, jnp.ones(4)) == pytest.approx(-np.log([0.9, 0.2, 0.7, 0.7]).mean())
    # bins: 0.9 and 0.8 alone, the two of 0.7 together
    assert metrics.calibration_error(probabilities, label, jnp.ones(4)) == pytest.approx((0.1 + 0.8 + 0.6) / 4)


def test_a_certain_mistake_costs_a_finite_amount():
    loss = metrics.log_loss(jnp.array([[1.0, 0.0]]), jnp.array([1]), jnp.ones(1))
    assert loss == pytest.approx(-np.log(1e-12))


def test_decibels_by_hand():
    prediction = jnp.stack([jnp.full((4, 4, 1), error) for error in (0.1, 0.01, 0.0)])
    each = [float(metrics.psnr(prediction, 0 * prediction, jnp.arange(3) == place)) for place in range(3)]
    assert each == pytest.approx([20, 40, metrics.MOST], abs=1e-3)
    assert metrics.psnr(prediction, 0 * prediction, jnp.array([1.0, 1.0, 0.0])) == pytest.approx(30, abs=1e-3)


@pytest.mark.parametrize("shape", [(11, 11, 1), (16, 24, 3), (31, 20, 2)])
def test_image_metrics_are_those_of_scikit_image(shape):
    draw = np.random.default_rng(0)
    truth = np.cumsum(draw.normal(size=(4, *shape)), 1).astype(np.float32)
    truth = (truth - truth.min()) / np.ptp(truth)
    for noise in (0.01, 0.3):
        image = np.clip(truth + draw.normal(0, noise, truth.shape), 0, 1).astype(np.float32)
        pairs = list(zip(truth, image, strict=True))
        decibels = [compare.peak_signal_noise_ratio(*pair, data_range=1) for pair in pairs]
        of_source = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        alike = [compare.structural_similarity(*pair, data_range=1, channel_axis=-1, **of_source) for pair in pairs]
        assert float(metrics.psnr(image, truth, jnp.ones(4))) == pytest.approx(np.mean(decibels), rel=1e-5)
        assert float(metrics.ssim(image, truth, jnp.ones(4))) == pytest.approx(np.mean(alike), abs=1e-5)
