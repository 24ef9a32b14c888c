"""Augmented copies of training examples, and a contact sheet of them."""

from collections.abc import Callable
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from thalweg.core import augmentations, rng
from thalweg.data.examples import Examples, Labels
from thalweg.data.splits import Splits

CHUNK_SIZE = 256  # examples augmented at once


def list_training_rows(splits: Splits) -> NDArray[np.int64]:
    """Return the rows that any fold trains on. Copies follow their originals into the folds."""
    return np.unique(np.concatenate(splits.train)).astype(np.int64)


def augment_examples(
    examples: Examples, strengths: dict[str, float], seed: int, reconcile_labels: Callable[[Labels], Labels]
) -> Examples:
    """Augment images and labels, by the functions that run inside a training step.

    `reconcile_labels` makes the labels agree afterwards (`Task.reconcile_labels`).
    """
    names = tuple(name for name, strength in strengths.items() if strength)
    if not names or not len(examples):
        return examples
    numbers = {name: jnp.float32(strengths[name]) for name in names}
    images = []
    labels: dict[str, list[NDArray[np.generic]]] = {name: [] for name in examples.labels}
    for start in range(0, len(examples), CHUNK_SIZE):
        chunk = examples.take_rows(np.arange(start, min(start + CHUNK_SIZE, len(examples))))
        batch = {name: jnp.asarray(values) for name, values in chunk.labels.items()}
        batch["image"] = jnp.asarray(chunk.images, jnp.float32) / 255
        changed = augmentations.apply_augmentations(
            names, rng.derive_key(seed, "offline", start // CHUNK_SIZE), batch, numbers
        )
        images.append(np.asarray(jnp.round(changed["image"] * 255), np.uint8))
        for name in labels:
            labels[name].append(np.asarray(changed[name]))
    augmented = {name: np.concatenate(values) for name, values in labels.items()}
    return replace(examples, images=np.concatenate(images), labels=reconcile_labels(augmented))


def draw_contact_sheet(images: NDArray[np.uint8], gap: int = 2) -> NDArray[np.uint8]:
    """Return images [rows, columns, H, W, C] side by side on white."""
    rows, columns, height, width, channels = images.shape
    tiles = np.pad(images, ((0, 0), (0, 0), (gap, 0), (gap, 0), (0, 0)), constant_values=255).swapaxes(1, 2)
    page = tiles.reshape(rows * (gap + height), columns * (gap + width), channels)
    return np.pad(page, ((0, gap), (0, gap), (0, 0)), constant_values=255)
