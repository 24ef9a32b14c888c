"""Lanes on several devices: the same bits."""

import os
import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT

SCRIPT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import thalweg
import jax, numpy as np
from tests.helpers import small_lanes as lanes
from tests.helpers.trees import are_equal_trees
from thalweg.engine import devices, population
data = devices.copy_to_devices(lanes.draw_training_data())
states = [population.init_lane(lanes.PLAN, lanes.HYPERS[0], seed, 0) for seed in lanes.SEEDS]
ends = lanes.train_lanes(lanes.PLAN, lanes.HYPERS, states, data)
total = hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(ends)))
alone = [lanes.train_lanes(lanes.PLAN, [lanes.HYPERS[i]], [states[i]], data)[0] for i in (0, 4)]
print(jax.device_count(), are_equal_trees(alone, [ends[0], ends[4]]), total.hexdigest())
"""


@pytest.mark.slow
def test_two_devices_give_same_bits() -> None:
    """Compiled as a study compiles, whatever flags the other tests have."""
    outputs = []
    for count in (1, 2):
        flags = f"--xla_force_host_platform_device_count={count}"
        environment = os.environ | {"XLA_FLAGS": flags, "NPROC": "2", "JAX_PLATFORMS": "cpu"}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(ROOT)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(done.stdout.split())
    assert [count for count, *_ in outputs] == ["1", "2"]
    assert outputs[0][1:] == outputs[1][1:]
    assert outputs[0][1] == "True"
