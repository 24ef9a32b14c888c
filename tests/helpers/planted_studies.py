"""Studies with a known cause: the expected losses of gradient descent on a bowl, and what a study would make of them.

With curvatures a, at a rate r, descent has an excess loss of sum(A exp(-2 a tau)) + noise * r, where tau is the sum of
rates so far; momentum m makes the rate r / (1 - m). Everything that goes wrong is a term of its own.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.helpers.drawn_studies import LABELS, build_params
from tests.helpers.drawn_tables import summarize
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats import monitor

Array = NDArray[np.float64]
RATE = "optimizer.learning_rate"
MOMENTUM = "optimizer.momentum"
DEAD = 5.258373
STEPS = 20


@dataclass(frozen=True)
class World:
    """How the networks of a study learn; the defaults are healthy.

    `rates` are searched, with momenta up to `momentum`; at a pace (rate / (1 - momentum)) of `best` the end is best, by
    `bend`. Excess losses `high` fall with curvatures `curved`, and lie `floor` times the rate higher while it is that
    high. Above `dead` networks learn nothing, above `wild` they diverge. From `turns` on (in tau) the validation loss
    rises by `rise`. `hidden` is the spread of trials that no searched value explains, `early` a spread that soon goes;
    `seed_noise` is the spread of seeds, `jitter` of each validation (by `swing` more at a rate of 1), `batch_spread` of
    mini-batches. `constant` is the share of schedules that do not fall, `file` the baseline's rate, without momentum.
    """

    rates: tuple[float, float] = (0.004, 0.1)
    momentum: float = 0.8
    file: float = 0.006
    constant: float = 0.0
    epochs: int = 16
    best: float = 0.06
    bend: float = 0.6
    high: tuple[float, float] = (6.0, 0.6)
    curved: tuple[float, float] = (1.0, 0.2)
    floor: float = 0.3
    dead: float = np.inf
    wild: float = np.inf
    turns: float = np.inf
    rise: float = 0.0
    hidden: float = 0.0
    early: float = 0.0
    seed_noise: float = 0.012
    jitter: float = 0.006
    swing: float = 0.0
    batch_spread: float = 0.1


def draw_networks(world: World, trials: int, rng: np.random.Generator) -> pd.DataFrame:
    """Random trials after the file's own values, where these are searched: rate, momentum, pace, what else differs."""
    table = pd.DataFrame(
        {
            "rate": np.exp(rng.uniform(np.log(world.rates[0]), np.log(world.rates[1]), trials)),
            "momentum": rng.uniform(0, world.momentum, trials),
            "stays": rng.random(trials) < world.constant,
            "own": world.hidden * rng.normal(size=trials),
            "start": world.early * rng.random(trials),
        }
    )
    if world.rates[0] <= world.file <= world.rates[1]:
        table.loc[0, ["rate", "momentum"]] = [world.file, 0.0]
    return table.assign(pace=table["rate"] / (1 - table["momentum"]))


def draw_loss_curves(world: World, of: pd.DataFrame, rng: np.random.Generator) -> dict[str, Array]:
    """Curves [networks, epochs] of some networks, each with a seed of its own."""
    epoch, pace = np.arange(1, world.epochs + 1), of["pace"].to_numpy()[:, None]
    stays = of["stays"].to_numpy()[:, None]
    factor, middle = (
        np.where(stays, 1.0, 0.5 * (1 + np.cos(np.pi * (epoch - before) / world.epochs))) for before in (0, 0.5)
    )
    tau = np.cumsum(middle * pace * STEPS, axis=1)
    excess = sum(h * np.exp(-2 * a * tau) for h, a in zip(world.high, world.curved, strict=True))
    level = (1 + world.bend * np.log10(pace / world.best) ** 2) * np.exp(of["own"].to_numpy()[:, None])
    noisy, late = world.floor * pace * factor, world.rise * np.maximum(tau - world.turns, 0)
    soon = of["start"].to_numpy()[:, None] * np.exp(-8 * epoch / world.epochs)
    seed = np.exp(2 * rng.normal(0, world.seed_noise, len(of)))[:, None]
    spread = world.jitter + world.swing * pace * factor
    train = (0.5 * level * np.exp(-late) + excess + noisy) * np.exp(rng.normal(0, spread))
    val = (level + excess + noisy + late + soon) * seed * np.exp(rng.normal(0, spread))
    return {"train_loss": train, "val_loss": val, "mae": np.sqrt(val), "learning_rate": pace * factor,
            "train_spread": (world.batch_spread + world.swing * pace * factor) * train}  # fmt: skip


def draw_study(world: World, seed: int, trials: int = 48, sampler: str = "random") -> StudyTables:
    """A study of one world: its trials, candidates on 8 fresh seeds, predictions."""
    rng = np.random.default_rng(seed)
    of, file = draw_networks(world, trials, rng), draw_networks(world, 1, rng)
    file = file.assign(rate=world.file, momentum=0.0, pace=world.file, own=0.0, start=world.early / 2)
    curves, base = draw_loss_curves(world, of, rng), draw_loss_curves(world, file, rng)
    wild, dead = (of["pace"].to_numpy() > bound for bound in (world.wild, world.dead))
    curves["mae"][dead], curves["val_loss"][dead] = DEAD, DEAD**2
    curves["train_loss"][dead] = DEAD**2 * (1 + 0.01 * rng.normal(size=(int(dead.sum()), world.epochs)))
    last = np.where(wild, 2, world.epochs)
    for name in ("train_loss", "val_loss", "mae"):
        curves[name][wild, 1] = np.nan
    table = pd.DataFrame(
        {"number": range(trials), "state": np.where(wild, "diverged", "complete"), "value": curves["mae"].min(axis=1),
         RATE: of["rate"], MOMENTUM: of["momentum"], "epochs": last,
         "diverged_step": np.where(wild, STEPS + 3.0, np.nan)}
    )  # fmt: skip
    table["value"] = table["value"].where(~wild)
    runs = draw_runs(world, table, of, file, rng)
    params = build_params("Planted", trials, 6, world.epochs, "count", "mae")
    params["study"] |= {"sampler": sampler, "prune": None, "also": [], "enqueue": []}
    params["optimizer"] = {"kind": "heavy_ball", "learning_rate": world.file, "momentum": 0.0}
    params["training"] |= {"batch_size": 64}
    return StudyTables(
        params=params,
        trials=table,
        curves=_build_curves_table(curves, last),
        summary=summarize(table, runs, "mae", 1, "test"),
        runs=runs,
        predictions=draw_predictions(rng),
        pictures=[],
        baseline_curves=_build_curves_table(base, np.array([world.epochs])).drop(columns="trial"),
        verdicts=judge_curves(curves, last, wild),
        manifest={"source": "scenes", "examples": {"train": 1200, "validation": 240, "test": 240}, "excluded": []},
        provenance={},
        space=[SearchedParameter(RATE, world.rates[0], world.rates[1], log=True),
               *([SearchedParameter(MOMENTUM, 0.0, world.momentum)]
                 if world.momentum else [])],
        output_kind="number",
        objective="mae",
        direction="min",
        metric_directions={"mae": "min", "rmse": "min", "bias": "zero", "exact": "max"},
        metric_labels=LABELS,
    )  # fmt: skip


def draw_runs(
    world: World, trials: pd.DataFrame, of: pd.DataFrame, file: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Baseline, winner and runner-up on 8 fresh seeds, chosen and labelled as `confirm` does."""
    best = trials.dropna(subset="value").sort_values("value")["number"].head(2).tolist()
    parts = []
    for trial, net in [(np.nan, file), *((number, of.loc[[number]]) for number in best)]:
        seeds = draw_loss_curves(world, pd.concat([net] * 8, ignore_index=True), rng)["mae"]
        table = pd.DataFrame({"trial": trial, "seed": range(1000, 1008), "best_epoch": seeds.argmin(axis=1) + 1})
        parts.append(table.assign(validation_mae=seeds.min(axis=1)))
    order = sorted(parts[1:], key=lambda part: part["validation_mae"].mean())
    named = zip(("baseline", "winner", "runner-up 1"), (parts[0], *order), strict=True)
    runs = pd.concat([part.assign(candidate=name) for name, part in named], ignore_index=True)
    return runs.assign(test_mae=runs["validation_mae"] * np.exp(rng.normal(0, 0.005, len(runs))))


def _build_curves_table(curves: dict[str, Array], last: NDArray[np.int64]) -> pd.DataFrame:
    count, epochs = curves["mae"].shape
    table = pd.DataFrame({name: curve.ravel() for name, curve in curves.items()})
    table.insert(0, "epoch", np.tile(np.arange(1, epochs + 1), count))
    table.insert(0, "trial", np.repeat(np.arange(count), epochs))
    table = table.assign(seed=0, fold=0, rmse=1.3 * table["mae"])
    return table[table["epoch"] <= last[table["trial"]]].reset_index(drop=True)


def judge_curves(curves: dict[str, Array], last: NDArray[np.int64], wild: NDArray[np.bool_]) -> pd.DataFrame:
    """The monitor's own, of every trial."""
    rows = []
    for trial, end in enumerate(last):
        names = ("train_loss", "val_loss", "learning_rate", "train_spread")
        lane: dict[str, Any] = {name: curves[name][trial, :end] for name in names}
        step = STEPS + 3 if wild[trial] else None
        verdict = monitor.diagnose_curves(
            epoch=np.arange(1, end + 1), metric=curves["mae"][trial, :end], direction="min", diverged_step=step, **lane
        )
        rows.append({"trial": trial, "kind": verdict.kind, "since": verdict.since, "evidence": verdict.evidence})
    return pd.DataFrame(rows)


def draw_predictions(
    rng: np.random.Generator, groups: int = 12, bad: int | None = None, times: float = 3.0
) -> pd.DataFrame:
    """20 examples of each group, wrong by normal noise, in pairs that lean to neither side; more so in a `bad` group.

    Errors are in 64ths, so that they add up to nothing exactly.
    """
    group = np.repeat(np.arange(groups), 10)
    spread = np.where(group == bad, times, 1.0) * np.exp(rng.normal(0, 0.1, groups))[group]
    error = np.round(64 * 0.7 * spread * rng.normal(size=len(group))) / 64
    truth = np.tile(rng.integers(3, 9, len(group)).astype(float), 2)
    group, error = np.tile(group, 2), np.concatenate([error, -error])
    names = [f"place-{number:02d}" for number in group]
    return pd.DataFrame({"image": [f"{n}/{i}.png" for i, n in enumerate(names)], "group": names, "truth": truth,
                         "prediction": truth + error, "error": np.abs(error)})  # fmt: skip


def build_classification_study(
    tables: StudyTables, rng: np.random.Generator, sharpness: float = 1.0, examples: int = 2000
) -> StudyTables:
    """The study as a classification whose confidences p are right with odds (p / (1 - p)) ** (1 / sharpness)."""
    confidence = rng.uniform(0.5, 0.995, examples)
    odds = (confidence / (1 - confidence)) ** (1 / sharpness)
    right = rng.random(examples) < odds / (1 + odds)
    truth = rng.integers(0, 5, examples)
    prediction = np.where(right, truth, (truth + rng.integers(1, 5, examples)) % 5)
    table = pd.DataFrame({"image": [f"{i}" for i in range(examples)], "group": "", "truth": truth.astype(str),
                          "prediction": prediction.astype(str), "confidence": confidence,
                          "error": -np.log(np.where(right, confidence, (1 - confidence) / 4))})  # fmt: skip
    return replace(tables, predictions=table, output_kind="class")


def prune_study(tables: StudyTables, first: int, audit: float, rng: np.random.Generator) -> StudyTables:
    """The study, had the worse half of each cohort been stopped at an epoch, and a share of these trained on to see."""
    curves, trials = tables.curves, tables.trials.copy()
    early = curves[curves["epoch"] <= first].groupby("trial")["mae"].min()
    rank = early.groupby(early.index // 6).rank()
    pruned = rank.index[rank > 3]
    is_audited = rng.random(len(pruned)) < audit
    trials["audit"] = np.nan
    trials.loc[pruned, "state"] = "pruned"
    trials.loc[pruned[is_audited], "audit"] = trials.loc[pruned[is_audited], "value"]
    trials.loc[pruned, "value"] = early[pruned]
    trials.loc[pruned[~is_audited], "epochs"] = first
    ended = trials["epochs"].to_numpy()[curves["trial"]]
    params: dict[str, Any] = {
        **tables.params,
        "study": {**tables.params["study"], "prune": {"first": first, "eta": 2, "audit": audit}},
    }
    kept = curves[curves["epoch"] <= ended]
    verdicts = tables.verdicts[~tables.verdicts["trial"].isin(pruned[~is_audited])]
    again = pd.DataFrame([judge_trial(int(trial), kept[kept["trial"] == trial]) for trial in pruned[~is_audited]])
    verdicts = pd.concat([verdicts, again]).sort_values("trial", ignore_index=True)
    return replace(tables, trials=trials, curves=kept, verdicts=verdicts, params=params)


def judge_trial(trial: int, curves: pd.DataFrame) -> dict[str, Any]:
    """What the monitor says of one trial's curves that did not diverge."""
    trial_curves: dict[str, Any] = {
        name: curves[name] for name in ("epoch", "train_loss", "val_loss", "learning_rate", "train_spread")
    }
    verdict = monitor.diagnose_curves(**trial_curves, metric=curves["mae"], direction="min")
    return {"trial": trial, "kind": verdict.kind, "since": verdict.since, "evidence": verdict.evidence}
