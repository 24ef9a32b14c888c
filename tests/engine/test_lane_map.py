"""One function for each lane that is on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.engine.lane_map import LaneMap, map_sequential, map_vmapped


@pytest.mark.parametrize("each", [map_sequential, map_vmapped])
@pytest.mark.parametrize("on", [[True, False, True, True], [False] * 4, [True] * 4, [False, False, False, True]])
def test_active_lanes_are_mapped(each: LaneMap, on: list[bool]) -> None:
    lanes = {"a": jnp.arange(4.0), "b": jnp.ones((4, 2), jnp.int32)}
    offsets = jnp.array([10.0, 20.0, 30.0, 40.0])

    def change(lane: dict[str, jax.Array], offsets: jax.Array) -> dict[str, jax.Array]:
        return {"a": lane["a"] + offsets, "b": lane["b"] * 3}

    after = jax.jit(lambda on, lanes, offsets: each(change, on, lanes, offsets))(jnp.array(on), lanes, offsets)
    np.testing.assert_array_equal(after["a"], np.arange(4.0) + np.where(on, offsets, 0))
    np.testing.assert_array_equal(after["b"], np.where(np.array(on)[:, None], 3, 1) * np.ones((4, 2)))


@pytest.mark.parametrize("each", [map_sequential, map_vmapped])
def test_inactive_lanes_are_untouched(each: LaneMap) -> None:
    """A lane that is off may hold numbers that are not."""
    lanes = jnp.array([1.0, jnp.nan, 2.0])
    after = each(lambda lane, _: jnp.log(lane), jnp.array([True, False, True]), lanes, jnp.zeros(3))
    np.testing.assert_array_equal(np.isnan(after), [False, True, False])
    np.testing.assert_allclose(after[jnp.array([0, 2])], np.log([1.0, 2.0]), rtol=1e-6)
