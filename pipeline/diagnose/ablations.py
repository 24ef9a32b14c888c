"""Ablations: the winner retrained in full, with fewer images, without augmentation, or without a part of its loss."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.artifacts.prepared import PreparedData
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.confirm import candidates
from thalweg.core import rng
from thalweg.data.examples import Examples
from thalweg.engine.fleet import train_to_end
from thalweg.engine.results import LaneSeed
from thalweg.training import build
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

FoldRows = NDArray[np.int32]


@dataclass(frozen=True)
class Ablation:
    """A training with less: its `kind`, the `share` of images left, each fold's rows, and other values.

    `kind` is images, augmentation, or a key of `list_loss_ablations`. `rows` are by seed and fold: the seed draws which
    images are left, so that a mean over seeds includes that luck too.
    """

    kind: str
    share: float
    rows: Sequence[Sequence[FoldRows]]
    values: Setting = field(default_factory=dict)


def train_ablations(
    config: Config, prepared: PreparedData, data: TrainingData, values: Setting, folder: Path
) -> pd.DataFrame:
    """Train the winner in full, and its ablations, on `diagnose.seeds` fresh seeds: one row an ablation and seed.

    The confirmed seeds chose the winner, so its runs on them are too good beside its ablations; on other seeds they are
    not. `data` is on the host. Each lane trains for as many steps as the winner did, so each image left is seen more
    often.
    Columns are what, share, images (mean over folds), seed, best_epoch, diverged_step and validation_<metric>.
    """
    winner_config = candidates.apply_trial_values(config, values)
    seeds = list_ablation_seeds(config)
    ablations = list_ablations(winner_config, prepared, data, seeds)
    if not ablations or not seeds:
        return pd.DataFrame(columns=["what", "share", "images", "seed"])
    folds = len(data.train_rows)
    plan = build.build_plan(winner_config, build.build_data_spec(prepared.examples), data, searched=True)
    targets: dict[int, tuple[NetworkProgram, NetworkHyper, list[LaneSeed]]] = {}
    for i, ablation in enumerate(ablations):
        fold_numbers = range(i * len(seeds) * folds, (i + 1) * len(seeds) * folds)
        lanes = list(zip(np.repeat(seeds, folds).tolist(), fold_numbers, strict=True))
        targets[i] = plan, build.build_hyper(winner_config.replace_values(ablation.values)), lanes
    folded = add_ablation_folds(data, ablations)
    ends = train_to_end(folder, folded, targets, "training with less", build.build_engine_options(config))
    rows = [
        {
            "what": ablation.kind,
            "share": ablation.share,
            "images": count_images(fold_rows, prepared),
            "seed": seed,
            "best_epoch": float(np.mean([state.best_epoch for state in states])),
            "diverged_step": candidates.find_diverged_step(states),
            **{
                f"validation_{name}": value
                for name, value in candidates.average_best_validation(plan, prepared.splits, states).items()
            },
        }
        for i, ablation in enumerate(ablations)
        for seed, fold_rows, states in zip(seeds, ablation.rows, candidates.group_by_seed(ends[i], folds), strict=True)
    ]
    return pd.DataFrame(rows).astype({"diverged_step": "Int64"})


def list_ablation_seeds(config: Config) -> list[int]:
    return [rng.derive_seed(config.seed, "diagnose", i) for i in range(config.diagnose.seeds)]


def list_ablations(config: Config, loaded: PreparedData, data: TrainingData, seeds: Sequence[int]) -> list[Ablation]:
    """List every share of `diagnose.shares`, then training without augmentation, and without each part of the loss.

    The last share is all images: the reference of the others, and absent if there are none. Each seed draws which
    images are in a share; a smaller share is part of every larger one.
    """
    originals = len(loaded.examples) - len(loaded.copy_origins)
    folds = [np.asarray(rows)[:size] for rows, size in zip(data.train_rows, data.train_sizes, strict=True)]
    orders = [draw_group_order(loaded.examples, seed) for seed in seeds]
    less = [
        Ablation(
            "images",
            share,
            [[_select_share(rows, order, share, loaded.copy_origins) for rows in folds] for order in orders],
        )
        for share in sorted(config.diagnose.shares)
    ]
    everything = Ablation("images", 1.0, [folds] * len(seeds))
    without = [
        Ablation(kind, 1.0, [folds] * len(seeds), values) for kind, values in list_loss_ablations(config).items()
    ]
    online = {f"augment.online.{name}": 0.0 for name, value in config.augment.online.model_dump().items() if value}
    if online or len(loaded.copy_origins):
        original_rows = [np.resize(rows[rows < originals], len(rows)) for rows in folds]
        without = [Ablation("augmentation", 1.0, [original_rows] * len(seeds), online), *without]
    return [*less, everything, *without] if less or without else []


def count_ablations(config: Config) -> int:
    """Count what `list_ablations` lists, before any example is read."""
    has_augmentation = config.augment.offline.copies > 0 or any(config.augment.online.model_dump().values())
    count = len(config.diagnose.shares) + has_augmentation + len(list_loss_ablations(config))
    return count + 1 if count else 0


def list_loss_ablations(config: Config) -> dict[str, Setting]:
    """Return the parts that a loss of several terms can omit, each with the values to do so; empty for one term.

    `term x`: its weight is 0. `phase p of x`: it begins at the end. `schedule of x`: it is constant. `balance`: none.
    """
    terms = config.loss.terms
    if len(terms) < 2:
        return {}
    omissions: dict[str, Setting] = {}
    for name, term in sorted(terms.items()):
        path = f"loss.terms.{name}"
        phases = {f"{path}.phases.{phase}.weight": 0.0 for phase in term.phases}
        omissions[f"term {name}"] = {f"{path}.weight": 0.0} | phases
        for phase in term.phases:
            omissions[f"phase {phase} of {name}"] = {f"{path}.phases.{phase}.start": 1.0}
        if term.schedule is not None and term.schedule.kind != "constant":
            omissions[f"schedule of {name}"] = {f"{path}.schedule.kind": "constant", f"{path}.schedule.warmup": 0.0}
    return omissions | ({} if config.loss.balance == "none" else {"balance": {"loss.balance": "none"}})


def draw_group_order(examples: Examples, seed: int) -> NDArray[np.intp]:
    """Draw a random order of groups, and of the examples in each; return each example's position [N].

    A share of the order is whole groups except for the last, as if a person had gathered fewer images.
    """
    groups, index = np.unique(examples.groups, return_inverse=True)
    group_keys = np.array([rng.derive_seed(seed, "less", str(group)) for group in groups])
    example_keys = np.array([rng.derive_seed(seed, "less of a group", str(name)) for name in examples.names])
    return np.argsort(np.lexsort((example_keys, group_keys[index])))


def _select_share(rows: FoldRows, order: NDArray[np.intp], share: float, copies: NDArray[np.int64]) -> FoldRows:
    """Return a share of the originals among `rows` with their copies, repeated to the same number of rows."""
    originals = len(order) - len(copies)
    original_rows = rows[rows < originals]
    chosen = original_rows[np.argsort(order[original_rows])[: max(1, round(share * len(original_rows)))]]
    copied = rows[rows >= originals]
    with_copies = np.concatenate([chosen, copied[np.isin(copies[copied - originals], chosen)]])
    return np.resize(with_copies, len(rows)).astype(np.int32)


def add_ablation_folds(data: TrainingData, ablations: Sequence[Ablation]) -> TrainingData:
    """Return the data with a fold for each ablation, seed and fold, in this order, with that fold's validation."""
    longest = data.train_rows.shape[1]
    rows = [
        np.pad(fold, (0, longest - len(fold)), mode="edge")
        for ablation in ablations
        for seed_rows in ablation.rows
        for fold in seed_rows
    ]
    repeats = sum(len(ablation.rows) for ablation in ablations)
    return replace(
        data,
        train_rows=np.stack(rows).astype(np.int32),
        train_sizes=np.tile(data.train_sizes, repeats),
        validation_rows=np.tile(data.validation_rows, (repeats, 1)),
        validation_weights=np.tile(data.validation_weights, (repeats, 1)),
    )


def count_images(fold_rows: Sequence[FoldRows], loaded: PreparedData) -> float:
    """Return how many different images these rows hold, copies aside: the mean over folds."""
    originals = len(loaded.examples) - len(loaded.copy_origins)
    return float(np.mean([len(np.unique(rows[rows < originals])) for rows in fold_rows]))
