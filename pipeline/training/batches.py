"""What a network is fed: examples by their rows, as they are or made different by chance, normalised."""

import zlib

import jax
import jax.numpy as jnp
from jax import Array

from thalweg.core import augmentations, rng
from thalweg.core.types import Tree
from thalweg.tasks import Task
from thalweg.training.plan import Plan, TrainingData


def draw_batches(plan: Plan, data: TrainingData, seed: Array, fold: Array, epoch: Array) -> Array:
    """The rows of an epoch's mini-batches [steps, B]: every example once, in an order of its own.

    What does not fill a last batch waits for the next epoch.
    """
    rows, size = data.train_rows[fold], data.train_sizes[fold]
    draws = jax.random.uniform(rng.derive_key(seed, "shuffle", epoch), rows.shape)
    order = jnp.argsort(jnp.where(jnp.arange(len(rows)) < size, draws, 2.0))
    chosen: Array = rows[order[: plan.steps_per_epoch * plan.batch_size]].reshape(plan.steps_per_epoch, plan.batch_size)
    return chosen


def gather_targets(plan: Plan, data: TrainingData, rows: Array) -> Tree:
    """The targets of examples `rows` [M], as they are without augmentation."""
    image = {"image": gather_images(data, rows)} if plan.task.CORRUPTS_INPUT else {}
    return plan.task.build_targets({name: values[rows] for name, values in data.labels.items()} | image, plan.spec)


def gather_probe(plan: Plan, data: TrainingData, fold: Array) -> tuple[Array, Tree]:
    """Inputs and targets of as many training examples as a mini-batch has, evenly from all of a fold, as they are."""
    places = jax.lax.div(jnp.arange(plan.batch_size) * data.train_sizes[fold], plan.batch_size)
    rows = data.train_rows[fold][places]
    return gather_network_inputs(plan.task, data, rows), gather_targets(plan, data, rows)


def gather_images(data: TrainingData, rows: Array) -> Array:
    """Images of examples `rows`, float32 in 0..1."""
    image: Array = data.images[rows].astype(jnp.float32) / 255
    return image


def gather_task_inputs(task: Task, data: TrainingData, rows: Array) -> Array:
    """What a task gives of examples `rows`, in 0..1 [B, h, w, C]: where chance plays a part, the same at every look."""
    if not task.CORRUPTS_INPUT:
        return gather_images(data, rows)
    return task.corrupt_images(_derive_keys(rng.derive_key(0, "observed"), rows), gather_images(data, rows))


def gather_network_inputs(task: Task, data: TrainingData, rows: Array) -> Array:
    """Inputs of examples `rows` without augmentation: [B, h, w, channels]."""
    return normalise_images(data, rows, gather_task_inputs(task, data, rows))


def _derive_keys(key: Array, numbers: Array) -> Array:
    """A key for each of some numbers."""
    own: Array = jax.vmap(lambda number: jax.random.fold_in(key, number))(numbers)
    return own


def normalise_images(data: TrainingData, rows: Array, image: Array) -> Array:
    """What the network sees of `image` [B, H, W, C]: beside it, if known, its difference to the background; normal."""
    if len(data.backgrounds):
        image = jnp.concatenate(
            [image, image - data.backgrounds[data.background_index[rows]].astype(jnp.float32) / 255], -1
        )
    seen: Array = (image - data.mean) * data.scale
    return seen


def augment_batch(plan: Plan, strengths: Tree, data: TrainingData, rows: Array, key: Array) -> tuple[Array, Tree]:
    """Inputs and targets of examples `rows`, each made different by chance.

    Light changes before the background is taken off, as it would in front of a camera; what moves, moves both. What a
    task makes of an image to observe comes after all that.
    """
    sample = {name: values[rows] for name, values in data.labels.items()} | {"image": gather_images(data, rows)}
    if plan.task.CORRUPTS_INPUT:
        sample = augmentations.apply_augmentations(plan.augmentation_names, key, sample, strengths)
        own = _derive_keys(jax.random.fold_in(key, zlib.crc32(b"observed")), jnp.arange(len(rows)))
        inputs = normalise_images(data, rows, plan.task.corrupt_images(own, sample["image"]))
        return inputs, plan.task.build_targets(sample, plan.spec)
    sample = augmentations.apply_augmentations(
        plan.augmentation_names, key, sample, strengths, augmentations.PHOTOMETRIC
    )
    sample["image"] = normalise_images(data, rows, sample["image"])
    sample = augmentations.apply_augmentations(plan.augmentation_names, key, sample, strengths, augmentations.GEOMETRIC)
    inputs = sample.pop("image")
    return inputs, plan.task.build_targets(sample, plan.spec)


def split_chunks(rows: Array, size: int) -> Array:
    """Rows [M] in pieces of `size`, the last one filled up: [pieces, size]."""
    size = min(size, len(rows))
    return jnp.pad(rows, (0, -len(rows) % size), mode="edge").reshape(-1, size)


def join_chunks(pieces: Array, length: int) -> Array:
    """The inverse of `pieces` for what was computed from them [pieces, size, ...]: [length, ...]."""
    return pieces.reshape(-1, *pieces.shape[2:])[:length]
