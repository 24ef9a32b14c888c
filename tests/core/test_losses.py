from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.fast_jit import compile_fast
from thalweg.core import losses
from thalweg.core.hyperparameters import list_defaults, select_numbers
from thalweg.core.types import Term, Tree

Values = NDArray[np.float32]
MEMBERS = [(family, member) for family, members in losses.FAMILIES.items() for member in members]
EACH = pytest.mark.parametrize(("family", "member"), MEMBERS, ids=[member.__name__ for _, member in MEMBERS])
OF_VALUES = pytest.mark.parametrize(
    ("family", "member"),
    [entry for entry in MEMBERS if entry[0] != "image"],
    ids=[member.__name__ for family, member in MEMBERS if family != "image"],
)
DEFAULTS = {
    family: {name: jnp.float32(value) for member in members for name, value in list_defaults(member).items()}
    for family, members in losses.FAMILIES.items()
}


def draw_examples(family: str, count: int = 6, seed: int = 0) -> tuple[Values, NDArray[Any]]:
    """Predictions and targets that are away from each other and from every kink."""
    draw = np.random.default_rng(seed)
    if family == "classification":
        return draw.normal(size=(count, 4)).astype(np.float32), draw.integers(4, size=count).astype(np.int32)
    if family == "binary":
        truth = draw.integers(2, size=(count, 3)).astype(np.float32)
        return draw.normal(size=truth.shape).astype(np.float32), truth
    if family == "image":
        clean = draw.uniform(0.2, 0.8, size=(count, 6, 5, 2))
        return (clean + draw.uniform(-0.2, 0.2, clean.shape)).astype(np.float32), clean.astype(np.float32)
    target = draw.integers(1, 9, size=(count, 3)).astype(np.float32)
    error = draw.choice([-0.4, 0.3, 2.0], size=target.shape)
    return (target + error).astype(np.float32), target


def compute_selected_loss(
    family: str,
    kind: Any,
    numbers: Tree,
    prediction: Any,
    target: Any,
    weight: Any = None,
) -> jax.Array:
    return losses.apply_loss(family, kind, numbers, Term(prediction, target, weight))


def compute_loss(member: Callable[..., jax.Array], prediction: Any, target: Any) -> np.ndarray:
    return np.asarray(compile_fast(member)(prediction, target))


def average_each_example(values: np.ndarray) -> np.ndarray:
    """The mean over what each example predicts."""
    result: np.ndarray = values.reshape(len(values), -1).mean(1)
    return result


@EACH
def test_losses_are_finite_per_example(family: str, member: Callable[..., Any]) -> None:
    prediction, target = draw_examples(family)
    loss = compute_loss(member, prediction, target)
    assert loss.shape == (target.shape[:1] if family == "image" else target.shape)
    assert np.isfinite(loss).all()


@OF_VALUES
def test_losses_keep_map_shape(family: str, member: Callable[..., Any]) -> None:
    prediction, target = draw_examples(family)
    one_map, one_target = (np.stack([part, part], 1) for part in (prediction, target))
    np.testing.assert_allclose(
        compute_loss(member, one_map, one_target)[:, 1], compute_loss(member, prediction, target), rtol=1e-6
    )


@OF_VALUES
def test_zero_weights_are_ignored(family: str, member: Callable[..., Any]) -> None:
    prediction, target = draw_examples(family)
    kind = losses.list_losses(family).index(member.__name__)
    three, truths = (np.stack([part] * 3, 1) for part in (prediction, target))
    weight = np.ones(truths.shape, np.float32)
    weight[:, 1] = weight[5] = 0
    three[:, 1] += 3
    switch = compile_fast(compute_selected_loss, static_argnums=0)
    values = np.asarray(switch(family, kind, DEFAULTS[family], three, truths, weight))
    np.testing.assert_allclose(
        values[:5], average_each_example(compute_loss(member, prediction, target))[:5], rtol=1e-5, atol=1e-6
    )
    assert values[5] == 0


@EACH
def test_loss_ignores_batch_mates(family: str, member: Callable[..., Any]) -> None:
    prediction, target = draw_examples(family)
    every = compute_loss(member, prediction, target)
    np.testing.assert_allclose(every[2:3], compute_loss(member, prediction[2:3], target[2:3]), rtol=1e-6)


@EACH
def test_loss_is_least_at_the_truth(family: str, member: Callable[..., Any]) -> None:
    prediction, target = draw_examples(family)
    perfect_outputs = {"classification": lambda label: 50 * np.eye(4)[label], "binary": lambda label: 100 * label - 50}
    truth = perfect_outputs.get(family, np.asarray)(target).astype(np.float32)
    best = compute_loss(member, truth, target)
    assert (average_each_example(best) < average_each_example(compute_loss(member, prediction, target))).all()
    if member.__name__ != "poisson":
        np.testing.assert_allclose(best, 0.0, atol=1e-6)


@EACH
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_gradients_finite_far_from_truth(family: str, member: Callable[..., Any], size: float) -> None:
    prediction, target = draw_examples(family)
    far = np.full_like(prediction, size)
    far[..., 1:] = -size
    value, gradient = jax.jit(jax.value_and_grad(lambda p: member(p, target).sum()))(far)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@EACH
def test_gradients_match_differences(family: str, member: Callable[..., Any]) -> None:
    with jax.enable_x64(True):
        prediction, target = draw_examples(family)
        prediction = prediction.astype(np.float64)
        target = target if family == "classification" else target.astype(np.float64)
        gradient = compile_fast(jax.grad(lambda p: member(p, target).sum()))(prediction)
        steps = 1e-6 * np.eye(prediction.size).reshape(-1, *prediction.shape)
        total = compile_fast(jax.vmap(lambda step: member(prediction + step, target).sum()))
        up, down = (np.asarray(total(way * steps)) for way in (1, -1))
        expected = (up - down).reshape(prediction.shape) / 2e-6
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


@EACH
def test_compiled_switch_matches_member(family: str, member: Callable[..., Any]) -> None:
    kind = losses.list_losses(family).index(member.__name__)
    prediction, target = draw_examples(family)
    values = compile_fast(compute_selected_loss, static_argnums=0)(family, kind, DEFAULTS[family], prediction, target)
    np.testing.assert_allclose(
        values, average_each_example(compute_loss(member, prediction, target)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("family", losses.FAMILIES)
def test_defaults_agree_in_family(family: str) -> None:
    for member in losses.FAMILIES[family]:
        assert all(DEFAULTS[family][name] == jnp.float32(value) for name, value in list_defaults(member).items())


@pytest.mark.parametrize("family", losses.FAMILIES)
def test_lanes_equal_lone_runs(family: str) -> None:
    kinds = np.arange(len(losses.FAMILIES[family]), dtype=np.int32)
    prediction, target = draw_examples(family)
    step = jax.jit(
        jax.value_and_grad(lambda p, kind: compute_selected_loss(family, kind, DEFAULTS[family], p, target).mean())
    )
    alone = [step(prediction, kind) for kind in kinds]
    looped = jax.jit(lambda kinds: jax.lax.map(lambda kind: step(prediction, kind), kinds))(kinds)
    beside = jax.jit(jax.vmap(step, (None, 0)))(prediction, kinds)
    for lane, (value, gradient) in enumerate(alone):
        np.testing.assert_array_equal(looped[0][lane], value)
        np.testing.assert_array_equal(looped[1][lane], gradient)
        np.testing.assert_allclose(beside[0][lane], value, rtol=1e-5)
        np.testing.assert_allclose(beside[1][lane], gradient, rtol=1e-5, atol=1e-7)


def test_unused_branches_give_no_nan() -> None:
    prediction, target = jnp.array([[-1e4], [0.0], [1e19]]), jnp.array([[3.0], [0.5], [1.0]])
    step = jax.grad(
        lambda p, kind: compute_selected_loss("regression", kind, {"delta": jnp.float32(1)}, p, target).sum()
    )
    kinds = np.arange(len(losses.list_losses("regression")), dtype=np.int32)
    gradients = compile_fast(jax.vmap(step, (None, 0)))(prediction, kinds)
    assert np.isfinite(gradients).all()
    np.testing.assert_allclose(gradients[losses.list_losses("regression").index("l1")], [[-1], [-1], [1]])


def test_regression_losses_by_hand() -> None:
    prediction, target = jnp.array([[1.0, 5.0]]), jnp.array([[3.0, 5.5]])
    assert losses.l1(prediction, target)[0] == pytest.approx([2, 0.5])
    assert losses.l2(prediction, target)[0] == pytest.approx([4, 0.25])
    assert losses.huber(prediction, target)[0] == pytest.approx([1.5, 0.125])
    assert losses.huber(prediction, target, delta=4.0)[0] == pytest.approx([2, 0.125])
    assert losses.log_cosh(prediction, target)[0] == pytest.approx(np.log(np.cosh([2, 0.5])))
    assert losses.poisson(prediction, target)[0] == pytest.approx([1 - 0, 5 - 5.5 * np.log(5)])


def test_charbonnier_by_hand() -> None:
    error = jnp.array([3.0, 0.0, -1.0])
    assert losses.charbonnier(error, jnp.zeros(3), epsilon=4.0) == pytest.approx([1.0, 0.0, np.sqrt(17) - 4])
    assert losses.charbonnier(error, jnp.zeros(3)) == pytest.approx([3.0, 0.0, 1.0], abs=1e-3)
    assert jax.grad(lambda e: losses.charbonnier(e, jnp.float32(0)))(0.0) == 0


def test_gradient_difference_is_signed() -> None:
    ramp = jnp.broadcast_to(jnp.arange(4.0)[None, :, None, None], (1, 4, 3, 1)) / 4
    assert losses.gradient_difference(ramp + 0.5, ramp) == pytest.approx(0)
    # a quarter a pixel, down alone: half of the mean
    assert losses.gradient_difference(0 * ramp, ramp) == pytest.approx(0.125)
    assert losses.gradient_difference(-ramp, ramp) == pytest.approx(0.25)


def test_ssim_of_negative_and_flat_image() -> None:
    image = jnp.asarray(draw_examples("image")[1])
    flat = jnp.broadcast_to(image.mean((1, 2), keepdims=True), image.shape)
    assert (losses.ssim(1 - image, image) > 1).all()
    assert (jnp.abs(losses.ssim(flat, image) - 1) < 0.1).all()


def test_log_cosh_of_large_error() -> None:
    assert losses.log_cosh(jnp.array([1000.0]), jnp.array([0.0])) == pytest.approx(1000 - np.log(2))


def test_poisson_raises_negative_rate() -> None:
    slope = jax.grad(lambda rate: losses.poisson(rate, jnp.array([2.0, 0.0])).sum())(jnp.array([-1.0, -1.0]))
    np.testing.assert_allclose(slope, [1 - 2 / losses.MIN_POISSON_RATE, 0.0], rtol=1e-5)


@pytest.mark.parametrize("rate", [0.5, 0.011, 0.009, 1e-4])
def test_poisson_lowers_rate_at_zero(rate: float) -> None:
    value, slope = compile_fast(jax.value_and_grad(lambda rate: losses.poisson(rate, jnp.zeros(1)).sum()))(
        np.array([rate])
    )
    assert value == pytest.approx(rate, rel=1e-5)
    np.testing.assert_allclose(slope, [1.0])


def test_classification_losses_by_hand() -> None:
    logits, label = jnp.log(jnp.array([[0.7, 0.2, 0.1]])), jnp.array([1])
    likely = -np.log([0.7, 0.2, 0.1])
    assert losses.cross_entropy(logits, label) == pytest.approx(likely[1])
    assert losses.cross_entropy(logits, label, smoothing=0.3) == pytest.approx(0.7 * likely[1] + 0.3 * likely.mean())
    assert losses.focal(logits, label) == pytest.approx(0.8**2 * likely[1])
    assert losses.focal(logits, label, gamma=0.0) == pytest.approx(likely[1])


def test_binary_losses_by_hand() -> None:
    logits, truth = jnp.log(jnp.array([[0.2 / 0.8, 0.2 / 0.8, 0.2 / 0.8]])), jnp.array([[1.0, 0.0, 0.5]])
    cross_entropy = -np.array([np.log(0.2), np.log(0.8), (np.log(0.2) + np.log(0.8)) / 2])
    assert losses.binary_cross_entropy(logits, truth)[0] == pytest.approx(cross_entropy)
    assert losses.binary_focal(logits, truth)[0] == pytest.approx(np.array([0.8, 0.2, 0.3]) ** 2 * cross_entropy)
    assert losses.binary_focal(logits, truth, gamma=0.0)[0] == pytest.approx(cross_entropy)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("size", [0.0, 30.0, 200.0])
def test_binary_focal_finite_at_certainty(gamma: float, size: float) -> None:
    gradient = jax.jit(
        jax.grad(lambda x, g: losses.binary_focal(x, jnp.array([[0.0, 1.0, 0.5]]), gamma=g).sum(), (0, 1))
    )(jnp.array([[-size, size, 0.0]]), jnp.float32(gamma))
    assert all(np.isfinite(part).all() for part in gradient)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_finite_at_certainty(gamma: float) -> None:
    gradient = jax.jit(jax.grad(lambda x, g: losses.focal(x, jnp.array([0]), gamma=g).sum(), (0, 1)))(
        jnp.array([[200.0, 0.0]]), jnp.float32(gamma)
    )
    assert all(np.isfinite(part).all() for part in gradient)


def test_member_selects_its_numbers() -> None:
    assert list_defaults(losses.huber) == {"delta": 1.0}
    assert select_numbers(losses.huber, {"delta": 2.0, "gamma": 3.0, "weight": 1.0}) == {"delta": 2.0}
    assert select_numbers(losses.l1, {"delta": 2.0}) == {}


def test_new_numbers_do_not_recompile() -> None:
    traces = []

    @jax.jit
    def run(kind: jax.Array, delta: jax.Array) -> jax.Array:
        traces.append(kind)
        return losses.apply_loss("regression", kind, {"delta": delta}, Term(jnp.ones((2, 1)), jnp.zeros((2, 1))))

    for kind, delta in ((0, 1.0), (2, 0.5), (2, 0.25)):
        last = run(jnp.int32(kind), jnp.float32(delta))
    assert len(traces) == 1
    np.testing.assert_allclose(last, 0.25 * (1 - 0.125))
