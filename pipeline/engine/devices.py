"""The devices that lanes are spread over."""

from functools import cache

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from thalweg.engine.program import Data


@cache
def mesh() -> jax.sharding.Mesh:
    return jax.make_mesh((jax.device_count(),), ("lanes",), axis_types=(AxisType.Auto,))


def to_devices(data: Data) -> Data:
    """Data copied to every device, once."""
    placed: Data = jax.device_put(data, NamedSharding(mesh(), PartitionSpec()))  # type: ignore[no-untyped-call]
    return placed
