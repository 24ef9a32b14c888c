"""The winner trained again with less: fewer images, no augmentation, without a term of its loss or a phase of one.

What each is worth shows in what is lost.
"""

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
from thalweg.engine.workers import copy_to_devices
from thalweg.training import build
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

FoldRows = NDArray[np.int32]


@dataclass(frozen=True)
class Ablation:
    """One way to have less: `what` it is about, the `share` of the images that is left, which rows, other values.

    `what` is images, augmentation, or one of `parts_of`. `rows` are each fold's, by seed: the seed draws which images
    are left, so that a mean over seeds holds that luck too.
    """

    what: str
    share: float
    rows: Sequence[Sequence[FoldRows]]
    values: Setting = field(default_factory=dict)


def train_ablations(
    config: Config, prepared: PreparedData, data: TrainingData, values: Setting, folder: Path
) -> pd.DataFrame:
    """The winner's values with less, on the first `diagnose.seeds` of the confirmed seeds: one row a way and seed.

    `data` is on the host. Each lane trains for as many steps as the winner did: an image that is left is seen more
    often. Columns are what, share, images (mean over folds), seed, best_epoch, diverged_step and validation_<metric>.
    """
    chosen = candidates.apply_trial_values(config, values)
    seeds = candidates.list_confirm_seeds(config)[: config.diagnose.seeds]
    ways = list_ablations(chosen, prepared, data, seeds)
    if not ways or not seeds:
        return pd.DataFrame(columns=["what", "share", "images", "seed"])
    folds = len(data.train_rows)
    plan = build.build_plan(chosen, build.build_data_spec(prepared.examples), data, searched=True)
    wanted: dict[int, tuple[NetworkProgram, NetworkHyper, list[LaneSeed]]] = {}
    for at, way in enumerate(ways):
        own = range(at * len(seeds) * folds, (at + 1) * len(seeds) * folds)
        lanes = list(zip(np.repeat(seeds, folds).tolist(), own, strict=True))
        wanted[at] = plan, build.build_hyper(chosen.replace_values(way.values)), lanes
    ends = train_to_end(folder, copy_to_devices(add_ablation_folds(data, ways)), wanted, config.engine.width)
    rows = [
        {
            "what": way.what,
            "share": way.share,
            "images": count_images(left, prepared),
            "seed": seed,
            "best_epoch": float(np.mean([state.best_epoch for state in states])),
            "diverged_step": candidates.diverged_step(states),
            **{
                f"validation_{name}": v
                for name, v in candidates.mean_best_validation(plan, prepared.splits, states).items()
            },
        }
        for at, way in enumerate(ways)
        for seed, left, states in zip(seeds, way.rows, candidates.by_seed(ends[at], folds), strict=True)
    ]
    return pd.DataFrame(rows).astype({"diverged_step": "Int64"})


def list_ablations(config: Config, loaded: PreparedData, data: TrainingData, seeds: Sequence[int]) -> list[Ablation]:
    """Every share of `diagnose.shares`, then all images without augmentation, and without each part of the loss.

    Which images are a share is drawn by each of the seeds, every smaller share of a larger one.
    """
    originals = len(loaded.examples) - len(loaded.copy_origins)
    of_fold = [np.asarray(rows)[:size] for rows, size in zip(data.train_rows, data.train_sizes, strict=True)]
    orders = [draw_group_order(loaded.examples, seed) for seed in seeds]
    ways = [
        Ablation(
            "images",
            share,
            [[_select_share(rows, order, share, loaded.copy_origins) for rows in of_fold] for order in orders],
        )
        for share in sorted(config.diagnose.shares)
    ]
    online = {f"augment.online.{name}": 0.0 for name, on in config.augment.online.model_dump().items() if on}
    if online or len(loaded.copy_origins):
        plain = [np.resize(rows[rows < originals], len(rows)) for rows in of_fold]
        ways.append(Ablation("augmentation", 1.0, [plain] * len(seeds), online))
    return [
        *ways,
        *(Ablation(what, 1.0, [of_fold] * len(seeds), values) for what, values in list_loss_ablations(config).items()),
    ]


def list_loss_ablations(config: Config) -> dict[str, Setting]:
    """What a loss of several terms can go without, each with the values that do so; nothing for a single term.

    `term x`: its weight is 0. `phase p of x`: it begins at the end. `schedule of x`: it is constant. `balance`: none.
    """
    terms = config.loss.terms
    if len(terms) < 2:
        return {}
    found: dict[str, Setting] = {}
    for name, term in sorted(terms.items()):
        here = f"loss.terms.{name}"
        phases = {f"{here}.phases.{phase}.weight": 0.0 for phase in term.phases}
        found[f"term {name}"] = {f"{here}.weight": 0.0} | phases
        for phase in term.phases:
            found[f"phase {phase} of {name}"] = {f"{here}.phases.{phase}.start": 1.0}
        if term.schedule is not None and term.schedule.kind != "constant":
            found[f"schedule of {name}"] = {f"{here}.schedule.kind": "constant", f"{here}.schedule.warmup": 0.0}
    return found | ({} if config.loss.balance == "none" else {"balance": {"loss.balance": "none"}})


def draw_group_order(examples: Examples, seed: int) -> NDArray[np.intp]:
    """The place [N] of each example in an order in which groups follow each other by chance, and examples in them.

    So a share of the order is whole groups but for the last: fewer images as a person who had gathered fewer would
    have them.
    """
    groups, index = np.unique(examples.groups, return_inverse=True)
    of_group = np.array([rng.derive_seed(seed, "less", str(group)) for group in groups])
    own = np.array([rng.derive_seed(seed, "less of a group", str(name)) for name in examples.names])
    return np.argsort(np.lexsort((own, of_group[index])))


def _select_share(rows: FoldRows, order: NDArray[np.intp], share: float, copies: NDArray[np.int64]) -> FoldRows:
    """A share of the originals among `rows` with their copies, repeated to the same number of rows."""
    originals = len(order) - len(copies)
    own = rows[rows < originals]
    kept = own[np.argsort(order[own])[: max(1, round(share * len(own)))]]
    copied = rows[rows >= originals]
    with_copies = np.concatenate([kept, copied[np.isin(copies[copied - originals], kept)]])
    return np.resize(with_copies, len(rows)).astype(np.int32)


def add_ablation_folds(data: TrainingData, ablations: Sequence[Ablation]) -> TrainingData:
    """The data with a fold for each way, seed and fold, in this order; each validates as its fold does."""
    longest = data.train_rows.shape[1]
    rows = [
        np.pad(fold, (0, longest - len(fold)), mode="edge") for way in ablations for own in way.rows for fold in own
    ]
    times = sum(len(way.rows) for way in ablations)
    return replace(
        data,
        train_rows=np.stack(rows).astype(np.int32),
        train_sizes=np.tile(data.train_sizes, times),
        validation_rows=np.tile(data.validation_rows, (times, 1)),
        validation_weights=np.tile(data.validation_weights, (times, 1)),
    )


def count_images(fold_rows: Sequence[FoldRows], loaded: PreparedData) -> float:
    """How many different images these rows are, copies aside: the mean over folds."""
    originals = len(loaded.examples) - len(loaded.copy_origins)
    return float(np.mean([len(np.unique(rows[rows < originals])) for rows in fold_rows]))
