"""A network as a function f(x, w): a model's class and sizes, split into structure and weights."""

import inspect
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal, Protocol, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from thalweg.core.own_functions import describe_signature
from thalweg.system.members import MemberError, import_class


class Model(Protocol):
    """An `nnx.Module` class; its constructor's other keyword-only parameters are its sizes."""

    def __init__(self, inputs: tuple[int, int, int], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None: ...

    def __call__(self, x: Array) -> Array:
        """[B, *inputs] -> [B, *outputs]."""


Precision = Literal["float32", "tf32", "bfloat16"]


@dataclass(frozen=True)
class Network:
    """A model's build plan: the dotted path of its class, its input and output shapes, its sizes by name.

    `precision` is that of its products: `float32`; `tf32`, float32 with 10 bits of the fraction on a GPU; or
    `bfloat16`, to which weights and inputs are rounded first. Kept weights, and all outside the network, stay float32.
    """

    path: str
    inputs: tuple[int, int, int]
    outputs: tuple[int, ...]
    sizes: tuple[tuple[str, Any], ...] = ()
    precision: Precision = "float32"

    def build_module(self, rngs: nnx.Rngs) -> nnx.Module:
        model = import_model_class(self.path)(self.inputs, self.outputs, **dict(self.sizes), rngs=rngs)
        return _mark_arrays(cast(nnx.Module, model))

    def init(self, key: Array) -> tuple[Any, Any]:
        """Draw fresh (parameters, model_state), parameters as float32 even where the model computes in fewer bits.

        The state is all that is not trained: random keys as plain numbers, and arrays that are attributes.
        """
        weights, dropout = jax.random.split(key)
        _, parameters, model_state = _split_module(self.build_module(nnx.Rngs(params=weights, dropout=dropout)))
        return _widen_floats(parameters), _keys_to_data(model_state)

    def apply(self, parameters: Any, model_state: Any, inputs: Array, *, train: bool) -> tuple[Array, Any]:
        """Compute f(inputs, parameters). Returns outputs, at least float32, and the model state afterwards."""
        structure, template = _build_structure(self, train)
        if self.precision == "bfloat16":
            parameters, inputs = _round_floats(parameters), _round_floats(inputs)
        module = nnx.merge(structure, parameters, _data_to_keys(template, model_state))
        with _set_matmul_precision(self.precision):
            outputs = module(inputs)
        return _widen_floats(outputs), _keys_to_data(_split_module(module)[2])


def import_model_class(path: str) -> type[Model]:
    """Import the class at a dotted path; a bare name means the class `Model` of that file in models/.

    Raises `MemberError` if there is none.
    """
    model: type[Model] = import_class(path if "." in path else f"thalweg.models.{path}.Model", nnx.Module)
    return model


def list_model_sizes(path: str) -> dict[str, inspect.Parameter]:
    """List a model's sizes: its constructor's keyword-only parameters except `rngs`. Raises `MemberError`."""
    signature = inspect.signature(import_model_class(path).__init__)
    sizes = {p.name: p for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY and p.name != "rngs"}
    try:
        signature.bind("self", "inputs", "outputs", rngs=None, **sizes)
    except TypeError:
        takes = describe_signature(signature)
        raise MemberError(path, f"takes {takes}; a model takes (self, inputs, outputs, *, its sizes, rngs)") from None
    return sizes


def resolve_precision(precision: Any, backend: str) -> Any:
    """Return the `Precision` that a backend computes in: only a GPU has tf32."""
    return "float32" if precision == "tf32" and backend != "gpu" else precision


def _set_matmul_precision(precision: Precision) -> AbstractContextManager[Any]:
    """On an accelerator, multiply float32 matrices in full, or as tf32, unless the user has set a precision of JAX.

    A CPU does so anyway, and setting it makes XLA 7 % slower there.
    """
    is_set = jax.config.jax_default_matmul_precision is not None  # type: ignore[attr-defined]
    backend = jax.default_backend()
    if is_set or backend == "cpu":
        return nullcontext()
    is_tf32 = resolve_precision(precision, backend) == "tf32"
    context: AbstractContextManager[Any] = jax.default_matmul_precision("tensorfloat32" if is_tf32 else "highest")
    return context


@cache
def _build_structure(network: Network, train: bool) -> tuple[Any, Any]:
    """Build the network's structure in one mode and its abstract model state, once and without computing weights."""

    structures = []

    def build_in_mode() -> Any:
        module = network.build_module(nnx.Rngs(params=0, dropout=0))
        (module.train if train else module.eval)()  # type: ignore[no-untyped-call]
        structure, _, model_state = _split_module(module)
        structures.append(structure)
        return model_state

    template = jax.eval_shape(build_in_mode)
    return structures[-1], template


def _widen_floats(tree: Any) -> Any:
    """Turn floats of fewer bits into float32, the type of losses and optimizers; float64 stays, to check gradients."""
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if _is_narrow(leaf) else leaf, tree)


def _round_floats(tree: Any) -> Any:
    """Round float32 to bfloat16; float64 stays, to check gradients."""
    return jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16) if _is_kind(leaf, jnp.float32) else leaf, tree)


def _mark_arrays(module: nnx.Module) -> nnx.Module:
    """Make arrays that are attributes part of the model state. Flax does so itself, but not while JAX traces."""
    for _, part in nnx.iter_modules(module):
        for name, value in list(vars(part).items()):
            leaves = jax.tree.leaves(value, is_leaf=lambda leaf: isinstance(leaf, nnx.Pytree | nnx.Variable))
            if any(isinstance(leaf, Array | np.ndarray) for leaf in leaves):
                setattr(part, name, nnx.data(value))
    return module


def _split_module(module: nnx.Module) -> tuple[Any, Any, Any]:
    """Split a module into (structure, parameters, model_state)."""
    structure, parameters, *others = nnx.split(module, nnx.Param, ...)
    return structure, parameters, others[0]


def _keys_to_data(model_state: Any) -> Any:
    """Turn random keys into plain numbers: a lane's state passes through the host, and NumPy has no type for keys."""
    return jax.tree.map(lambda leaf: jax.random.key_data(leaf) if _is_key(leaf) else leaf, model_state)


def _data_to_keys(template: Any, model_state: Any) -> Any:
    """Undo `_keys_to_data`; keys are threefry's, as `thalweg.core.rng` makes them."""
    wrap = partial(jax.random.wrap_key_data, impl="threefry2x32")
    return jax.tree.map(lambda abstract, leaf: wrap(leaf) if _is_key(abstract) else leaf, template, model_state)


def _is_key(leaf: Any) -> bool:
    return _is_kind(leaf, jax.dtypes.prng_key)


def _is_narrow(leaf: Any) -> bool:
    return _is_kind(leaf, jnp.floating) and leaf.dtype.itemsize < 4


def _is_kind(leaf: Any, kind: Any) -> bool:
    return hasattr(leaf, "dtype") and bool(jnp.issubdtype(leaf.dtype, kind))
