"""Tables of a synthetic study: what its stages would leave behind, drawn from known rules."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from thalweg.artifacts.summary import Comparison, Confirmation, Estimate, RankedTrial, RunnerUp, StudySummary, Summary
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats.run_curves import Evidence

SPACE = [
    SearchedParameter("optimizer.learning_rate", 1e-4, 1.0, log=True),
    SearchedParameter("optimizer.momentum", 0.0, 0.99),
    SearchedParameter("loss.terms.count.kind", choices=("mse", "huber", "log_cosh", "poisson")),
    SearchedParameter("loss.terms.count.delta", 0.1, 10.0, log=True, when={"loss.terms.count.kind": ("huber",)}),
    SearchedParameter("schedule.kind", choices=("constant", "cosine")),
    SearchedParameter("optimizer.clip", 0.1, 10.0, log=True),
]
METRICS = ("mae", "rmse", "bias", "exact")


def compute_final_error(row: dict[str, Any]) -> float:
    """The error that a trial's parameters reach in the end: a valley along learning rate x momentum."""
    effective = np.log10(row["optimizer.learning_rate"] / (1 - row["optimizer.momentum"]))
    kind = {"mse": 0.16, "huber": 0.0, "log_cosh": 0.03, "poisson": 0.10}[row["loss.terms.count.kind"]]
    result: float = 0.62 + 0.16 * (effective + 0.9) ** 2 + kind + (0.05 if row["schedule.kind"] == "constant" else 0.0)
    return result


def draw_trials(count: int, cohort: int, epochs: int, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for number in range(count):
        near = rng.random() < min(0.8, number / max(count, 2) + 0.1)
        lr = 10 ** (rng.normal(-1.6, 0.45) if near else rng.uniform(-4, 0))
        kind = str(rng.choice(["mse", "huber", "log_cosh", "poisson"], p=[0.2, 0.4, 0.25, 0.15]))
        row: dict[str, Any] = {
            "number": number, "state": "complete", "value": np.nan,
            "optimizer.learning_rate": float(np.clip(lr, 1e-4, 1.0)),
            "optimizer.momentum": float(np.clip(rng.normal(0.75, 0.15) if near else rng.uniform(0, 0.99), 0, 0.99)),
            "loss.terms.count.kind": kind,
            "loss.terms.count.delta": float(10 ** rng.uniform(-1, 1)) if kind == "huber" else np.nan,
            "schedule.kind": str(rng.choice(["constant", "cosine"], p=[0.3, 0.7])),
            "optimizer.clip": float(10 ** rng.uniform(-1, 1)),
            "epochs": epochs, "diverged_step": np.nan,
        }  # fmt: skip
        if row["optimizer.learning_rate"] / (1 - row["optimizer.momentum"]) > 1.2:
            row |= {"state": "diverged", "epochs": 2, "diverged_step": float(rng.integers(20, 90))}
        else:
            row["value"] = compute_final_error(row) * float(np.exp(rng.normal(0, 0.025)))
        rows.append(row)
    trials = pd.DataFrame(rows)
    for start in range(0, count, cohort):  # the worse half of a cohort stops at a quarter of the epochs
        values = trials.loc[start : start + cohort - 1, "value"].dropna().sort_values()
        stopped = values.index[-(-len(values) // 2) :]
        trials.loc[stopped, "state"] = "pruned"
        trials.loc[stopped, "epochs"] = max(1, epochs // 4)
        trials.loc[stopped, "value"] *= 1.4
    return trials


def draw_curves(trials: pd.DataFrame, epochs: int, rng: np.random.Generator) -> pd.DataFrame:
    parts = []
    for row in trials.to_dict("records"):
        epoch = np.arange(1, int(row["epochs"]) + 1)
        left = np.exp(-epoch * 5 / epochs)
        wild = row["state"] == "diverged"
        end = 2.0 if wild else row["value"] / (1.4 if row["state"] == "pruned" else 1.0)
        mae = (end + 3.2 * left) * np.exp(rng.normal(0, 0.02, len(epoch)))
        if wild:
            mae[-1] = np.nan
        rate = row["optimizer.learning_rate"] * (
            0.5 * (1 + np.cos(np.pi * (epoch - 1) / epochs)) if row["schedule.kind"] == "cosine" else 1.0
        )
        parts.append(
            pd.DataFrame(
                {
                    "trial": row["number"],
                    "seed": 0,
                    "fold": 0,
                    "epoch": epoch,
                    "train_loss": 0.8 * mae**2,
                    "val_loss": mae**2 + 0.1,
                    "mae": mae,
                    "rmse": 1.3 * mae,
                    "bias": -0.1 * mae,
                    "exact": 1 / (1 + mae),
                    "learning_rate": rate,
                    "train_spread": 0.05 * mae,
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def draw_runs(trials: pd.DataFrame, epochs: int, rng: np.random.Generator) -> pd.DataFrame:
    best = trials[trials["state"] == "complete"].sort_values("value")["number"].head(3).tolist()
    places = ["winner", "runner-up 1", "runner-up 2"]
    rows = []
    for name, trial, level in [("baseline", np.nan, 1.02), *zip(places, best, (0.70, 0.72, 0.79), strict=False)]:
        for seed in range(8):
            row: dict[str, Any] = {"candidate": name, "trial": trial, "seed": 1000 + seed,
                                   "best_epoch": int(rng.integers(epochs - 4, epochs + 1))}  # fmt: skip
            for part, shift in (("validation", 0.0), ("test", 0.04)):
                mae = level + shift + rng.normal(0, 0.025)
                row |= {f"{part}_mae": mae, f"{part}_rmse": 1.31 * mae, f"{part}_bias": rng.normal(-0.12, 0.03),
                        f"{part}_exact": 0.62 - 0.2 * mae + rng.normal(0, 0.01)}  # fmt: skip
            rows.append(row)
    return pd.DataFrame(rows)


def draw_less(runs: pd.DataFrame) -> pd.DataFrame:
    """The winner with a quarter and half of 1,440 images, and without augmentation: worth half of them."""
    rng = np.random.default_rng(5)
    full_runs = runs[(runs["candidate"] == "winner") & (runs["seed"] < 1004)]
    parts = []
    for what, share, worse in (
        ("images", 0.25, 0.22),
        ("images", 0.5, 0.1),
        ("images", 1.0, 0.0),
        ("augmentation", 1.0, 0.1),
    ):
        reduced = full_runs.assign(what=what, share=share, images=1440.0 * share, diverged_step=np.nan)
        reduced["validation_mae"] = (
            reduced["validation_mae"] + worse + (rng.normal(0, 0.01, len(reduced)) if worse else 0.0)
        )
        parts.append(reduced)
    columns = [name for name in map(str, runs) if name.startswith("validation_")]
    return pd.concat(parts)[["what", "share", "images", "seed", "best_epoch", "diverged_step", *columns]]


def summarize(
    trials: pd.DataFrame,
    runs: pd.DataFrame,
    objective: str,
    sign: int,
    part: str,
    answers: Mapping[str, float] | None = None,
) -> Summary:
    """The summary of a study over seeds alone; `answers` are the values of simple answers."""
    done = trials[trials["state"] == "complete"].assign(key=lambda t: sign * t["value"]).sort_values("key")
    best = [RankedTrial(int(row["number"]), {}, float(row["value"])) for row in done.head(1).to_dict("records")]
    complete, pruned, diverged = (int((trials["state"] == s).sum()) for s in ("complete", "pruned", "diverged"))
    epochs = int(trials["epochs"].sum())
    study = StudySummary(len(trials), -(-len(trials) // 6), complete, pruned, diverged, next(iter(best), None), epochs)
    if runs.empty or "winner" not in set(runs["candidate"]):
        return Summary(study, None, {})
    wide = runs.pivot(index="seed", columns="candidate", values=f"{part}_{objective}")

    def judge(of: pd.Series) -> Estimate:
        return estimate(of.mean(), 2.3646 * of.std() / np.sqrt(len(of)), len(of))

    winner = wide["winner"]
    confirmation = Confirmation(judge(winner), judge(wide["baseline"]), judge(winner - wide["baseline"]))
    others = sorted(name for name in map(str, wide) if name.startswith("runner-up"))
    rivals = tuple(Comparison(name, judge(wide[name] - winner)) for name in others)
    simple = tuple(Comparison(name, judge(value - winner)) for name, value in (answers or {}).items())
    beside = tuple(RunnerUp(name, judge(wide[name]), judge(wide[name] - wide["baseline"])) for name in others)
    test = {objective: confirmation.winner.mean}
    return Summary(study, confirmation, test, runners_up=rivals, answers=simple, others=beside)


def estimate(mean: float, half: float, seeds: int = 8, **more: Any) -> Estimate:
    return Estimate(float(mean), float(mean - half), float(mean + half), seeds, **more)


def draw_scene(people: int, rng: np.random.Generator) -> np.ndarray:
    """A 40 x 64 street with so many standing figures, uint8 [H, W, 3]."""
    image = np.full((40, 64, 3), (196, 206, 214), np.float64)
    image[24:] = (148, 146, 142)
    image[8:26, 6:30] = (118, 138, 150)
    image[8:10, 4:32] = (70, 82, 92)
    for _ in range(people):
        x, y, shade = int(rng.integers(2, 58)), int(rng.integers(18, 27)), rng.integers(30, 200, 3)
        image[y : y + 9, x : x + 4] = shade
        image[y - 3 : y, x + 1 : x + 3] = (205, 165, 135)
    return np.clip(image + rng.normal(0, 5, image.shape), 0, 255).astype(np.uint8)


def draw_predictions(rng: np.random.Generator) -> pd.DataFrame:
    truth = rng.poisson(5, 240)
    prediction = np.maximum(0, truth - 0.045 * (truth - 4) * np.abs(truth - 4) * 0.5 + rng.normal(0, 0.75, 240))
    groups = [f"stop-{i // 20:02d}" for i in range(240)]
    return pd.DataFrame(
        {"image": [f"{group}/{i:04d}.png" for i, group in enumerate(groups)], "group": groups,
         "truth": truth.astype(float), "prediction": prediction, "error": prediction - truth}
    )  # fmt: skip


def draw_verdicts(trials: pd.DataFrame) -> pd.DataFrame:
    rows: list[tuple[int, str, int, Evidence]] = []
    for row in trials.to_dict("records"):
        number, lr = int(row["number"]), row["optimizer.learning_rate"]
        if row["state"] == "diverged":
            rows.append((number, "diverged", 2, Evidence("diverged", {"step": int(row["diverged_step"])})))
        elif lr < 1e-3:
            straight = Evidence("straight fall", {"first": 9.0, "last": 7.0, "rate": lr, "percent": 88.0})
            rows.append((number, "rate too low", 4, straight))
        elif lr > 0.3:
            epochs = {"first_epoch": 8, "first": 2.0, "last_epoch": 16, "last": 2.5}
            swings = Evidence("swings", {"swing": 0.9, "mean": 2.0, "rate": lr, **epochs})
            rows.append((number, "rate too high", 3, swings))
        elif row["state"] == "complete" and number % 7 == 0:
            losses = {"best": 1.0, "end": 1.3, "train_at_best": 0.9, "train_end": 0.5}
            rows.append(
                (number, "overfitting", 11, Evidence("overfitting", {"epoch": 11, "fluctuation": 0.02, **losses}))
            )
        elif row["state"] == "complete":
            level = Evidence("level", {"epoch": 14, "allowed": 0.1, "level": 1.2, "times": 3})
            rows.append((number, "converged", 14, level))
        else:
            gains = {"before": 1.5, "last": 1.3, "validations": 4, "fluctuation": 0.05}
            rows.append((number, "improving", 4, Evidence("improving", gains)))
    return pd.DataFrame(rows, columns=["trial", "kind", "since", "evidence"])


def with_file_values(tables: StudyTables, trial: int) -> StudyTables:
    """The study whose params.yaml has a trial's values."""
    row = tables.trials[tables.trials["number"] == trial].iloc[0]
    params = copy.deepcopy(tables.params)
    for parameter in tables.parameters:
        *above, last = parameter.name.split(".")
        part = params
        for step in above:
            part = part.setdefault(step, {})
        part[last] = row[parameter.name]
    return replace(tables, params=params)
