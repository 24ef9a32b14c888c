"""Own losses, schedules and optimizers: what they must take, and what they must give."""
# ruff: noqa: ARG001, ARG005 (a protocol gives functions what they may ignore)

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.core.hyperparameters import Share
from thalweg.core.own_functions import Protocol, check_function, number_member
from thalweg.core.types import Term
from thalweg.system.members import MemberError

OWN = """
import jax.numpy as jnp
import optax


def quantile(prediction, target, *, share=0.5):
    error = target - prediction
    return jnp.maximum(share * error, (share - 1) * error)


def by_image(prediction, target):
    return ((prediction - target) ** 2).reshape(len(target), -1).mean(1)


def halve(epoch, epochs):
    return 0.5**epoch


def doubled(*, learning_rate, times=2.0):
    return optax.sgd(times * learning_rate)
"""


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_functions_of_test.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def test_own_loss_is_a_branch_beside_ours(own_file: None) -> None:
    names = ("l1", "own_functions_of_test.by_image", "own_functions_of_test.quantile")
    term = Term(jnp.array([[1.0, 3.0], [2.0, 2.0]]), jnp.array([[2.0, 1.0], [2.0, 5.0]]))
    numbers = {"share": jnp.float32(0.25)}
    costs = {
        name: jax.jit(lambda kind: losses.apply_loss("regression", kind, numbers, term, names))(
            jnp.int32(losses.number_loss("regression", name))
        )
        for name in names
    }
    np.testing.assert_allclose(costs[names[0]], [1.5, 1.5])
    np.testing.assert_allclose(costs[names[1]], [2.5, 4.5])
    np.testing.assert_allclose(costs[names[2]], [(0.25 + 0.75 * 2) / 2, 0.25 * 3 / 2])


def test_own_loss_of_values_is_averaged_in_the_image_family(own_file: None) -> None:
    loss = losses.find_loss("image", "own_functions_of_test.quantile")
    np.testing.assert_allclose(loss(jnp.zeros((2, 2, 1, 1)), jnp.ones((2, 2, 1, 1)), share=0.25), [0.25, 0.25])


def test_own_schedule_and_optimizer_run(own_file: None) -> None:
    name = "own_functions_of_test.halve"
    kind = jnp.int32(schedules.number_schedule(name))
    factor = schedules.schedule_factor(kind, {}, jnp.float32(20), 10, 5, ("constant", name))
    assert factor == 0.25
    name = "own_functions_of_test.doubled"
    assert optimizers.list_optimizer_defaults(name) == {"times": 2.0}
    transform = optimizers.build_optimizer(name, {"times": jnp.float32(3)}, 0.1, None)
    steps, _ = transform.update({"w": jnp.ones(2)}, transform.init({"w": jnp.ones(2)}))
    np.testing.assert_allclose(steps["w"], [-0.3, -0.3], rtol=1e-6)


def test_numbers_tell_members_apart() -> None:
    assert number_member(("a", "b"), "b") == 1
    assert len({number_member(("a", "b"), name) for name in ("a", "b", "own.a", "own.b")}) == 4
    assert number_member((), "own.a") < 2**31


def take_one(prediction: Any) -> Any:
    return prediction


def take_text(prediction: Any, target: Any, *, share: str = "half") -> Any:
    return prediction


def take_required(prediction: Any, target: Any, *, share: float) -> Any:
    return prediction


def take_weight(prediction: Any, target: Any, *, weight: Share = 0.5) -> Any:
    return prediction


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (3, "is no function; it must be a loss"),
        ({}, "is no function; it must be a loss"),
        (take_one, r"takes \(prediction\); a loss takes \(prediction, target\)"),
        (take_text, "needs a number as default of `share`"),
        (take_required, r"takes .*; a loss takes \(prediction, target\)"),
        (take_weight, "has a number `weight`; give it another name"),
    ],
)
def test_wrong_signature_is_one_sentence(function: Any, fault: str) -> None:
    with pytest.raises(MemberError, match=rf"^`own\.loss` {fault}"):
        check_function("own.loss", function, losses.OWN)


BATCH = jnp.zeros((4, 3))
IMAGES = (jax.random.key(0), {"image": jnp.zeros((2, 4, 4, 1))}, jnp.float32(0.5))


@pytest.mark.parametrize(
    ("function", "protocol", "inputs", "fault"),
    [
        (lambda p, t: None, losses.OWN, (BATCH, BATCH), r"returns nothing; .* each value, \[4, 3\], or of each image"),
        (lambda p, t: p.sum(), losses.OWN, (BATCH, BATCH), r"returns an array of shape \[\]; it must return the cost"),
        (lambda p, t: p > t, losses.OWN, (BATCH, BATCH), "returns values of type bool; it must return floats"),
        (
            lambda p, t: p if p.sum() > 0 else t,
            losses.OWN,
            (BATCH, BATCH),
            "fails: TracerBoolConversionError: .*test_o",
        ),
        (lambda k, b, s: None, augmentations.OWN, IMAGES, "returns nothing; it must return the batch, a dict"),
        (lambda k, b, s: {}, augmentations.OWN, IMAGES, "adds or drops `image`; it must return the batch with all"),
        (
            lambda k, b, s: {"image": b["image"][:, 1:]},
            augmentations.OWN,
            IMAGES,
            r"returns `image` as float32 \[2, 3, 4, 1\]; it must keep float32 \[2, 4, 4, 1\]",
        ),
        (lambda e, n: "x", schedules.OWN, (jnp.float32(1), 2), "returns a value of type str; .* one number for an ep"),
    ],
)
def test_wrong_result_is_found_in_a_trace(
    function: Callable[..., Any], protocol: Protocol, inputs: tuple[Any, ...], fault: str
) -> None:
    with pytest.raises(MemberError, match=rf"^`own\.member` {fault}"):
        jax.eval_shape(check_function("own.member", function, protocol), *inputs)


def grow(gradient: Any, state: Any, weights: Any = None) -> tuple[Any, Any]:
    return gradient, (state[0].astype(jnp.int32),)


def shrink(gradient: Any, state: Any, weights: Any = None) -> tuple[Any, Any]:
    return gradient.sum(), state


@pytest.mark.parametrize(
    ("update", "fault"),
    [(grow, "changes the shape or type of its state in a step"), (shrink, "gives steps of other shapes or types")],
)
def test_wrong_optimizer_is_one_sentence(update: Any, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = optax.GradientTransformation(lambda _weights: (jnp.zeros(3),), update)
    monkeypatch.setattr(optimizers, "own_for_this_test", lambda *, learning_rate: own, raising=False)
    transform = optimizers.build_optimizer("thalweg.core.optimizers.own_for_this_test", {}, 0.1, None)
    with pytest.raises(MemberError, match=fault):
        transform.update(jnp.zeros(3), transform.init(jnp.zeros(3)))


def test_optimizer_must_be_of_optax() -> None:
    own = check_function("own.step", lambda *, learning_rate: learning_rate, optimizers.OWN)
    with pytest.raises(MemberError, match=r"value of type float; it must return an optax\.GradientTransformation"):
        own(learning_rate=0.1)
