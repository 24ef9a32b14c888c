"""The inputs of training a network: Plan (static), NetworkHyper (traced) and TrainingData (arrays)."""

from dataclasses import dataclass
from typing import Any

import jax

from thalweg.core.network import Network
from thalweg.core.types import DataSpec
from thalweg.tasks import Task


@dataclass(frozen=True)
class Plan:
    """Everything that shapes the program.

    Each of `epochs` has `steps_per_epoch` mini-batches of `batch_size` examples, with a validation every
    `validate_every` epochs. `patience` validations without a better `objective` stop a lane (0: never). Only
    augmentations in `augmentation_names`, schedules in `schedule_names` and losses in `loss_names` are compiled; the
    last has a tuple for each of the task's terms, and both stand for all where they are empty. `keep` names the weights
    to return: the `best` on the validation set, or the `last`. With `augmentation_searched`, lanes may differ in
    strengths, and each draws its own images.
    """

    task: Task
    spec: DataSpec
    network: Network
    optimizer_kind: str
    clips_gradient: bool
    augmentation_names: tuple[str, ...]
    batch_size: int
    steps_per_epoch: int
    epochs: int
    validate_every: int
    patience: int
    objective: str
    keep: str = "best"
    augmentation_searched: bool = True
    schedule_names: tuple[str, ...] = ()
    loss_names: tuple[tuple[str, ...], ...] = ()


Leaf = Any  # an array, on the host or on the device


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class NetworkHyper:
    """The traced numbers of one trial, each a scalar; for many lanes with a leading axis.

    `schedule` and each term of `loss` hold a `kind` beside their numbers, an index into the family's tuple; a term may
    have its own `schedule` and `phases`. `balance` is an index into `losses.BALANCES`. `gain` and `last_gain` scale the
    initial weights.
    """

    learning_rate: Leaf
    clip: Leaf
    optimizer: dict[str, Leaf]
    schedule: dict[str, Leaf]
    loss: dict[str, dict[str, Any]]
    balance: Leaf
    augment: dict[str, Leaf]
    gain: Leaf
    last_gain: Leaf


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrainingData:
    """The arrays that a lane reads, on the host or on the device.

    `images` uint8 [N, H, W, C] and `labels` [N, ...] of all examples; `background_index` int32 [N] selects each
    example's background from `backgrounds` uint8 [S, H, W, C] (S is 0 without backgrounds); `mean` and `scale`
    [channels] normalise inputs; `train_rows` int32 [folds, n] to train on, the first `train_sizes` [folds] of them
    real; `validation_rows` int32 [folds, m] with `validation_weights` [folds, m], 0 for padding.
    """

    images: Leaf
    labels: dict[str, Leaf]
    background_index: Leaf
    backgrounds: Leaf
    mean: Leaf
    scale: Leaf
    train_rows: Leaf
    train_sizes: Leaf
    validation_rows: Leaf
    validation_weights: Leaf
