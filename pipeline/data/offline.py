"""Augmented copies of training examples, and a contact sheet of them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from thalweg.core import augmentations, rng
from thalweg.data.examples import Examples, Labels
from thalweg.data.splits import Splits

CHUNK_SIZE = 256  # examples augmented at once


def list_training_rows(splits: Splits) -> NDArray[np.int64]:
    """Return the rows that any fold trains on. Copies follow their originals into the folds."""
    return np.unique(np.concatenate(splits.train)).astype(np.int64)


def augment_examples(
    examples: Examples,
    rows: NDArray[np.int64],
    strengths: dict[str, float],
    seed: int,
    reconcile_labels: Callable[[Labels], Labels],
) -> Iterator[Examples]:
    """Yield augmented images and labels of the examples `rows` in chunks, by the functions within a training step.

    `reconcile_labels` makes an example's labels agree afterwards (`Task.reconcile_labels`).
    """
    names = tuple(name for name, strength in strengths.items() if strength)
    numbers = {name: jnp.float32(strengths[name]) for name in names}
    for number, start in enumerate(range(0, len(rows), CHUNK_SIZE)):
        chunk = examples.take_rows(rows[start : start + CHUNK_SIZE])
        yield _augment_chunk(chunk, numbers, rng.derive_key(seed, "offline", number), reconcile_labels)


def _augment_chunk(
    chunk: Examples, numbers: dict[str, Array], key: Array, reconcile_labels: Callable[[Labels], Labels]
) -> Examples:
    if not numbers:
        return chunk
    batch = {name: jnp.asarray(values) for name, values in chunk.labels.items()}
    batch["image"] = jnp.asarray(chunk.images, jnp.float32) / 255
    changed = augmentations.apply_augmentations(tuple(numbers), key, batch, numbers)
    labels = reconcile_labels({name: np.asarray(changed[name]) for name in chunk.labels})
    return replace(chunk, images=np.asarray(jnp.round(changed["image"] * 255), np.uint8), labels=labels)


def draw_contact_sheet(images: NDArray[np.uint8], gap: int = 2) -> NDArray[np.uint8]:
    """Return images [rows, columns, H, W, C] side by side on white."""
    rows, columns, height, width, channels = images.shape
    tiles = np.pad(images, ((0, 0), (0, 0), (gap, 0), (gap, 0), (0, 0)), constant_values=255).swapaxes(1, 2)
    page = tiles.reshape(rows * (gap + height), columns * (gap + width), channels)
    return np.pad(page, ((0, gap), (0, gap), (0, 0)), constant_values=255)
