"""Random studies: a world of random faults, and all that rests on its curves."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from tests.helpers import planted_studies as planted
from tests.helpers.answers import with_answer
from tests.helpers.drawn_tables import summarize
from tests.helpers.planted_studies import MOMENTUM, RATE, World
from thalweg.reporting.analysis.isolation import group_trials_by_value
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

SEEDS = range(2000, 2004)
IMAGES = 1200.0


def draw_random_study(seed: int) -> StudyTables:
    """A study of random rates, noise and faults; a third of them stop trials early, half ask for a choice."""
    rng = np.random.default_rng(seed)
    low = 10 ** rng.uniform(-5, -1.5)
    world = World(
        rates=(low, low * 10 ** rng.uniform(0.3, 3)),
        momentum=float(rng.choice([0.1, 0.5, 0.8])),
        file=low * 10 ** rng.uniform(0, 1),
        bend=float(rng.choice([0.0, 0.1, 0.6])),
        wild=float(rng.choice([0.2, np.inf])),
        hidden=float(rng.choice([0.0, 0.0, 0.3, 0.8])),
        seed_noise=10 ** rng.uniform(-3, -1),
        jitter=10 ** rng.uniform(-3.5, -1.5),
    )
    tables = planted.draw_study(world, seed, int(rng.choice([24, 48, 96])), str(rng.choice(["random", "tpe"])))
    if rng.random() < 0.5:
        shares = [0.6, 0.3, 0.1] if seed % 2 else [1 / 3] * 3  # uneven ones as older studies have them
        kinds = rng.choice(["l1", "l2", "huber"], len(tables.trials), p=shares)
        behind = float(rng.choice([0.0, 0.05, 0.5]))
        shift = behind * (kinds == "l2")
        kind = SearchedParameter("kind", choices=("l1", "l2", "huber"), role="scientific")
        trials = tables.trials.assign(kind=kinds, value=tables.trials["value"] + shift)
        tables = replace(tables, trials=trials, space=[*tables.space, kind])
    else:
        kind, behind = None, 0.0
    tables = planted.prune_study(tables, 4, 0.3, rng) if rng.random() < 1 / 3 else tables
    tables = add_answers(add_ablations(turn_late(tables, world, rng), world, rng), rng)
    return tables if kind is None else answer_choice(tables, kind, behind, np.random.default_rng((seed, 1)))


def answer_choice(tables: StudyTables, kind: SearchedParameter, behind: float, rng: np.random.Generator) -> StudyTables:
    """Retrain the best trial of each value in four of five studies: l2 is `behind`, within the error of seeds."""
    if rng.random() < 0.2 or any(group.best is None for group in group_trials_by_value(tables, kind)):
        return tables
    half = float(10 ** rng.uniform(-3, -0.5))
    differences = {
        name: (mean + half / 2.3 * rng.standard_normal(), half) for name, mean in (("l2", behind), ("huber", 0.0))
    }
    return with_answer(tables, kind, "l1", differences)


def turn_late(tables: StudyTables, world: World, rng: np.random.Generator) -> StudyTables:
    """Retrain the candidates of a quarter of studies in a world that overfits, and of another where rates stay high."""
    kind = rng.choice(["overfits", "stays", "as it is", "as it is"])
    if kind == "as it is":
        return tables
    changed = replace(world, turns=0.3, rise=2.0) if kind == "overfits" else world
    runs = tables.runs.copy()
    for name in runs["candidate"].unique():
        is_own = runs["candidate"] == name
        table = select_networks(tables, int(is_own.sum()), name, stays=kind == "stays")
        curves = planted.draw_loss_curves(changed, table, rng)["mae"]
        runs.loc[is_own, "best_epoch"] = curves.argmin(axis=1) + 1
        runs.loc[is_own, "validation_mae"] = curves.min(axis=1)
    runs["test_mae"] = runs["validation_mae"] * np.exp(rng.normal(0, 0.005, len(runs)))
    summary = summarize(tables.trials, runs, "mae", 1, "test")
    return replace(tables, runs=runs, summary=summary)


def select_networks(tables: StudyTables, count: int, candidate: str, *, stays: bool = False) -> pd.DataFrame:
    """Return networks with a candidate's values, as `draw_networks` does; the file's for the baseline."""
    trial = tables.runs.loc[tables.runs["candidate"] == candidate, "trial"].iloc[0]
    row = tables.trials[tables.trials["number"] == trial]
    rate = float(row[RATE].iloc[0]) if len(row) else float(tables.setting(RATE))
    momentum = float(row[MOMENTUM].iloc[0]) if len(row) and MOMENTUM in row else 0.0
    network = {"rate": rate, "momentum": momentum, "stays": stays, "own": 0.0, "start": 0.0}
    return pd.DataFrame([network | {"pace": rate / (1 - momentum)}] * count)


def add_ablations(tables: StudyTables, world: World, rng: np.random.Generator) -> StudyTables:
    """Retrain the winner with half the images and without augmentation: each helps, harms or does nothing."""
    effects = {"images": float(rng.choice([-0.3, 0.0, 0.3])), "augmentation": float(rng.choice([-0.3, 0.0, 0.3]))}
    return replace(tables, ablations=draw_ablations(tables, world, effects, rng))


def draw_ablations(
    tables: StudyTables, world: World, effects: Mapping[str, float], rng: np.random.Generator
) -> pd.DataFrame:
    """Full and reduced runs of the winner, each from curves of its own; effects are of the loss's logarithm."""
    network, parts = select_networks(tables, len(SEEDS), "winner"), []
    for what, share, effect in [
        ("images", 1.0, 0.0),
        ("images", 0.5, effects["images"]),
        ("augmentation", 1.0, effects["augmentation"]),
    ]:
        curves = planted.draw_loss_curves(world, network.assign(own=effect), rng)["mae"]
        values = {"best_epoch": curves.argmin(axis=1) + 1, "validation_mae": curves.min(axis=1)}
        of = {"what": what, "share": share, "images": share * IMAGES, "seed": SEEDS, "diverged_step": np.nan}
        parts.append(pd.DataFrame(of | values))
    return pd.concat(parts, ignore_index=True)


def add_answers(tables: StudyTables, rng: np.random.Generator) -> StudyTables:
    """Add a simple answer: as good as some trial is after its first epoch, or up to a fifth better or worse."""
    first = tables.curves.loc[tables.curves["epoch"] == 1, "mae"].dropna()
    value = float(first.quantile(rng.random()) * rng.uniform(0.8, 1.2))
    references = pd.DataFrame([{"answer": "the median count", "mae": value, "rmse": 1.3 * value}])
    summary = summarize(tables.trials, tables.runs, "mae", 1, "test", {"the median count": value})
    return replace(tables, references=references, summary=summary)
