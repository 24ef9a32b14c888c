"""Network inputs: gather examples by row, optionally augment, normalise."""

import zlib

import jax
import jax.numpy as jnp
from jax import Array

from thalweg.core import augmentations, rng
from thalweg.core.types import Tree
from thalweg.tasks import Task
from thalweg.training.plan import Plan, TrainingData


def draw_batches(plan: Plan, data: TrainingData, seed: Array, fold: Array, epoch: Array) -> Array:
    """Draw the rows of an epoch's mini-batches [steps, B]: every example once, in random order.

    An epoch leaves out examples that do not fill a last batch.
    """
    rows, size = data.train_rows[fold], data.train_sizes[fold]
    draws = jax.random.uniform(rng.derive_key(seed, "shuffle", epoch), rows.shape)
    order = jnp.argsort(jnp.where(jnp.arange(len(rows)) < size, draws, 2.0))
    chosen: Array = rows[order[: plan.steps_per_epoch * plan.batch_size]].reshape(plan.steps_per_epoch, plan.batch_size)
    return chosen


def gather_targets(plan: Plan, data: TrainingData, rows: Array) -> Tree:
    """Gather the targets of examples `rows` [M] without augmentation."""
    image = {"image": gather_images(data, rows)} if plan.task.CORRUPTS_INPUT else {}
    return plan.task.build_targets({name: values[rows] for name, values in data.labels.items()} | image, plan.spec)


def gather_probe(plan: Plan, data: TrainingData, fold: Array) -> tuple[Array, Tree]:
    """Gather inputs and targets of a mini-batch spread evenly over a fold's training examples, without augmentation."""
    indices = jax.lax.div(jnp.arange(plan.batch_size) * data.train_sizes[fold], plan.batch_size)
    rows = data.train_rows[fold][indices]
    return gather_network_inputs(plan.task, data, rows), gather_targets(plan, data, rows)


def gather_images(data: TrainingData, rows: Array) -> Array:
    """Gather images of examples `rows`, float32 in 0..1."""
    image: Array = data.images[rows].astype(jnp.float32) / 255
    return image


def gather_task_inputs(task: Task, data: TrainingData, rows: Array) -> Array:
    """Gather a task's inputs for examples `rows`, in 0..1 [B, h, w, C]; random corruption is the same in every call."""
    if not task.CORRUPTS_INPUT:
        return gather_images(data, rows)
    return task.corrupt_images(_derive_keys(rng.derive_key(0, "observed"), rows), gather_images(data, rows))


def gather_network_inputs(task: Task, data: TrainingData, rows: Array) -> Array:
    """Gather normalised inputs of examples `rows` without augmentation: [B, h, w, channels]."""
    return normalise_images(data, rows, gather_task_inputs(task, data, rows))


def _derive_keys(key: Array, numbers: Array) -> Array:
    return jax.vmap(lambda number: jax.random.fold_in(key, number))(numbers)


def normalise_images(data: TrainingData, rows: Array, image: Array) -> Array:
    """Append the difference from the background, if there are backgrounds, to `image` [B, H, W, C]; normalise both."""
    if len(data.backgrounds):
        image = jnp.concatenate(
            [image, image - data.backgrounds[data.background_index[rows]].astype(jnp.float32) / 255], -1
        )
    inputs: Array = (image - data.mean) * data.scale
    return inputs


def augment_batch(plan: Plan, strengths: Tree, data: TrainingData, rows: Array, key: Array) -> tuple[Array, Tree]:
    """Gather augmented inputs and targets of examples `rows`.

    Light changes before the background is subtracted, as in front of a camera; moves apply to both. A task that
    corrupts its input does so after all augmentations.
    """
    sample = {name: values[rows] for name, values in data.labels.items()} | {"image": gather_images(data, rows)}
    if plan.task.CORRUPTS_INPUT:
        sample = augmentations.apply_augmentations(plan.augmentation_names, key, sample, strengths)
        keys = _derive_keys(jax.random.fold_in(key, zlib.crc32(b"observed")), jnp.arange(len(rows)))
        inputs = normalise_images(data, rows, plan.task.corrupt_images(keys, sample["image"]))
        return inputs, plan.task.build_targets(sample, plan.spec)
    sample = augmentations.apply_augmentations(plan.augmentation_names, key, sample, strengths, moves_pixels=False)
    sample["image"] = normalise_images(data, rows, sample["image"])
    sample = augmentations.apply_augmentations(plan.augmentation_names, key, sample, strengths, moves_pixels=True)
    inputs = sample.pop("image")
    return inputs, plan.task.build_targets(sample, plan.spec)


def split_chunks(rows: Array, size: int) -> Array:
    """Split rows [M] into chunks of `size`, the last one padded: [chunks, size]."""
    size = min(size, len(rows))
    return jnp.pad(rows, (0, -len(rows) % size), mode="edge").reshape(-1, size)


def join_chunks(chunks: Array, length: int) -> Array:
    """Join results of chunks [chunks, size, ...] and drop the padding: [length, ...]."""
    return chunks.reshape(-1, *chunks.shape[2:])[:length]
