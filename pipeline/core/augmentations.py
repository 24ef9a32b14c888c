"""Augmentations: random changes of a batch that keep its targets true. `(key, batch, strength) -> batch`.

A batch is a dict: `image` float32 [B, H, W, C] and, where known, objects as `points` [B, P, 2], `boxes` [B, P, 4] and
`present` [B, P] (pixels, see `thalweg.data.examples`). Objects move with the image, and an object that is no longer
visible is no longer present. Every other key passes unchanged, `count` too: after `shift` or `cutout` count `present`.

Strengths are traced, 0 to 1; 0 returns the batch bit for bit. Each example has its own draw. A new augmentation is one
function and its line in `PHOTOMETRIC` (changes light; takes and returns images in 0..1) or `GEOMETRIC` (moves pixels;
any scale and any channels). The line names the change: the augmentation suits every task whose target does not depend
on it. A user's own augmentation has its dotted path as its name, and says what it changes by `declare_change`.
"""

import zlib
from collections.abc import Callable
from enum import Flag, auto
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array

from thalweg.core.own_functions import Protocol, check_function, describe_type
from thalweg.system.members import MemberError, import_member, is_dotted

ImageBatch = dict[str, Array]
Augmentation = Callable[[Array, ImageBatch, Array], ImageBatch]
"""(key, batch, strength) -> batch."""
Own = TypeVar("Own", bound=Augmentation)


class Change(Flag):
    """Properties that an augmentation changes, and that a target may depend on."""

    NOTHING = 0
    LIGHT = auto()  # how bright the scene is
    DETAIL = auto()  # pixels that show something other than the scene
    OBJECTS = auto()  # which objects are visible; where their positions are known, `present` follows


def brightness(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Add one value, uniform in [-strength, strength], to each image, then clip to 0..1."""
    image = batch["image"]
    return batch | {"image": jnp.clip(image + strength * _draw_signed(key, len(image))[:, None, None, None], 0.0, 1.0)}


def contrast(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Scale each image about its mean by exp(u), u uniform in [-strength, strength], then clip to 0..1."""
    image = batch["image"]
    mean = image.mean((1, 2, 3), keepdims=True)
    # x + (x - mean) (e^u - 1) rather than mean + (x - mean) e^u: exactly x at u = 0
    excess = jnp.expm1(strength * _draw_signed(key, len(image)))[:, None, None, None]
    return batch | {"image": jnp.clip(image + (image - mean) * excess, 0.0, 1.0)}


def noise(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Add nearly normal noise of standard deviation `strength` to each value, then clip to 0..1."""
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

    Edge pixels repeat (a reflection would show objects twice). An object whose point leaves the frame is no longer
    present; without points the box's centre decides. Boxes are clipped to the frame.
    """
    image = batch["image"]
    count, height, width, channels = image.shape
    size = jnp.array([width, height], jnp.float32)
    limit = jnp.floor(strength * size)
    offset = jnp.floor(jax.random.uniform(key, (count, 2)) * (2 * limit + 1)) - limit  # [B, 2]: right, down
    right, down = offset[:, :1].astype(jnp.int32), offset[:, 1:].astype(jnp.int32)
    rows = jnp.clip(jnp.arange(height) - down, 0, height - 1)
    columns = jnp.clip(jnp.arange(width) - right, 0, width - 1)
    # a row's pixels and channels in one axis: on CPU that moves faster than [W, C]
    values = (columns[:, :, None] * channels + jnp.arange(channels)).reshape(count, 1, -1)
    flat = jnp.take_along_axis(image.reshape(count, height, -1), rows[:, :, None], 1, mode="promise_in_bounds")
    flat = jnp.take_along_axis(flat, values, 2, mode="promise_in_bounds")
    moved = batch | {"image": flat.reshape(image.shape)}
    if "points" in batch:
        moved["points"] = batch["points"] + offset[:, None]
    if "boxes" in batch:
        moved["boxes"] = batch["boxes"] + jnp.tile(offset, 2)[:, None]
    if "present" in batch:
        position = _locate_objects(moved)
        moved["present"] = batch["present"] & jnp.all((position >= 0) & (position <= size), -1)
    if "boxes" in batch:
        moved["boxes"] = jnp.clip(moved["boxes"], 0.0, jnp.tile(size, 2))
    return moved


def cutout(key: Array, batch: ImageBatch, strength: Array) -> ImageBatch:
    """Cover a square of side `strength` * min(H, W), anywhere within each image, with the image's mean colour.

    An object whose point is covered is no longer present; without points the box's centre decides. DeVries and Taylor,
    "Improved regularization of convolutional neural networks with cutout", 2017.
    """
    image = batch["image"]
    count, height, width, channels = image.shape
    side = jnp.floor(strength * min(height, width))
    room = jnp.array([width, height], jnp.float32) - side
    corner = jnp.floor(jax.random.uniform(key, (count, 2)) * (room + 1))  # [B, 2]: x, y
    # a matrix product: on CPU a mean over all but the last, short axis takes several times as long
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
    """List the augmentations that change none of `invariants`, in the order in which they are applied."""
    members = PHOTOMETRIC | GEOMETRIC
    return tuple(member.__name__ for member, change in members.items() if not change & invariants)


def declare_change(change: Change, *, moves_pixels: bool = False) -> Callable[[Own], Own]:
    """Say what an own augmentation changes, as a decorator; one that does not move pixels gets images in 0..1."""

    def set_change(augmentation: Own) -> Own:
        augmentation.change, augmentation.moves_pixels = change, moves_pixels  # type: ignore[attr-defined]
        return augmentation

    return set_change


def _check_batch(changed: Any, _key: Array, batch: ImageBatch, _strength: Array) -> ImageBatch:
    if not isinstance(changed, dict):
        raise ValueError(f"returns {describe_type(changed)}; it must return the batch, a dict")
    if changed.keys() != batch.keys():
        differing = ", ".join(f"`{name}`" for name in sorted(changed.keys() ^ batch.keys()))
        raise ValueError(f"adds or drops {differing}; it must return the batch with all its keys")
    for name, before in batch.items():
        after = jnp.asarray(changed[name])
        if (after.shape, after.dtype) != (before.shape, before.dtype):
            returned, kept = (f"{array.dtype} {list(array.shape)}" for array in (after, before))
            raise ValueError(f"returns `{name}` as {returned}; it must keep {kept}")
    return {name: jnp.asarray(values) for name, values in changed.items()}


OWN = Protocol("an augmentation", ("key", "batch", "strength"), _check_batch)


def find_own_augmentation(path: str) -> tuple[Augmentation, Change, bool]:
    """Import the user's augmentation at a dotted path: the function, its change, and whether it moves pixels.

    Raises `MemberError`.
    """
    function = import_member(path)
    checked = check_function(path, function, OWN)
    change = getattr(function, "change", None)
    if not isinstance(change, Change):
        advice = "write `@declare_change(Change.…)` above it, from `thalweg.core.augmentations`"
        raise MemberError(path, f"does not say what it changes; {advice}")
    return checked, change, bool(getattr(function, "moves_pixels", False))


def list_members(names: tuple[str, ...], *, moves_pixels: bool | None = None) -> list[tuple[str, Augmentation]]:
    """List augmentations by name, in the order in which they are applied: ours, then the user's.

    Only those that move pixels, or only those that do not, unless `moves_pixels` is None.
    """
    ours = [(member, member in GEOMETRIC) for member in (*PHOTOMETRIC, *GEOMETRIC)]
    found = [(member.__name__, member, moves) for member, moves in ours if member.__name__ in names]
    for name in sorted(filter(is_dotted, names)):
        member, _, moves = find_own_augmentation(name)
        found.append((name, member, moves))
    return [(name, member) for name, member, moves in found if moves_pixels in (None, moves)]


def apply_augmentations(
    names: tuple[str, ...],
    key: Array,
    batch: ImageBatch,
    strengths: dict[str, Array],
    *,
    moves_pixels: bool | None = None,
) -> ImageBatch:
    """Apply the augmentations `names` (static) that `list_members` lists, in its order.

    Each draws from `key` folded with its own name, so one more name leaves the draws of the others unchanged.
    """
    # A branch for each: strength 0 costs nothing, and XLA cannot fuse one into the next and compute noise again for
    # every pixel that moves (64 images of 48x48x3, all six, one core: 0.9 ms with branches, 2.7 without)
    for name, member in list_members(names, moves_pixels=moves_pixels):
        member_key = jax.random.fold_in(key, zlib.crc32(name.encode()))
        batch = jax.lax.cond(
            strengths[name] > 0, member, lambda _key, batch, _strength: batch, member_key, batch, strengths[name]
        )
    return batch


def _draw_signed(key: Array, count: int) -> Array:
    return jax.random.uniform(key, (count,), minval=-1.0)


def draw_approximate_normal(key: Array, shape: tuple[int, ...]) -> Array:
    """Draw values of mean 0 and standard deviation 1: sums of the four bytes of a hash of each value's index.

    It takes a thirtieth of the time of `jax.random.normal` (threefry and the inverse error function for each value),
    which would exceed a training step. The distribution function of the sum is within 0.01 of the normal's; values end
    at 3.5 standard deviations. The hash is MurmurHash3's finaliser, with two words of the key mixed in.
    """
    first, second = jax.random.bits(key, (2,), jnp.uint32)
    size = 1
    index = jnp.zeros(shape, jnp.uint32)
    for axis in reversed(range(len(shape))):
        index += jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * jnp.uint32(size)
        size *= shape[axis]
    word = index * jnp.uint32(0x9E3779B9) + first
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B) ^ second
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    word ^= word >> 16
    pairs = (word & 0x00FF00FF) + (word >> 8 & 0x00FF00FF)
    total = (pairs & 0xFFFF) + (pairs >> 16)
    # four bytes: mean 4 * 255 / 2, variance 4 * (256^2 - 1) / 12
    normal: Array = (total.astype(jnp.int32).astype(jnp.float32) - 510.0) / jnp.sqrt(21845.0)
    return normal


def _locate_objects(batch: ImageBatch) -> Array:
    """Return each object's x, y [B, P, 2]: its point, or its box's centre where only boxes are known."""
    if "points" in batch:
        return batch["points"]
    return (batch["boxes"][..., :2] + batch["boxes"][..., 2:]) / 2


def _is_within(position: Array, start: Array, side: Array) -> Array:
    return (position >= start) & (position < start + side)
