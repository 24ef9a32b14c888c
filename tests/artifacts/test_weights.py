from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.networks import Shaky
from thalweg.artifacts import weights
from thalweg.artifacts.weights import Weights
from thalweg.core.network import Network
from thalweg.system.files import UserError

NETWORK = Network(f"{Shaky.__module__}.Shaky", (4, 4, 2), (3,))


@pytest.fixture(scope="module")
def members() -> list[Weights]:
    start = jax.jit(NETWORK.init)
    return [jax.device_get(start(jax.random.key(k))) for k in range(11)]


def test_weights_round_trip_in_order(members: list[Weights]) -> None:
    packed = weights.serialize_weights(members)
    restored = weights.deserialize_weights(NETWORK, packed)
    assert weights.serialize_weights(restored) == packed
    assert len(restored) == 11
    for member, again in zip(members, restored, strict=True):
        forms: list[Any] = [jax.tree.structure(one) for one in (member, again)]
        assert forms[0] == forms[1]
        for leaf, other in zip(jax.tree.leaves(member), jax.tree.leaves(again), strict=True):
            np.testing.assert_array_equal(leaf, other)
            assert leaf.dtype == other.dtype


def test_dropout_keys_round_trip(members: list[Weights]) -> None:
    images = jnp.ones((5, 4, 4, 2))
    run = jax.jit(lambda member: NETWORK.apply(member[0], member[1], images, train=True)[0])
    restored = weights.deserialize_weights(NETWORK, weights.serialize_weights(members[:2]))
    np.testing.assert_array_equal(run(restored[1]), run(members[1]))


@pytest.mark.parametrize(
    "other",
    [
        Network(NETWORK.path, (4, 5, 2), (3,)),
        Network(NETWORK.path, (4, 4, 2), (4,)),
        Network("linear", (4, 4, 2), (3,)),
    ],
)
def test_load_refuses_other_network(members: list[Weights], other: Network) -> None:
    with pytest.raises(UserError, match=r"do not fit model .* shapes .*, the model"):
        weights.deserialize_weights(other, weights.serialize_weights(members[:1]))


def test_load_refuses_torn_file(members: list[Weights]) -> None:
    with pytest.raises(UserError, match="not a file of weights"):
        weights.deserialize_weights(NETWORK, weights.serialize_weights(members)[:-9])
