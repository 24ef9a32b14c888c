"""A network as a function f(x, w): the model's class and sizes, split once into structure and weights."""

import importlib
import inspect
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Protocol, cast

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array


class Model(Protocol):
    """A class of `nnx.Module`s; its constructor's other keyword-only parameters are its sizes."""

    def __init__(self, inputs: tuple[int, int, int], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None: ...

    def __call__(self, x: Array) -> Array:
        """[B, *inputs] -> [B, *outputs]."""


@dataclass(frozen=True)
class Network:
    """What a model is built from: the dotted path of its class, its input and output shapes, its sizes by name."""

    path: str
    inputs: tuple[int, int, int]
    outputs: tuple[int, ...]
    sizes: tuple[tuple[str, Any], ...] = ()

    def build_module(self, rngs: nnx.Rngs) -> nnx.Module:
        return cast(nnx.Module, import_model_class(self.path)(self.inputs, self.outputs, **dict(self.sizes), rngs=rngs))

    def init(self, key: Array) -> tuple[Any, Any]:
        """Fresh (parameters, rest): what is trained and what else the network carries, random keys as plain numbers."""
        weights, dropout = jax.random.split(key)
        _, parameters, rest = _split_module(self.build_module(nnx.Rngs(params=weights, dropout=dropout)))
        return parameters, _keys_to_data(rest)

    def apply(self, parameters: Any, model_state: Any, inputs: Array, *, train: bool) -> tuple[Array, Any]:
        """f(inputs, parameters), and `model_state` as it is afterwards."""
        structure, form = _build_structure(self, train)
        module = nnx.merge(structure, parameters, _data_to_keys(form, model_state))
        with _use_full_precision():
            outputs: Array = module(inputs)
        return outputs, _keys_to_data(_split_module(module)[2])


def import_model_class(path: str) -> type[Model]:
    """The class at a dotted path; a bare name is a file in models/, its class called `Model`.

    Raises ImportError or AttributeError where there is none.
    """
    if "." not in path:
        path = f"thalweg.models.{path}.Model"
    module, name = path.rsplit(".", 1)
    model: type[Model] = getattr(importlib.import_module(module), name)
    return model


def list_model_sizes(path: str) -> dict[str, inspect.Parameter]:
    """The sizes that a model takes: its constructor's keyword-only parameters but `rngs`."""
    parameters = inspect.signature(import_model_class(path).__init__).parameters.values()
    return {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "rngs"}


def _use_full_precision() -> AbstractContextManager[Any]:
    """On an accelerator products take all bits of float32, unless a person has asked for another precision.

    A CPU's do so anyway, and asking for it makes XLA take a way that is 7 % slower.
    """
    asked = jax.config.jax_default_matmul_precision is not None  # type: ignore[attr-defined]
    return nullcontext() if asked or jax.default_backend() == "cpu" else jax.default_matmul_precision("highest")


@cache
def _build_structure(network: Network, train: bool) -> tuple[Any, Any]:
    """The network's structure in one mode and the form of its rest: built once, its weights never computed."""

    def abstract() -> nnx.Module:
        module = network.build_module(nnx.Rngs(params=0, dropout=0))
        (module.train if train else module.eval)()  # type: ignore[no-untyped-call]
        return module

    structure, _, form = _split_module(nnx.eval_shape(abstract))
    return structure, form


def _split_module(module: nnx.Module) -> tuple[Any, Any, Any]:
    """(structure, parameters, rest)."""
    structure, parameters, *rest = nnx.split(module, nnx.Param, ...)
    return structure, parameters, rest[0]


def _keys_to_data(rest: Any) -> Any:
    """Random keys as their numbers: NumPy has no type for keys, and what a lane carries passes through the host."""
    return jax.tree.map(lambda leaf: jax.random.key_data(leaf) if _is_key(leaf) else leaf, rest)


def _data_to_keys(form: Any, rest: Any) -> Any:
    """The inverse of `_plain`; keys are threefry's, as `thalweg.core.rng` makes them."""
    wrap = partial(jax.random.wrap_key_data, impl="threefry2x32")
    return jax.tree.map(lambda known, leaf: wrap(leaf) if _is_key(known) else leaf, form, rest)


def _is_key(leaf: Any) -> bool:
    return bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))
