"""What training a network takes: its Plan (static), its Hyper (traced), and the Data that it reads."""

from dataclasses import dataclass
from typing import Any

import jax

from thalweg.core.network import Network
from thalweg.core.types import DataSpec
from thalweg.tasks import Task


@dataclass(frozen=True)
class Plan:
    """All that shapes the program.

    An epoch has `steps` mini-batches of `batch_size` examples, and there are `epochs` of them, with a validation every
    `validate_every`; `patience` validations without a better `objective` stop a lane (0: never). `augment` names the
    augmentations that are ever on: what is not named costs nothing. `keep` says which weights are the result: the best
    on validation, or the last. Where `augmentation_searched`, lanes may differ in their strengths, and each draws its
    own pictures.
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


Leaf = Any
"""An array, on the host or on the device."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class NetworkHyper:
    """All that is only numbers, each a scalar: one trial's, or with a leading axis those of many lanes.

    `loss` and `schedule` hold a `kind` beside their numbers, an index into the family's tuple; a term of the loss may
    have a `schedule` and `phases` of its own. `balance` says how terms are balanced (`training.composite_loss`).
    """

    learning_rate: Leaf
    clip: Leaf
    optimizer: dict[str, Leaf]
    schedule: dict[str, Leaf]
    loss: dict[str, dict[str, Any]]
    balance: Leaf
    augment: dict[str, Leaf]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrainingData:
    """Everything a lane reads, on the device.

    `images` uint8 [N, H, W, C] and `labels` [N, ...] of all examples; `background_index` int32 [N] which of
    `backgrounds` uint8 [S, H, W, C] is behind each (S is 0 where none are known); `mean` and `scale` [channels]
    normalise inputs; `train` int32 [folds, n] the rows to train on, the first `train_size` [folds] of them real;
    `validation` int32 [folds, m] with `validation_weight` [folds, m], 0 for padding.
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
