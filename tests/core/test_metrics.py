from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.special import softmax
from skimage import metrics as compare

from tests.helpers.fast_jit import compile_fast
from thalweg.core import metrics

N = 12
K = 3
FUNCTIONS = {name: metric.function for name, metric in metrics.METRICS.items() if metric.function}
MEMBERS = [
    (family, FUNCTIONS[name]) for family, members in metrics.FAMILIES.items() for name in members if name in FUNCTIONS
]
EACH = pytest.mark.parametrize(("family", "member"), MEMBERS, ids=[member.__name__ for _, member in MEMBERS])


def measure_metric(member: Callable[..., Any], prediction: Any, truth: Any, weight: Any) -> np.ndarray:
    return np.asarray(compile_fast(member)(prediction, truth, np.asarray(weight, np.float32)))


def get_bounds(name: str) -> tuple[float, float]:
    return metrics.METRICS[name].low, metrics.METRICS[name].high


def draw_examples(family: str, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[Any]]:
    draw = np.random.default_rng(seed)
    if family == "classification":
        return draw.dirichlet(np.ones(K), N).astype(np.float32), draw.integers(K, size=N).astype(np.int32)
    if family == "image":
        prediction, truth = draw.random((2, N, 13, 12, 3), np.float32)
        return prediction, truth
    return draw.normal(3, 2, N).astype(np.float32), draw.integers(7, size=N).astype(np.float32)


def test_metrics_have_function_names() -> None:
    assert all(function.__name__ == name for name, function in FUNCTIONS.items())
    assert len(metrics.METRICS) == sum(map(len, metrics.FAMILIES.values()))


@pytest.mark.parametrize("name", metrics.METRICS)
def test_best_value_is_within_bounds(name: str) -> None:
    low, high = get_bounds(name)
    best = {"min": low, "max": high, "zero": 0.0}[metrics.METRICS[name].direction]
    assert np.isfinite(best)
    assert low <= best <= high
    assert metrics.METRICS[name].label


@EACH
def test_padding_is_ignored(family: str, member: Callable[..., Any]) -> None:
    prediction, truth = draw_examples(family)
    clean, weight = measure_metric(member, prediction[:8], truth[:8], np.ones(8)), (np.arange(N) < 8).astype(np.float32)
    run = jax.jit(member)  # as a study runs it: what is fused may let a NaN through
    for garbage in (np.nan, np.inf, -1e30):
        prediction[8:], truth[8:] = garbage, -1
        np.testing.assert_allclose(run(prediction, truth, weight), clean, rtol=1e-6)


@EACH
def test_weight_two_is_a_duplicate(family: str, member: Callable[..., Any]) -> None:
    prediction, truth = draw_examples(family)
    more, truths = (np.append(part, part[3:4], 0) for part in (prediction, truth))
    twice = measure_metric(member, more, truths, np.ones(N + 1))
    np.testing.assert_allclose(measure_metric(member, prediction, truth, 1 + (np.arange(N) == 3)), twice, rtol=1e-5)


@EACH
def test_compiled_and_batched_are_the_same(family: str, member: Callable[..., Any]) -> None:
    prediction, truth = draw_examples(family)
    weights = np.random.default_rng(1).integers(0, 3, (4, N)).astype(np.float32)
    many = compile_fast(jax.vmap(member, (None, None, 0)))(prediction, truth, weights)
    assert many.shape == (4,)
    alone = [measure_metric(member, prediction, truth, weight) for weight in weights]
    np.testing.assert_allclose(many, alone, rtol=1e-5, atol=1e-7)


@EACH
def test_no_examples_give_nan(family: str, member: Callable[..., Any]) -> None:
    assert np.isnan(measure_metric(member, *draw_examples(family), np.zeros(N)))


numbers = arrays(np.float32, N, elements=st.floats(-100, 100, width=32))
weights = arrays(np.float32, N, elements=st.integers(0, 3)).filter(lambda w: w.sum() > 0)


@settings(max_examples=60)
@given(numbers, arrays(np.float32, N, elements=st.integers(-100, 100)), weights)
def test_regression_matches_numpy(prediction: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> None:
    error = prediction.astype(np.float64) - truth
    expected = {
        "mae": np.average(np.abs(error), weights=weight),
        "rmse": np.sqrt(np.average(error**2, weights=weight)),
        "bias": np.average(error, weights=weight),
        "exact": np.average(np.floor(prediction.astype(np.float64) + 0.5) == truth, weights=weight),
    }
    for name, value in expected.items():
        assert float(measure_metric(FUNCTIONS[name], prediction, truth, weight)) == pytest.approx(
            value, rel=1e-5, abs=1e-4
        )


@settings(max_examples=60)
@given(
    arrays(np.float32, (N, K), elements=st.floats(0.0625, 1, width=32)),
    arrays(np.int32, N, elements=st.integers(0, 2)),
    weights,
)
def test_classification_matches_numpy(shares: np.ndarray, label: np.ndarray, weight: np.ndarray) -> None:
    probabilities = shares / shares.sum(-1, keepdims=True)
    right, confidence = probabilities.argmax(-1) == label, probabilities.max(-1)
    edges = np.linspace(0, 1, metrics.CALIBRATION_BINS + 1).astype(np.float32)
    expected = {
        "accuracy": np.average(right, weights=weight),
        "log_loss": np.average(-np.log(probabilities[np.arange(N), label]), weights=weight),
        "calibration_error": sum(
            abs((weight * (right - confidence))[(low < confidence) & (confidence <= high)].sum())
            for low, high in pairwise(edges)
        )
        / weight.sum(),
    }
    for name, value in expected.items():
        measured = measure_metric(FUNCTIONS[name], probabilities, label, weight)
        assert float(measured) == pytest.approx(value, rel=1e-4, abs=1e-5)


@EACH
@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.0, 1.0, 1e4]), weight=weights)
def test_metrics_stay_within_bounds(
    family: str, member: Callable[..., Any], seed: int, scale: float, weight: np.ndarray
) -> None:
    prediction, truth = draw_examples(family, seed)
    inside = {"classification": lambda values: softmax(values, -1), "image": lambda values: np.clip(values, 0, 1)}
    prediction = inside.get(family, lambda values: values)(np.float32(scale) * prediction)
    low, high = get_bounds(member.__name__)
    assert low <= float(measure_metric(member, prediction, truth, weight)) <= high + 1e-6


def test_metrics_reach_their_bounds() -> None:
    for name in ("mae", "rmse"):
        assert measure_metric(getattr(metrics, name), np.ones(3), np.ones(3), np.ones(3)) == get_bounds(name)[0]
    sure, label = np.array([[1.0, 0.0]]), np.array([0])
    assert measure_metric(metrics.log_loss, sure, label, np.ones(1)) == get_bounds("log_loss")[0]
    for right, low in ((label, 0), (1 - label, 1)):
        assert measure_metric(metrics.accuracy, sure, right, np.ones(1)) == get_bounds("accuracy")[1 - low]
        assert (
            measure_metric(metrics.calibration_error, sure, right, np.ones(1)) == get_bounds("calibration_error")[low]
        )
    assert measure_metric(metrics.exact, np.ones(2), np.array([1.0, 1.0]), np.ones(2)) == get_bounds("exact")[1]
    black, checked = np.zeros((2, 1, 12, 12, 1), np.float32)
    checked[:, ::2, ::2] = checked[:, 1::2, 1::2] = 1
    for bound in (0, 1):
        decibels = measure_metric(metrics.psnr, black + 1 - bound, black, np.ones(1))
        assert decibels == pytest.approx(get_bounds("psnr")[bound])
        alike = measure_metric(metrics.ssim, checked if bound else 1 - checked, checked, np.ones(1))
        assert alike == pytest.approx(get_bounds("ssim")[bound], abs=0.01)


def test_regression_metrics_by_hand() -> None:
    prediction, truth, weight = np.array([1.0, 2.5, 2.4]), np.array([3.0, 3.0, 2.0]), np.array([1.0, 2.0, 1.0])
    assert measure_metric(metrics.mae, prediction, truth, weight) == pytest.approx((2 + 1 + 0.4) / 4)
    assert measure_metric(metrics.rmse, prediction, truth, weight) == pytest.approx(np.sqrt((4 + 0.5 + 0.16) / 4))
    assert measure_metric(metrics.bias, prediction, truth, weight) == pytest.approx((-2 - 1 + 0.4) / 4)
    assert measure_metric(metrics.exact, prediction, truth, weight) == pytest.approx(3 / 4)


def test_exact_rounds_halves_up() -> None:
    prediction = np.array([0.5, 1.5, -0.5, 0.49999997])
    assert measure_metric(metrics.exact, prediction, np.array([1.0, 2.0, 0.0, 0.0]), np.ones(4)) == 1


def test_classification_metrics_by_hand() -> None:
    probabilities, label = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.3, 0.7]]), np.array([0, 1, 1, 1])
    assert measure_metric(metrics.accuracy, probabilities, label, np.ones(4)) == 0.75
    surprise = -np.log([0.9, 0.2, 0.7, 0.7]).mean()
    assert measure_metric(metrics.log_loss, probabilities, label, np.ones(4)) == pytest.approx(surprise)
    # bins: 0.9 and 0.8 alone, the two of 0.7 together
    assert measure_metric(metrics.calibration_error, probabilities, label, np.ones(4)) == pytest.approx(
        (0.1 + 0.8 + 0.6) / 4
    )


def test_log_loss_of_mistake_is_finite() -> None:
    loss = measure_metric(metrics.log_loss, np.array([[1.0, 0.0]]), np.array([1]), np.ones(1))
    assert loss == pytest.approx(-np.log(1e-12))


def test_psnr_by_hand() -> None:
    prediction = np.stack([np.full((4, 4, 1), error) for error in (0.1, 0.01, 0.0)])
    each = [
        float(measure_metric(metrics.psnr, prediction, 0 * prediction, np.arange(3) == place)) for place in range(3)
    ]
    assert each == pytest.approx([20, 40, metrics.MAX_PSNR_DB], abs=1e-3)
    assert measure_metric(metrics.psnr, prediction, 0 * prediction, np.array([1.0, 1.0, 0.0])) == pytest.approx(
        30, abs=1e-3
    )


@pytest.mark.parametrize("shape", [(11, 11, 1), (16, 24, 3), (31, 20, 2)])
def test_images_match_scikit_image(shape: tuple[int, int, int]) -> None:
    draw = np.random.default_rng(0)
    truth = np.cumsum(draw.normal(size=(4, *shape)), 1).astype(np.float32)
    truth = (truth - truth.min()) / np.ptp(truth)
    for noise in (0.01, 0.3):
        image = np.clip(truth + draw.normal(0, noise, truth.shape), 0, 1).astype(np.float32)
        pairs = list(zip(truth, image, strict=True))
        decibels = [compare.peak_signal_noise_ratio(*pair, data_range=1) for pair in pairs]
        of_source = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        alike = [compare.structural_similarity(*pair, data_range=1, channel_axis=-1, **of_source) for pair in pairs]
        assert float(measure_metric(metrics.psnr, image, truth, np.ones(4))) == pytest.approx(
            np.mean(decibels), rel=1e-5
        )
        assert float(measure_metric(metrics.ssim, image, truth, np.ones(4))) == pytest.approx(np.mean(alike), abs=1e-5)
