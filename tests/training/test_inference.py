"""A task that averages over mirrored images predicts the same for an image and its mirror image."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.fast_jit import compile_fast
from thalweg.core.network import Network
from thalweg.core.types import DataSpec
from thalweg.tasks import Task
from thalweg.tasks.classify import Classify
from thalweg.tasks.count import Count
from thalweg.tasks.detect import Detect
from thalweg.tasks.enhance import Enhance
from thalweg.training import inference
from thalweg.training.plan import TrainingData

SPEC = DataSpec((8, 16, 1), 3)
ROWS: Any = np.arange(5, dtype=np.int32)


def build_data(channels: int) -> TrainingData:
    """Without backgrounds where the network is given one channel only."""
    images = np.random.default_rng(0).integers(0, 256, (len(ROWS), *SPEC.image_shape), np.uint8)
    none = np.zeros((1, 1), np.int32)
    backgrounds = np.random.default_rng(1).integers(0, 256, (channels - 1, *SPEC.image_shape), np.uint8)
    mean, scale = np.full(channels, 0.1, np.float32), np.full(channels, 3.0, np.float32)
    return TrainingData(images, {}, np.zeros(len(ROWS), np.int32), backgrounds, mean, scale, none, none[0], none, none)


OTHERS = [Count(), Classify(), Detect(cell=4), Enhance(problem="deblur", noise=0.0)]


@pytest.mark.parametrize(
    "task", [Count(density=4), *(pytest.param(task, marks=pytest.mark.slow) for task in OTHERS)], ids=repr
)
@pytest.mark.parametrize("mirror", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_mirroring_makes_predictions_symmetric(task: Task, mirror: bool) -> None:
    channels = 1 if task.CORRUPTS_INPUT else 2
    variant, straight = task.model_copy(update={"mirror": mirror}), build_data(channels)
    flipped = replace(straight, images=straight.images[:, :, ::-1], backgrounds=straight.backgrounds[:, :, ::-1])
    network = Network("resnet", (8, 16, channels), task.output_shape(SPEC), (("width", 8), ("blocks", (0, 0))))
    weights = compile_fast(network.init)(jax.random.key(0))
    one, other = (
        jnp.asarray(inference.build_predictor(network, variant)(weights, on, ROWS)) for on in (straight, flipped)
    )
    assert np.allclose(one, variant.unmirror_predictions(other, 16), rtol=1e-4, atol=1e-5) == mirror
    if mirror:
        plain = [jnp.asarray(inference.build_predictor(network, task)(weights, on, ROWS)) for on in (straight, flipped)]
        np.testing.assert_allclose(one, (plain[0] + task.unmirror_predictions(plain[1], 16)) / 2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("shape", "examples"), [((48, 48, 1), 256), ((160, 160, 3), 13), ((2048, 2048, 3), 1)])
def test_large_images_go_in_smaller_chunks(shape: tuple[int, ...], examples: int) -> None:
    assert inference.count_chunk_examples(shape) == examples
