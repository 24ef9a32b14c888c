"""The contract of every model; a new file in models/ is tested automatically."""

import importlib
import pkgutil
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jax.typing import ArrayLike

from tests.helpers.fast_jit import compile_fast
from thalweg import models
from thalweg.artifacts.weights import Weights
from thalweg.config.model import MODEL_KINDS
from thalweg.core.layers import GroupNorm
from thalweg.core.network import Network, list_model_sizes

INPUTS = (12, 12, 2)
VECTOR = (3,)
MAP = (3, 3, 1)
IMAGE = (12, 12, 1)
IMAGES: Any = np.asarray(jax.random.normal(jax.random.key(1), (16, *INPUTS)))
FILES = [file.name for file in pkgutil.iter_modules(models.__path__)]
MEMBERS = [name for name in FILES if hasattr(importlib.import_module(f"thalweg.models.{name}"), "Model")]


class Own(nnx.Module):
    """A person's own class, with running means and dropout."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, width: int = 64, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(int(np.prod(inputs)), width, rngs=rngs)
        self.norm = nnx.BatchNorm(width, use_bias=False, rngs=rngs)
        self.drop = nnx.Dropout(0.1, rngs=rngs)
        self.last = nnx.Linear(width, outputs[0], rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(self.drop(nnx.relu(self.norm(self.first(x.reshape(len(x), -1))))))


OWN = f"{Own.__module__}.Own"


def build_network(path: str) -> Network:
    """A network for a few numbers, or, where a model makes images alone, for an image."""
    network = Network(path, INPUTS, VECTOR)
    try:
        jax.eval_shape(network.init, jax.random.key(0))
    except ValueError:
        return Network(path, INPUTS, IMAGE)
    return network


DEEP = {"resnet", "unet"}
"""Models whose compilation takes seconds."""
PATHS = [pytest.param(kind, id=kind, marks=[pytest.mark.slow] if kind in DEEP else []) for kind in MEMBERS]


@pytest.fixture(scope="module", params=[*PATHS, pytest.param(OWN, id="own")])
def network(request: pytest.FixtureRequest) -> Network:
    return build_network(request.param)


def fit_network(network: Network, parameters: Any, rest: Any, targets: Any, steps: int) -> tuple[jax.Array, Any]:
    """Adam on all examples at once: the loss of each step, and how far each parameter came."""
    optimizer = optax.adam(3e-3)

    def loss(parameters: Any, rest: Any) -> tuple[jax.Array, Any]:
        outputs, rest = network.apply(parameters, rest, IMAGES, train=True)
        return jnp.square(outputs - targets).mean(), rest

    def step(now: Any, _: Any) -> Any:
        parameters, rest, state = now
        (value, rest), gradient = jax.value_and_grad(loss, has_aux=True)(parameters, rest)
        updates, state = optimizer.update(gradient, state)
        return (optax.apply_updates(parameters, updates), rest, state), value

    start = parameters, rest, optimizer.init(parameters)
    (trained, rest, _), losses = jax.lax.scan(step, start, None, steps)
    moved = jax.tree.map(lambda old, new: jnp.abs(new - old).max(), parameters, trained)
    return losses, moved


@pytest.fixture(scope="module")
def weights(network: Network) -> Weights:
    return init_network(network)


def init_network(network: Network) -> Weights:
    result: Weights = compile_fast(network.init)(jax.random.key(0))
    return result


def run_network(
    network: Network, parameters: Any, rest: Any, images: ArrayLike, *, train: bool = False
) -> tuple[jax.Array, Any]:
    result: tuple[jax.Array, Any] = compile_fast(_run_compiled, static_argnums=(0, 1))(
        network, train, parameters, rest, images
    )
    return result


def _run_compiled(
    network: Network, train: bool, parameters: Any, rest: Any, images: jax.Array
) -> tuple[jax.Array, Any]:
    return network.apply(parameters, rest, images, train=train)


def infer_outputs(network: Network, parameters: Any, rest: Any, images: ArrayLike) -> np.ndarray:
    return np.asarray(run_network(network, parameters, rest, images)[0])


def test_models_are_listed() -> None:
    assert {"linear", "cnn"} <= set(MEMBERS)
    assert "layers" not in MEMBERS
    assert tuple(sorted(MEMBERS)) == MODEL_KINDS


@pytest.mark.slow
def test_output_is_finite_and_compiles_alike(network: Network, weights: Weights) -> None:
    parameters, rest = weights
    eager, _ = network.apply(parameters, rest, IMAGES, train=False)
    compiled = infer_outputs(network, parameters, rest, IMAGES)
    assert eager.shape == (16, *network.outputs)
    assert np.isfinite(eager).all()
    np.testing.assert_allclose(compiled, eager, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("flag", [False, True])
def test_rounded_network_keeps_types(network: Network, flag: bool) -> None:
    """In `bfloat16` outputs, and the state after a step, have the types of float32, whatever norms are switched on."""
    flags = tuple((name, flag) for name, size in list_model_sizes(network.path).items() if size.default is False)

    def list_types(network: Network) -> list[Any]:
        def run_network() -> Any:
            return network.apply(*network.init(jax.random.key(0)), IMAGES, train=True)

        return [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(jax.eval_shape(run_network))]

    whole = replace(network, sizes=flags)
    assert list_types(replace(whole, precision="bfloat16")) == list_types(whole)


def test_outputs_differ_by_example(network: Network, weights: Weights) -> None:
    parameters, rest = weights
    outputs = infer_outputs(network, parameters, rest, IMAGES)
    among_others = infer_outputs(network, parameters, rest, np.concatenate([2 * IMAGES[:7:-1], IMAGES[7::-1]]))
    np.testing.assert_allclose(outputs[:8], among_others[:7:-1], rtol=1e-4, atol=1e-5)
    assert np.ptp(outputs, axis=0).min() > 1e-3


@pytest.mark.slow
def test_memorizes_16_examples(network: Network, weights: Weights) -> None:
    parameters, rest = weights
    targets: Any = jax.random.normal(jax.random.key(2), (16, *network.outputs))
    if network.outputs == IMAGE:  # chance in every pixel is more than a small heart holds: edges
        targets = np.abs(IMAGES - np.roll(IMAGES, 1, 1)).max(-1, keepdims=True)
    elif sum(leaf.size for leaf in jax.tree.leaves(parameters)) < targets.size:
        # with fewer parameters than values it learns what it would say if each of them were another
        targets = infer_outputs(network, jax.tree.map(lambda leaf: leaf + 0.3, parameters), rest, IMAGES)
    losses, moved = compile_fast(partial(fit_network, network, steps=300))(parameters, rest, targets)
    assert losses[-10:].mean() < 0.05 * losses[0]
    assert min(jax.tree.leaves(moved)) > 0


@pytest.mark.parametrize("name", MEMBERS)
def test_map_output_or_clear_error(name: str) -> None:
    def outputs(shape: tuple[int, int, int]) -> jax.Array:
        network = Network(name, INPUTS, shape)
        return network.apply(*network.init(jax.random.key(0)), IMAGES, train=False)[0]

    shapes = []
    for shape in (MAP, (5, 5, 2), IMAGE, (24, 24, 2)):
        try:
            shapes.append(jax.eval_shape(partial(outputs, shape)).shape)
        except ValueError as error:
            assert f"{shape[:2]}" in str(error)  # noqa: PT017
        else:
            assert shapes[-1] == (16, *shape)
    assert shapes


def test_user_model_draws_dropout_in_training() -> None:
    network = Network(OWN, INPUTS, VECTOR, (("width", 32),))
    parameters, rest = init_network(network)
    first, after = run_network(network, parameters, rest, IMAGES, train=True)
    again, _ = run_network(network, parameters, rest, IMAGES, train=True)
    second, _ = run_network(network, parameters, after, IMAGES, train=True)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - second).max() > 1e-3
    # flax: new mean = 0.99 old + 0.01 seen, from 0
    hidden = IMAGES.reshape(16, -1) @ parameters["first"]["kernel"][...] + parameters["first"]["bias"][...]
    np.testing.assert_allclose(after["norm"]["mean"][...], 0.01 * hidden.mean(0), atol=1e-5)

    judged, unmoved = run_network(network, parameters, after, IMAGES)
    np.testing.assert_array_equal(judged, infer_outputs(network, parameters, after, IMAGES))
    assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), after, unmoved)))


@pytest.mark.parametrize("channels", [1, 16, 28])
def test_group_norm_takes_any_channels(channels: int) -> None:
    x = 5 + 3 * jax.random.normal(jax.random.key(channels), (2, 8, 8, channels))
    out = np.asarray(compile_fast(lambda x: GroupNorm(channels)(x))(x))
    np.testing.assert_allclose(out.mean((1, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(np.square(out).mean((1, 2, 3)), 1, atol=1e-3)


@pytest.mark.parametrize(
    ("height", "width"), [(13, 9), *(pytest.param(*size, marks=pytest.mark.slow) for size in ((12, 12), (3, 2)))]
)
@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_unet_starts_pixelwise(height: int, width: int, times: int) -> None:
    network = Network("unet", (height, width, 2), (times * height, times * width, 3), (("depth", 3), ("width", 4)))
    parameters, rest = init_network(network)
    images = jax.random.normal(jax.random.key(1), (2, height, width, 2))
    beside = parameters["last"][1]
    wanted = images @ beside["kernel"][...] + beside["bias"][...]
    wanted = wanted.repeat(times, 1).repeat(times, 2)
    np.testing.assert_allclose(infer_outputs(network, parameters, rest, images), wanted, rtol=1e-5, atol=1e-5)


def test_unet_makes_images_only() -> None:
    with pytest.raises(ValueError, match=r"an image of \(12, 12\) into one of \(12, 12\) or \(24, 24\), not \(3,\)"):
        Network("unet", INPUTS, VECTOR).build_module(nnx.Rngs(0))
