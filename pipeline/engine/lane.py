"""What a lane is: its Plan (static), its Hyper and State (traced), and the Data that it reads."""

from dataclasses import dataclass
from typing import Any

import jax
from jax import Array

from thalweg.core.network import Network
from thalweg.core.types import Spec, Tree
from thalweg.tasks.base import Task


@dataclass(frozen=True)
class Plan:
    """All that shapes the program.

    `steps` mini-batches an epoch, `epochs` in all, a validation every `every` of them; `patience` validations without
    a better `objective` stop a lane (0: never). `augment` names the augmentations that are ever on: what is not named
    costs nothing; `tuned` says that lanes may differ in their strengths, so that each draws its own pictures.
    `keep` says which weights are the result: the best on validation, or the last.
    """

    task: Task
    spec: Spec
    network: Network
    optimizer: str
    clip: bool
    augment: tuple[str, ...]
    batch_size: int
    steps: int
    epochs: int
    every: int
    patience: int
    objective: str
    keep: str = "best"
    tuned: bool = True

    @property
    def validations(self) -> int:
        return self.epochs // self.every


Leaf = Any
"""An array, on the host or on the device."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Hyper:
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
class State:
    """All that changes while a lane trains; of one lane, or with a leading axis of many.

    `seed` and `fold` say which lane this is; `step` counts updates; `parameters` are trained, `rest` is what else the
    network carries (running means, dropout's keys); `balance` is the logarithm of what balancing makes of each term of
    the loss; `bad_step` is the first step whose loss was not finite (-1: none);
    `stale` the validations since the best one; `curves` a value per validation, NaN where none has been yet.
    """

    seed: Array
    fold: Array
    step: Array
    parameters: Any
    rest: Any
    optimizer: Any
    balance: Array
    best: Any
    best_value: Array
    best_epoch: Array
    stale: Array
    bad_step: Array
    curves: Tree


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Data:
    """Everything a lane reads, on the device.

    `images` uint8 [N, H, W, C] and `labels` [N, ...] of all examples; `scene` int32 [N] which of `backgrounds` uint8
    [S, H, W, C] is behind each (S is 0 where none are known); `mean` and `scale` [channels] normalise inputs; `train`
    int32 [folds, n] the rows to train on, the first `train_size` [folds] of them real; `validation` int32 [folds, m]
    with `validation_weight` [folds, m], 0 for padding.
    """

    images: Leaf
    labels: dict[str, Leaf]
    scene: Leaf
    backgrounds: Leaf
    mean: Leaf
    scale: Leaf
    train: Leaf
    train_size: Leaf
    validation: Leaf
    validation_weight: Leaf
