"""The devices of this process, and data on each of them."""

from functools import cache

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from thalweg.engine.program import Data


@cache
def device_mesh() -> jax.sharding.Mesh:
    return jax.make_mesh((jax.device_count(),), ("lanes",), axis_types=(AxisType.Auto,))


def copy_to_devices(data: Data) -> Data:
    """Put data on every device. A CPU's devices share an array that is mapped from a file, and copy others."""
    return jax.device_put(data, NamedSharding(device_mesh(), PartitionSpec()))  # type: ignore[no-untyped-call]
