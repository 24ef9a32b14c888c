from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from thalweg.core import network
from thalweg.core.network import Network
from thalweg.system.members import MemberError


class Shaky(nnx.Module):
    """A matrix behind dropout, with a size that has no default."""

    def __init__(
        self,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        *,
        rate: float,
        names: tuple[str, ...] = (),  # noqa: ARG002
        rngs: nnx.Rngs,
    ) -> None:
        self.drop, self.last = nnx.Dropout(rate, rngs=rngs), nnx.Linear(int(np.prod(inputs)), outputs[0], rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(self.drop(x.reshape(len(x), -1)))


SHAKY = Network(f"{Shaky.__module__}.Shaky", (4, 4, 1), (2,), (("rate", 0.5),))
ONES = jnp.ones((3, 4, 4, 1))


def test_model_class_by_name_or_path() -> None:
    assert network.import_model_class("linear").__module__ == "thalweg.models.linear"
    assert network.import_model_class(SHAKY.path) is Shaky


@pytest.mark.parametrize("path", ["nothing", "layers", "nowhere.Model", f"{Shaky.__module__}.Nothing"])
def test_missing_model_cannot_be_imported(path: str) -> None:
    with pytest.raises(MemberError):
        network.import_model_class(path)


def test_sizes_are_init_keywords() -> None:
    assert {name: p.default for name, p in network.list_model_sizes("mlp").items()} == {"width": 128, "depth": 2}
    assert list(network.list_model_sizes(SHAKY.path)) == ["rate", "names"]
    assert network.list_model_sizes("linear") == {}


def test_rounded_network_has_whole_weights_and_sums() -> None:
    """In `bfloat16` the products are of rounded numbers; what is trained, and what comes out, has 32 bits."""
    rounded = Network("linear", (4, 4, 1), (2,), precision="bfloat16")
    inputs = jax.random.normal(jax.random.key(1), (3, 4, 4, 1))
    parameters, model_state = rounded.init(jax.random.key(0))

    def compute_sum(parameters: Any) -> Any:
        outputs, _ = rounded.apply(parameters, model_state, inputs, train=True)
        return outputs.sum(), outputs

    gradient, outputs = jax.grad(compute_sum, has_aux=True)(parameters)
    assert {leaf.dtype for leaf in jax.tree.leaves((parameters, gradient, outputs))} == {jnp.dtype("float32")}
    kernel = np.asarray(parameters["last"]["kernel"][...].astype(jnp.bfloat16), np.float32)
    flat = np.asarray(inputs.astype(jnp.bfloat16), np.float32).reshape(3, -1)
    np.testing.assert_allclose(outputs, flat @ kernel, rtol=2**-7)
    assert (outputs == outputs.astype(jnp.bfloat16)).all()
    assert (
        outputs != replace(rounded, precision="float32").apply(parameters, model_state, inputs, train=True)[0]
    ).any()


def test_gradient_checks_are_not_rounded() -> None:
    with jax.enable_x64(True):
        rounded = Network("linear", (4, 4, 1), (2,), precision="bfloat16")
        parameters, model_state = rounded.init(jax.random.key(0))
        parameters = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), parameters)
        inputs = jnp.full((3, 4, 4, 1), 1 / 3, jnp.float64)
        whole = replace(rounded, precision="float32")
        outputs, expected = (n.apply(parameters, model_state, inputs, train=False)[0] for n in (rounded, whole))
        np.testing.assert_array_equal(outputs, expected)


@pytest.mark.parametrize(
    ("precision", "backend", "expected"),
    [
        ("tf32", "gpu", "tf32"),
        ("tf32", "cpu", "float32"),
        ("tf32", "tpu", "float32"),
        ("bfloat16", "cpu", "bfloat16"),
        ("float32", "gpu", "float32"),
    ],
)
def test_only_a_gpu_has_tf32(precision: str, backend: str, expected: str) -> None:
    assert network.resolve_precision(precision, backend) == expected


def test_key_determines_weights() -> None:
    first, again, other = (SHAKY.init(jax.random.key(k)) for k in (0, 0, 1))
    are_equal = jax.tree.map(lambda a, b: bool((a == b).all()), first, again)
    assert all(jax.tree.leaves(are_equal))
    assert (first[0]["last"]["kernel"][...] != other[0]["last"]["kernel"][...]).all()
    assert (first[1]["drop"]["rngs"]["key"][...] != other[1]["drop"]["rngs"]["key"][...]).any()


def test_state_passes_through_host() -> None:
    host = jax.device_get(SHAKY.init(jax.random.key(0)))
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(host))
    run = jax.jit(lambda p, r: SHAKY.apply(p, r, ONES, train=True)[0])
    np.testing.assert_array_equal(run(*host), run(*SHAKY.init(jax.random.key(0))))


def test_dropout_varies_only_in_training() -> None:
    parameters, rest = SHAKY.init(jax.random.key(0))
    first, rest_after = SHAKY.apply(parameters, rest, ONES, train=True)
    second, _ = SHAKY.apply(parameters, rest_after, ONES, train=True)
    assert (first != second).any()
    judged, unmoved = SHAKY.apply(parameters, rest_after, ONES, train=False)
    np.testing.assert_allclose(judged, ONES.reshape(3, -1) @ parameters["last"]["kernel"][...], rtol=1e-5)
    assert int(unmoved["drop"]["rngs"]["count"][...]) == int(rest_after["drop"]["rngs"]["count"][...]) == 1


def test_compiled_dropout_matches_eager() -> None:
    parameters, rest = SHAKY.init(jax.random.key(0))
    compiled = jax.jit(lambda p, r, x: SHAKY.apply(p, r, x, train=True)[0])(parameters, rest, ONES)
    eager = SHAKY.apply(parameters, rest, ONES, train=True)[0]
    np.testing.assert_array_equal(np.asarray(compiled) == 0, np.asarray(eager) == 0)
    np.testing.assert_allclose(compiled, eager, rtol=1e-5)


@pytest.mark.parametrize(("backend", "is_full"), [("cpu", False), ("gpu", True)])
def test_accelerator_uses_full_precision(monkeypatch: pytest.MonkeyPatch, backend: str, is_full: bool) -> None:
    parameters, rest = SHAKY.init(jax.random.key(0))
    monkeypatch.setattr(jax, "default_backend", lambda: backend)

    def loss(parameters: Any) -> jax.Array:
        return SHAKY.apply(parameters, rest, ONES, train=True)[0].sum()

    program = str(jax.make_jaxpr(jax.grad(loss))(parameters))
    assert "dot_general" in program
    assert ("precision=(Precision.HIGHEST" in program) == is_full
    with jax.default_matmul_precision("bfloat16"):
        assert "HIGHEST" not in str(jax.make_jaxpr(jax.grad(loss))(parameters))


class Constants(nnx.Module):
    """Arrays as attributes, of this module and of one inside it, and outputs of a small type."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, depth: int = 1, rngs: nnx.Rngs) -> None:
        self.scale, self.offset = jnp.full(outputs, 2.0), np.ones(outputs, np.float32)
        size = int(np.prod(inputs))
        self.last = nnx.Linear(size, outputs[0], rngs=rngs, dtype=jnp.bfloat16, param_dtype=jnp.bfloat16)
        self.inner = nnx.List([Constants(inputs, outputs, depth=0, rngs=rngs)] if depth else [])

    def __call__(self, x: jax.Array) -> jax.Array:
        outputs: jax.Array = self.last(x.reshape(len(x), -1)) * self.scale.astype(jnp.bfloat16)
        return sum((inner(x) for inner in self.inner), outputs + self.offset.astype(jnp.bfloat16))


def test_arrays_as_attributes_are_state() -> None:
    constants = Network(f"{Constants.__module__}.Constants", (4, 4, 1), (2,))
    for init in (constants.init, jax.jit(constants.init)):
        parameters, state = init(jax.random.key(0))
        assert {leaf.dtype for leaf in jax.tree.leaves(parameters)} == {np.dtype(np.float32)}
        assert len(jax.tree.leaves(parameters)) == len(jax.tree.leaves(state)) == 4
        for train in (True, False):
            outputs, after = jax.jit(lambda p, s, t=train: constants.apply(p, s, ONES, train=t))(parameters, state)
            assert outputs.dtype == jnp.float32
            assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), after, state)))
        alone = ONES.reshape(3, -1) @ parameters["last"]["kernel"][...]
        inner = ONES.reshape(3, -1) @ parameters["inner"][0]["last"]["kernel"][...]
        np.testing.assert_allclose(outputs, 2 * (alone + inner) + 2, rtol=0.05, atol=0.05)
