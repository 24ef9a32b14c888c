"""Augmentations: a batch made different without making its target false. `(key, batch, strength) -> batch`.

A batch is a dict: `image` float32 [B, H, W, C]; where they are known, objects as `points` [B, P, 2], `boxes`
[B, P, 4] and `present` [B, P] (pixels, as `thalweg.data.examples` says). What moves in the image moves there too, and
what is no longer seen is no longer present. Every other key passes as it is, `count` too: after `shift` or `cutout`
the number of objects is that of `present`.

Strengths are traced, 0 to 1; 0 gives the batch back bit for bit. Each example has a draw of its own. A new
augmentation is one function and its line in `PHOTOMETRIC` (changes light; wants images in 0..1 and keeps them there) or
`GEOMETRIC` (moves pixels; any scale and any channels). The line says what it changes: it suits every task whose target
does not depend on that.
"""

import zlib
from collections.abc import Callable, Iterable
from enum import Flag, auto

import jax
import jax.numpy as jnp
from jax import Array

ImageBatch = dict[str, Array]
Augmentation = Callable[[Array, ImageBatch, Array], ImageBatch]
"""(key, batch, strength) -> batch."""


class Change(Flag):
    """What an augmentation changes, and what a target may depend on."""

    NOTHING = 0
    LIGHT = auto()  # how bright the scene is
    DETAIL = auto()  # pixels that show something else than the scene
    OBJECTS = auto()  # which objects are seen; where their places are known, `present` follows


def brightness(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Add to each image one value uniform in [-strength, strength], then clip to 0..1."""
    image = batch["image"]
    return batch | {"image": jnp.clip(image + strength * _draw_signed(key, len(image))[:, None, None, None], 0.0, 1.0)}


def contrast(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Scale each image about its mean by exp(u), u uniform in [-strength, strength], then clip to 0..1."""
    image = batch["image"]
    mean = image.mean((1, 2, 3), keepdims=True)
    # x + (x - mean) (e^u - 1) rather than mean + (x - mean) e^u: exactly x at u = 0
    more = jnp.expm1(strength * _draw_signed(key, len(image)))[:, None, None, None]
    return batch | {"image": jnp.clip(image + (image - mean) * more, 0.0, 1.0)}


def noise(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Add to each value its own noise of standard deviation `strength`, about normal, then clip to 0..1."""
    image = batch["image"]
    return batch | {"image": jnp.clip(image + strength * draw_approximate_normal(key, image.shape), 0.0, 1.0)}


def flip(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Mirror each example left to right with probability `strength`."""
    image, width = batch["image"], batch["image"].shape[2]
    chosen = jax.random.uniform(key, (len(image),)) < strength
    changed = {"image": jnp.where(chosen[:, None, None, None], image[:, :, ::-1], image)}
    if "points" in batch:
        mirrored = jnp.array([width, 0.0]) + jnp.array([-1.0, 1.0]) * batch["points"]
        changed["points"] = jnp.where(chosen[:, None, None], mirrored, batch["points"])
    if "boxes" in batch:
        x0, y0, x1, y1 = (batch["boxes"][..., side] for side in range(4))
        mirrored = jnp.stack([width - x1, y0, width - x0, y1], -1)
        changed["boxes"] = jnp.where(chosen[:, None, None], mirrored, batch["boxes"])
    return batch | changed


def shift(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Move each example by whole pixels, uniform up to the share `strength` of its width and of its height.

    Pixels of the edge are repeated (a reflection would show objects twice). An object whose point leaves the frame is
    no longer present; without points the box's centre decides. Boxes are cut off at the frame.
    """
    image = batch["image"]
    count, height, width, channels = image.shape
    size = jnp.array([width, height], jnp.float32)
    most = jnp.floor(strength * size)
    by = jnp.floor(jax.random.uniform(key, (count, 2)) * (2 * most + 1)) - most  # [B, 2]: right, down
    right, down = by[:, :1].astype(jnp.int32), by[:, 1:].astype(jnp.int32)
    rows = jnp.clip(jnp.arange(height) - down, 0, height - 1)
    columns = jnp.clip(jnp.arange(width) - right, 0, width - 1)
    # pixels lie side by side in a row with their channels: flat rows are moved faster than [W, C] on CPU
    values = (columns[:, :, None] * channels + jnp.arange(channels)).reshape(count, 1, -1)
    flat = jnp.take_along_axis(image.reshape(count, height, -1), rows[:, :, None], 1, mode="promise_in_bounds")
    flat = jnp.take_along_axis(flat, values, 2, mode="promise_in_bounds")
    moved = batch | {"image": flat.reshape(image.shape)}
    if "points" in batch:
        moved["points"] = batch["points"] + by[:, None]
    if "boxes" in batch:
        moved["boxes"] = batch["boxes"] + jnp.tile(by, 2)[:, None]
    if "present" in batch:
        where = _locate_objects(moved)
        moved["present"] = batch["present"] & jnp.all((where >= 0) & (where <= size), -1)
    if "boxes" in batch:
        moved["boxes"] = jnp.clip(moved["boxes"], 0.0, jnp.tile(size, 2))
    return moved


def cutout(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Cover a square of side `strength` * min(H, W), anywhere within each image, with the image's mean colour.

    An object whose point is covered is no longer present; without points the box's centre decides. After DeVries and
    Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.
    """
    image = batch["image"]
    count, height, width, channels = image.shape
    side = jnp.floor(strength * min(height, width))
    room = jnp.array([width, height], jnp.float32) - side
    corner = jnp.floor(jax.random.uniform(key, (count, 2)) * (room + 1))  # [B, 2]: x, y
    # as a matrix product: a mean over all but the last, short axis takes several times as long on CPU
    pixels = height * width
    mean = image.reshape(count, -1) @ jnp.tile(jnp.eye(channels) / pixels, (pixels, 1))
    covered_x = _is_within(jnp.arange(width) + 0.5, corner[:, 0, None], side)
    covered_y = _is_within(jnp.arange(height) + 0.5, corner[:, 1, None], side)
    covered = covered_y[:, :, None, None] & covered_x[:, None, :, None]
    changed = {"image": jnp.where(covered, mean[:, None, None], image)}
    if "present" in batch:
        changed["present"] = batch["present"] & ~jnp.all(_is_within(_locate_objects(batch), corner[:, None], side), -1)
    return batch | changed


PHOTOMETRIC: dict[Augmentation, Change] = {
    brightness: Change.LIGHT,
    contrast: Change.LIGHT,
    noise: Change.DETAIL,
}
GEOMETRIC: dict[Augmentation, Change] = {
    flip: Change.NOTHING,
    shift: Change.OBJECTS,
    cutout: Change.OBJECTS | Change.DETAIL,
}


def list_augmentations(invariants: Change = Change.NOTHING) -> tuple[str, ...]:
    """List the augmentations that leave what must be `invariants` as it is, in the order in which they are applied."""
    members = PHOTOMETRIC | GEOMETRIC
    return tuple(member.__name__ for member, change in members.items() if not change & invariants)


def apply_augmentations(
    names: tuple[str, ...],
    key: Array,
    batch: ImageBatch,
    strengths: dict[str, Array],
    members: Iterable[Augmentation] = (*PHOTOMETRIC, *GEOMETRIC),
) -> ImageBatch:
    """Those of `members` that are in `names` (static), in the order of the members.

    Each draws from `key` folded with its own name, so naming one more leaves the draws of the others alone.
    """
    # A branch for each: strength 0 costs nothing, and XLA cannot fuse one into the next, where it would compute noise
    # again for every pixel that moves (64 images of 48x48x3, all six, one core: 0.9 ms with branches, 2.7 without)
    for member in members:
        name = member.__name__
        if name in names:
            own = jax.random.fold_in(key, zlib.crc32(name.encode()))
            batch = jax.lax.cond(
                strengths[name] > 0, member, lambda _key, batch, _strength: batch, own, batch, strengths[name]
            )
    return batch


def _draw_signed(key: Array, count: int) -> Array:
    return jax.random.uniform(key, (count,), minval=-1.0)


def draw_approximate_normal(key: Array, shape: tuple[int, ...]) -> Array:
    """Values of mean 0 and standard deviation 1: the sum of the four bytes of a hash of each value's place.

    A thirtieth of the time of `jax.random.normal` (threefry and the inverse error function for each value), which would
    take longer than a training step. The sum of four uniform values has a normal's shape to within 0.01 of its
    distribution function and ends at 3.5 standard deviations. The hash is MurmurHash3's finaliser, with two words of
    the key mixed in.
    """
    first, second = jax.random.bits(key, (2,), jnp.uint32)
    size = 1
    place = jnp.zeros(shape, jnp.uint32)
    for axis in reversed(range(len(shape))):
        place += jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * jnp.uint32(size)
        size *= shape[axis]
    word = place * jnp.uint32(0x9E3779B9) + first
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B) ^ second
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    word ^= word >> 16
    pairs = (word & 0x00FF00FF) + (word >> 8 & 0x00FF00FF)
    total = (pairs & 0xFFFF) + (pairs >> 16)
    # four bytes: mean 4 * 255 / 2, variance 4 * (256^2 - 1) / 12
    normal: Array = (total.astype(jnp.int32).astype(jnp.float32) - 510.0) / jnp.sqrt(21845.0)
    return normal


def _locate_objects(batch: ImageBatch) -> Array:
    """Where each object is, x, y [B, P, 2]: its point, or its box's centre where only boxes are known."""
    if "points" in batch:
        return batch["points"]
    return (batch["boxes"][..., :2] + batch["boxes"][..., 2:]) / 2


def _is_within(position: Array, start: Array, side: Array) -> Array:
    return (position >= start) & (position < start + side)
