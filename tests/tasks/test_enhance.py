"""The inputs that the network gets from each image, and the metrics of its outputs."""

import jax
import numpy as np
import pytest
from numpy.typing import NDArray
from ruamel.yaml import YAML

from tests.helpers.fast_jit import run_task_method
from tests.helpers.paths import ROOT
from thalweg.config import checks
from thalweg.data.examples import Examples
from thalweg.tasks.enhance import Enhance, classical_filters

KEYS = jax.random.split(jax.random.key(0), 6)
GRAY = np.full((6, 16, 20, 3), 0.5, np.float32)


def corrupt_images(task: Enhance, keys: jax.Array, images: NDArray[np.floating]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = run_task_method(task, "corrupt_images", keys, images.astype(np.float32))
    return result


def draw_examples(count: int, side: int = 32) -> Examples:
    """Bright boxes on dark ground, which every filter can do something for."""
    draw = np.random.default_rng(1)
    images = np.full((count, side, side, 3), 60, np.uint8)
    for image in images:
        for _ in range(4):
            (y, x), (high, wide) = draw.integers(0, side - 8, 2), draw.integers(4, 12, 2)
            image[y : y + high, x : x + wide] = draw.integers(90, 230, 3)
    names = np.array([f"{i}" for i in range(count)])
    return Examples(images, names, names, np.full(count, ""), {})


def test_noise_has_requested_deviation() -> None:
    for task, wanted in ((Enhance(noise=0.05), 0.05), (Enhance(), 0.1), (Enhance(problem="deblur"), 0.01)):
        apart = corrupt_images(task, KEYS, GRAY) - 0.5
        assert apart.std() == pytest.approx(wanted, rel=0.05)
        assert np.abs(np.corrcoef(apart.reshape(6, -1)) - np.eye(6)).max() < 0.1


def test_corruption_depends_on_key() -> None:
    first, again = (corrupt_images(Enhance(), KEYS, GRAY) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != corrupt_images(Enhance(), KEYS[::-1], GRAY)).any()


def test_corrupted_images_are_8_bit() -> None:
    for problem in ("denoise", "deblur", "lighten", "upscale"):
        steps = corrupt_images(Enhance(problem=problem), KEYS, GRAY) * 255
        np.testing.assert_allclose(steps, steps.round(), atol=1e-3)


def test_blur_spreads_a_point_to_kernel() -> None:
    task = Enhance(problem="deblur", blur=1.0, noise=0.0)
    point = np.zeros((6, 16, 20, 1))
    point[:, 8, 10] = 1
    spread = corrupt_images(task, KEYS, point)[0, 5:12, 7:14, 0]
    np.testing.assert_allclose(spread, np.outer(task.blur_kernel, task.blur_kernel), atol=0.51 / 255)
    np.testing.assert_allclose(corrupt_images(task, KEYS, GRAY), 0.5, atol=0.51 / 255)


def test_darkening_keeps_part_of_the_light() -> None:
    task = Enhance(problem="lighten", gain=0.3, gamma=2.0, noise=0.0)
    light = corrupt_images(task, KEYS, np.ones((6, 8, 8, 1)))[:, 0, 0, 0]
    assert ((light > 0.29) & (light < 0.61)).all()
    assert np.ptp(light) > 0.05
    half = corrupt_images(task, KEYS, np.full((6, 8, 8, 1), 0.5))[:, 0, 0, 0]
    np.testing.assert_allclose(half, light / 4, atol=1 / 255)


def test_half_size_averages_four_pixels() -> None:
    image = np.arange(64.0).reshape(1, 8, 8, 1) * 4 / 255
    small = corrupt_images(Enhance(problem="upscale"), KEYS[:1], image)[0, :, :, 0] * 255
    np.testing.assert_allclose(small[:2, :2], [[18, 26], [82, 90]], atol=1e-3)


def test_unsuited_images_are_explained() -> None:
    odd, small = draw_examples(2, 31), draw_examples(2, 32).take_rows(np.arange(2))
    assert Enhance().find_data_faults(odd) == []
    assert "31 x 31" in Enhance(problem="upscale").find_data_faults(odd)[0]
    tiny = Examples(small.images[:, :4], small.names, small.groups, small.split, {})
    assert "too small" in Enhance().find_data_faults(tiny)[0]


def test_background_cannot_be_subtracted() -> None:
    tree = YAML(typ="safe").load(ROOT / "presets/enhance.yaml")
    assert checks.find_problems(tree) == []
    tree["data"]["background"] = "^[^-]+"
    (problem,) = checks.find_problems(tree)
    assert problem.path == ("data", "background")


def test_psnr_and_errors_by_hand() -> None:
    examples = draw_examples(2, 16)
    inputs = examples.images[:, ::2, ::2] / np.float32(255)
    inputs[...] = np.float32(1 / 255)
    black = Examples(0 * examples.images, examples.names, examples.groups, examples.split, {})
    outputs = np.full((2, 16, 16, 3), 0.1, np.float32)
    compared = Enhance(problem="upscale").build_extra_columns(black, inputs.astype(np.float32), outputs)
    np.testing.assert_allclose(compared["psnr"], 20, atol=1e-4)
    np.testing.assert_allclose(compared["given_psnr"], 20 * np.log10(255), atol=1e-4)
    np.testing.assert_allclose(Enhance().compute_errors(outputs, black), 0.1, rtol=1e-6)


def test_picture_shows_before_after_truth() -> None:
    examples = draw_examples(1, 16)
    inputs = np.zeros((1, 8, 8, 3), np.float32)
    (picture,) = Enhance(problem="upscale").draw_pictures(examples, inputs, np.full((1, 16, 16, 3), 2.0))
    before, after, truth = picture[:, :16], picture[:, 18:34], picture[:, 36:]
    assert (before == 0).all()
    assert (after == 255).all()
    np.testing.assert_array_equal(truth, examples.images[0])
    assert (picture[:, 16:18] == 255).all()


@pytest.mark.parametrize("problem", ["denoise", "deblur", "lighten", "upscale"])
@pytest.mark.parametrize("channels", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_filters_beat_trivial_answer(problem: str, channels: int) -> None:
    task, examples = Enhance.model_validate({"problem": problem}), draw_examples(6)
    train = Examples(examples.images[..., :channels], examples.names, examples.groups, examples.split, {})
    clean = train.images.astype(np.float32) / 255
    inputs = corrupt_images(task, KEYS, clean)
    answers = task.compute_references(train, inputs)
    quality = {name: float(np.square(output - clean).mean()) for name, output in answers.items()}
    assert all(output.shape == clean.shape and output.min() >= 0 and output.max() <= 1 for output in answers.values())
    trivial, *others = quality
    assert trivial in ("the unchanged input", "nearest pixel")
    assert min(quality[name] for name in others) < quality[trivial]


def test_filters_are_tuned_on_training() -> None:
    images = np.full((2, 4, 4, 1), 0.5)
    settings = {"a half": lambda image: image / 2, "whole": classical_filters.keep_image}
    filters = classical_filters.tune_filters(
        {"light": settings, "same": {"": classical_filters.keep_image}}, images, images
    )
    assert list(filters) == ["light, whole", "same"]
    assert filters["light, whole"] is classical_filters.keep_image
