from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from tests.helpers.fast_jit import compile_fast
from thalweg.core import augmentations

B = 16
H = 20
W = 24
P = 3
NAMES = augmentations.list_augmentations()
EACH = pytest.mark.parametrize("name", NAMES)
GEOMETRIC = pytest.mark.parametrize("name", [member.__name__ for member in augmentations.GEOMETRIC])
KEY = jax.random.key(3)

run = compile_fast(augmentations.apply_augmentations, static_argnums=0)


def build_strengths(value: float) -> dict[str, jax.Array]:
    return {name: jnp.float32(value) for name in NAMES}


def build_batch(seed: int = 0, **more: jax.Array) -> augmentations.ImageBatch:
    image = np.random.default_rng(seed).random((B, H, W, 3))
    return {"image": jnp.asarray(image, jnp.float32)} | more


def with_objects(seed: int = 0) -> augmentations.ImageBatch:
    """Dim images, one bright pixel of its own channel for each of P objects, none on the frame's own edge."""
    draw = np.random.default_rng(seed)
    x, y = draw.integers(1, W - 1, (B, P)), draw.integers(1, H - 1, (B, P))
    present = draw.random((B, P)) < 0.8
    image = np.full((B, H, W, P), 0.1, np.float32)
    for b, p in np.argwhere(present):
        image[b, y[b, p], x[b, p], p] = 0.9
    points = np.stack([x, y], -1).astype(np.float32) + 0.5
    boxes = np.concatenate([np.maximum(points - 2, 0), np.minimum(points + 2, [W, H])], -1).astype(np.float32)
    batch = {"image": image, "points": points, "boxes": boxes, "present": present, "label": np.arange(B)}
    return {name: jnp.asarray(value) for name, value in batch.items()}


@EACH
def test_zero_strength_is_identity(name: str) -> None:
    before = with_objects() | build_batch()
    for after in (
        run((name,), KEY, before, build_strengths(0.0)),
        compile_fast(getattr(augmentations, name))(KEY, before, jnp.float32(0)),
    ):
        for key, value in before.items():
            np.testing.assert_array_equal(after[key], value)


@EACH
def test_each_example_has_its_own_draw(name: str) -> None:
    repeated = {"image": jnp.broadcast_to(build_batch()["image"][:1], (B, H, W, 3))}
    after = np.asarray(run((name,), KEY, repeated, build_strengths(0.5))["image"])
    assert len(np.unique(after.reshape(B, -1), axis=0)) == (2 if name == "flip" else B)


@EACH
def test_augmentation_depends_on_key(name: str) -> None:
    before = build_batch()
    first, again, other = (
        run((name,), key, before, build_strengths(0.4))["image"] for key in (KEY, KEY, jax.random.key(4))
    )
    np.testing.assert_array_equal(first, again)
    assert not jnp.array_equal(first, other)


@EACH
def test_compiled_equals_eager(name: str) -> None:
    before = with_objects()
    compiled, eager = (f((name,), KEY, before, build_strengths(0.3)) for f in (run, augmentations.apply_augmentations))
    for key in before:
        np.testing.assert_allclose(compiled[key], eager[key], atol=1e-6)


@pytest.mark.parametrize("member", augmentations.PHOTOMETRIC, ids=lambda member: member.__name__)
def test_light_leaves_objects_alone(member: Callable[..., Any]) -> None:
    before = with_objects()
    after = member(KEY, before, jnp.float32(1.0))
    assert (after["image"] >= 0).all()
    assert (after["image"] <= 1).all()
    assert all(after[key] is before[key] for key in before if key != "image")


@GEOMETRIC
def test_points_follow_bright_pixels(name: str) -> None:
    visible_points = 0
    for seed in range(5):
        before = with_objects(seed)
        after = run((name,), jax.random.key(seed), before, build_strengths(0.45))
        bright = np.asarray(after["image"]) > 0.8
        np.testing.assert_array_equal(bright.any((1, 2)), after["present"])
        for b, p in np.argwhere(np.asarray(after["present"])):
            x, y = np.asarray(after["points"])[b, p]
            np.testing.assert_array_equal(np.argwhere(bright[b, :, :, p]), [[int(y), int(x)]])
            visible_points += 1
        np.testing.assert_array_equal(after["label"], before["label"])
        assert not (after["present"] & ~before["present"]).any()
    assert visible_points > 50


@GEOMETRIC
def test_boxes_follow_their_objects(name: str) -> None:
    before = with_objects()
    after = run((name,), KEY, before, build_strengths(0.45))
    x0, y0, x1, y1 = np.moveaxis(np.asarray(after["boxes"]), -1, 0)
    x, y = np.moveaxis(np.asarray(after["points"]), -1, 0)
    here = np.asarray(after["present"])
    assert ((x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1))[here].all()
    assert ((x0 >= 0) & (y0 >= 0) & (x1 <= W) & (y1 <= H)).all()


@GEOMETRIC
def test_presence_follows_box_centres(name: str) -> None:
    before = with_objects()
    centred = (before["boxes"][..., :2] + before["boxes"][..., 2:]) / 2
    by_point = run((name,), KEY, before | {"points": centred}, build_strengths(0.45))
    by_box = run((name,), KEY, {key: value for key, value in before.items() if key != "points"}, build_strengths(0.45))
    np.testing.assert_array_equal(by_box["present"], by_point["present"])
    np.testing.assert_array_equal(by_box["boxes"], by_point["boxes"])


def test_two_flips_are_identity() -> None:
    before = with_objects()
    once = compile_fast(augmentations.flip)(KEY, before, jnp.float32(1.0))
    assert (once["points"][..., 0] == W - before["points"][..., 0]).all()
    twice = compile_fast(augmentations.flip)(KEY, once, jnp.float32(1.0))
    for key, value in before.items():
        np.testing.assert_array_equal(twice[key], value)


def test_flip_probability_is_its_strength() -> None:
    image = jnp.zeros((4000, 1, 2, 1)).at[:, :, 0].set(1.0)
    flipped = compile_fast(augmentations.flip)(KEY, {"image": image}, jnp.float32(0.3))["image"][:, 0, 1, 0]
    assert float(flipped.mean()) == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 4000))


def test_shift_is_uniform_and_repeats_edges() -> None:
    count = 3000
    image = jnp.broadcast_to(jnp.arange(10.0)[None, None, :, None] + jnp.zeros((1, 4, 1, 1)), (count, 4, 10, 1))
    after = np.asarray(compile_fast(augmentations.shift)(KEY, {"image": image}, jnp.float32(0.25))["image"])[:, 0, :, 0]
    moved = 5 - after[:, 5]
    assert set(moved) == {-2, -1, 0, 1, 2}
    assert stats.chisquare(np.unique(moved, return_counts=True)[1]).pvalue > 1e-4
    np.testing.assert_array_equal(after, np.clip(np.arange(10) - moved[:, None], 0, 9))


def test_cutout_is_one_mean_square() -> None:
    before = build_batch()
    image = np.asarray(before["image"])
    after = np.asarray(compile_fast(augmentations.cutout)(KEY, before, jnp.float32(0.3))["image"])
    for b in range(B):
        rows, columns = np.nonzero((after[b] != image[b]).any(-1))
        assert len(rows) == 36
        assert np.ptp(rows) == np.ptp(columns) == 5
        np.testing.assert_allclose(after[b, rows[0], columns[0]], image[b].mean((0, 1)), rtol=1e-5)


def test_brightness_and_contrast_effects() -> None:
    image = build_batch()["image"] * 0.2 + 0.4
    brighter = compile_fast(augmentations.brightness)(KEY, {"image": image}, jnp.float32(0.2))["image"] - image
    assert float(jnp.ptp(brighter, axis=(1, 2, 3)).max()) < 1e-6
    assert 0.1 < float(jnp.abs(brighter).max()) <= 0.2
    harder = compile_fast(augmentations.contrast)(KEY, {"image": image}, jnp.float32(0.5))["image"]
    np.testing.assert_allclose(harder.mean((1, 2, 3)), image.mean((1, 2, 3)), rtol=1e-4)
    by = np.log(harder.std((1, 2, 3)) / image.std((1, 2, 3)))
    assert 0.25 < np.abs(by).max() <= 0.5 + 1e-4


def test_noise_is_normal_and_white() -> None:
    image = jnp.full((8, 32, 32, 3), 0.5)
    values = (
        np.asarray(compile_fast(augmentations.noise)(KEY, {"image": image}, jnp.float32(0.1))["image"]) - 0.5
    ) / 0.1
    chance = 4 / np.sqrt(values.size)
    assert values.mean() == pytest.approx(0, abs=chance)
    assert values.std() == pytest.approx(1, abs=chance)
    assert stats.kstest(values.ravel(), "norm").statistic < 0.01 + chance
    for axis in range(4):
        a, b = np.delete(values, 0, axis).ravel(), np.delete(values, -1, axis).ravel()
        assert np.corrcoef(a, b)[0, 1] == pytest.approx(0, abs=4 / np.sqrt(a.size))
    other = (
        np.asarray(compile_fast(augmentations.noise)(jax.random.key(9), {"image": image}, jnp.float32(0.1))["image"])
        - 0.5
    )
    assert np.corrcoef(values.ravel(), other.ravel())[0, 1] == pytest.approx(0, abs=chance)


@EACH
def test_other_draws_stay_the_same(name: str) -> None:
    silent = build_strengths(0.0) | {name: jnp.float32(0.4)}
    before = with_objects()
    alone, among = run((name,), KEY, before, silent), run(NAMES, KEY, before, silent)
    for key in before:
        np.testing.assert_array_equal(alone[key], among[key])


def test_name_order_does_not_matter() -> None:
    before = with_objects()
    forth, back = (run(names, KEY, before, build_strengths(0.2)) for names in (NAMES, NAMES[::-1]))
    np.testing.assert_array_equal(forth["image"], back["image"])


def test_lanes_equal_lone_runs_and_share_program() -> None:
    before, traces = with_objects(), []

    @jax.jit
    def step(values: Any) -> jax.Array:
        traces.append(values)
        return augmentations.apply_augmentations(NAMES, KEY, before, values)["image"]

    lanes = {name: jnp.array([0.0, 0.2, 0.4]) for name in NAMES}
    looped = jax.jit(lambda lanes: jax.lax.map(step, lanes))(lanes)
    count = len(traces)
    for lane in range(3):
        np.testing.assert_array_equal(looped[lane], step({name: value[lane] for name, value in lanes.items()}))
    assert len(traces) <= count + 1
