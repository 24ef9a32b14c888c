"""Synthetic studies: what the stages would leave behind, drawn from known rules with a fixed seed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.reporting.ground import terrain, with_terms
from thalweg.reporting.tables import Tables
from thalweg.system.files import write_image

SPACE = [
    {"name": "optimizer.learning_rate", "type": "float", "low": 1e-4, "high": 1.0, "log": True},
    {"name": "optimizer.momentum", "type": "float", "low": 0.0, "high": 0.99, "log": False},
    {"name": "loss.terms.count.kind", "type": "categorical", "choices": ["mse", "huber", "log_cosh", "poisson"]},
    {"name": "loss.terms.count.delta", "type": "float", "low": 0.1, "high": 10.0, "log": True,
     "when": {"loss.terms.count.kind": "huber"}},
    {"name": "schedule.kind", "type": "categorical", "choices": ["constant", "cosine"]},
    {"name": "optimizer.clip", "type": "float", "low": 0.1, "high": 10.0, "log": True},
]  # fmt: skip
METRICS = ("mae", "rmse", "bias", "exact")


def quality(row: dict[str, Any]) -> float:
    """The error that a trial's parameters reach in the end: a valley along learning rate x momentum."""
    effective = np.log10(row["optimizer.learning_rate"] / (1 - row["optimizer.momentum"]))
    kind = {"mse": 0.16, "huber": 0.0, "log_cosh": 0.03, "poisson": 0.10}[row["loss.terms.count.kind"]]
    return 0.62 + 0.16 * (effective + 0.9) ** 2 + kind + (0.05 if row["schedule.kind"] == "constant" else 0.0)


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
            row["value"] = quality(row) * float(np.exp(rng.normal(0, 0.025)))
        rows.append(row)
    trials = pd.DataFrame(rows)
    for start in range(0, count, cohort):  # the worse half of a cohort stops at a quarter of the epochs
        values = trials.loc[start : start + cohort - 1, "value"].dropna().sort_values()
        stopped = values.index[-(-len(values) // 2) :]
        trials.loc[stopped, ["state", "epochs"]] = ["pruned", max(1, epochs // 4)]
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
    whole = runs[(runs["candidate"] == "winner") & (runs["seed"] < 1004)]
    parts = []
    for what, share, worse in (
        ("images", 0.25, 0.22),
        ("images", 0.5, 0.1),
        ("images", 1.0, 0.0),
        ("augmentation", 1.0, 0.1),
    ):
        own = whole.assign(what=what, share=share, images=1440.0 * share, diverged_step=np.nan)
        own["validation_mae"] = own["validation_mae"] + worse + (rng.normal(0, 0.01, len(own)) if worse else 0.0)
        parts.append(own)
    columns = [name for name in runs if name.startswith("validation_")]
    return pd.concat(parts)[["what", "share", "images", "seed", "best_epoch", "diverged_step", *columns]]


def summarize(trials: pd.DataFrame, runs: pd.DataFrame, objective: str, sign: int, part: str) -> dict[str, Any]:
    done = trials[trials["state"] == "complete"].assign(key=lambda t: sign * t["value"]).sort_values("key")
    study: dict[str, Any] = {"trials": len(trials), "cohorts": -(-len(trials) // 6)}
    study |= {k: int((trials["state"] == s).sum()) for k, s in
              (("complete", "complete"), ("pruned", "pruned"), ("diverged", "diverged"))}  # fmt: skip
    if len(done):
        best = done.iloc[0]
        study["best"] = {"number": int(best["number"]), "params": {}, "value": float(best["value"])}
    if runs.empty or "winner" not in set(runs["candidate"]):
        return {"study": study}
    wide = runs.pivot(index="seed", columns="candidate", values=f"{part}_{objective}")
    entries = {}
    for name, values in (("winner", wide["winner"]), ("baseline", wide["baseline"]),
                         ("difference", wide["winner"] - wide["baseline"])):  # fmt: skip
        half = 2.3646 * values.std() / np.sqrt(len(values))
        mean = float(values.mean())
        entries[name] = {"mean": mean, "low": float(mean - half), "high": float(mean + half), "seeds": len(values)}
    return {"study": study, "confirm": entries, "test": {objective: entries["winner"]["mean"]}}


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
    rows: list[tuple[int, str, int, str]] = []
    for row in trials.to_dict("records"):
        number, lr = int(row["number"]), row["optimizer.learning_rate"]
        if row["state"] == "diverged":
            rows.append((number, "diverged", 2, f"the loss became non-finite at step {int(row['diverged_step'])}"))
        elif lr < 1e-3:
            rows.append(
                (
                    number,
                    "rate too low",
                    4,
                    "train loss still falls by 12 % an epoch, at a rate 40 times below the best",
                )
            )
        elif lr > 0.3:
            rows.append((number, "rate too high", 3, "the spread of train loss within an epoch is 0.9 of its mean"))
        elif row["state"] == "complete" and number % 7 == 0:
            rows.append((number, "overfitting", 11, "validation loss rose for 4 epochs while train loss fell by 9 %"))
        elif row["state"] == "complete":
            rows.append((number, "converged", 14, "mae changed by less than 0.4 % over the last 3 epochs"))
        else:
            rows.append((number, "improving", 4, "mae fell by 6 % an epoch when the trial was stopped"))
    return pd.DataFrame(rows, columns=["trial", "kind", "since", "evidence"])


def parameters(title: str, trials: int, cohort: int, epochs: int, task: str, objective: str) -> dict[str, Any]:
    return {
        "seed": 0, "data": {"path": "data", "source": {"kind": "scenes"}}, "augment": {}, "task": {"kind": task},
        "model": {"kind": "cnn"}, "loss": {}, "optimizer": {}, "schedule": {},
        "training": {"epochs": epochs},
        "study": {"sampler": "tpe", "trials": trials, "cohort": cohort, "seeds": 1, "objective": objective,
                  "randomness": "independent"},
        "confirm": {"seeds": 8}, "report": {"title": title, "sections": []},
    }  # fmt: skip


def count_study(folder: Path, trials: int = 48, epochs: int = 16, seed: int = 7) -> Tables:
    """A count study of whole cohorts of 6, a winner better than the baseline, 12 worst pictures in `folder`."""
    rng = np.random.default_rng(seed)
    table = draw_trials(trials, 6, epochs, rng)
    curves, runs, predictions = draw_curves(table, epochs, rng), draw_runs(table, epochs, rng), draw_predictions(rng)
    base = table.iloc[[0]].assign(
        **{"state": "complete", "value": 1.0, "epochs": epochs, "optimizer.learning_rate": 0.01}
    )
    pictures = []
    worst = predictions.assign(size=predictions["error"].abs()).sort_values("size", ascending=False).head(12)
    for place, row in enumerate(worst.to_dict("records")):
        path = folder / f"worst-{place:02d}.png"
        write_image(path, draw_scene(int(row["truth"]), rng))
        pictures.append({"file": path, **{name: row[name] for name in ("image", "truth", "prediction", "error")}})
    return Tables(
        params=parameters("People at a bus stop", trials, 6, epochs, "count", "mae"),
        trials=table,
        curves=curves,
        summary=summarize(table, runs, "mae", 1, "test"),
        runs=runs,
        less=draw_less(runs),
        references=pd.DataFrame([{"answer": "the usual number", "mae": 2.4, "rmse": 3.0, "bias": 0.1, "exact": 0.1}]),
        predictions=predictions,
        pictures=pictures,
        baseline_curves=draw_curves(base, epochs, rng).drop(columns=["trial"]),
        verdicts=draw_verdicts(table),
        manifest={
            "source": "scenes", "examples": {"train": 1440, "validation": 240, "test": 240},
            "groups": {"train": 72, "validation": 12, "test": 12}, "classes": [],
            "excluded": [{"name": "stop-03/0071.png", "where": "labels.csv:72", "reason": "count is negative"},
                         {"name": "stop-09/0188.png", "where": "labels.csv:189", "reason": "not an image"}],
            "warnings": ["12 groups of validation are few: their choice alone moves the objective."],
            "sha256": "9f2c1a7be04d5c6f8a3e7d1b2c4f6a8e",
        },
        made={"fingerprint": "5be0c7d2a91f4e63", "device": "cpu, 8 host devices, pool of 8",
              "versions": {"jax": "0.10.2", "flax": "0.12.0", "optax": "0.2.8", "optuna": "5.0.0", "python": "3.11"},
              "commands": ["dvc repro"]},
        space=SPACE,
        told="number",
        objective="mae",
        direction="min",
    )  # fmt: skip


def class_study(folder: Path) -> Tables:
    """The same study told as a classification: accuracy, where higher is better."""
    tables, rng = count_study(folder), np.random.default_rng(3)
    names = ["ankle boot", "bag", "coat", "dress", "shirt", "sneaker"]
    truth = rng.integers(0, 6, 300)
    taken = np.where(rng.random(300) < 0.84, truth, (truth + rng.integers(1, 3, 300)) % 6)
    predictions = pd.DataFrame(
        {"image": [f"{i:05d}" for i in range(300)], "group": "", "truth": np.array(names)[truth],
         "prediction": np.array(names)[taken], "confidence": np.where(taken == truth, 0.9, 0.7),
         "error": np.where(taken == truth, 0.1, 2.3)}
    )  # fmt: skip
    turned = {"mae": "accuracy", "rmse": "log_loss", "bias": "calibration_error"}
    trials = tables.trials.assign(value=1.0 - tables.trials["value"] / 5)
    runs = tables.runs.drop(columns=["validation_exact", "test_exact"])
    for part in ("validation", "test"):
        runs[f"{part}_mae"] = 1.0 - runs[f"{part}_mae"] / 5
    runs = runs.rename(
        columns={f"{p}_{old}": f"{p}_{new}" for p in ("validation", "test") for old, new in turned.items()}
    )
    curves, base = (
        frame.assign(mae=1.0 - frame["mae"] / 5).drop(columns="exact").rename(columns=turned)
        for frame in (tables.curves, tables.baseline_curves)
    )
    pictures = [each | {"truth": "coat", "prediction": "shirt", "error": 2.3} for each in tables.pictures]
    return replace(
        tables,
        params=parameters("Clothes", 48, 6, 16, "classify", "accuracy"),
        trials=trials,
        runs=runs,
        less=pd.DataFrame(),
        references=pd.DataFrame([{"answer": "how frequent classes are", "accuracy": 0.17, "log_loss": 1.8}]),
        curves=curves,
        baseline_curves=base,
        predictions=predictions,
        pictures=pictures,
        summary=summarize(trials, runs, "accuracy", -1, "test"),
        manifest=tables.manifest | {"classes": names},
        told="class",
        objective="accuracy",
        direction="max",
    )


def image_study(folder: Path) -> Tables:
    """The same study told as one of images, each 6 dB nearer to the truth than it was given, but for a few."""
    tables, rng = class_study(folder), np.random.default_rng(4)
    given, gain = rng.normal(20, 0.3, 240), rng.normal(6, 1.5, 240)
    predictions = tables.predictions.head(0).reindex(range(240))[["image", "group", "error"]]
    predictions["image"] = [f"street/{i:04d}.png" for i in range(240)]
    predictions["group"] = [f"street-{i // 20:02d}" for i in range(240)]
    predictions = predictions.assign(psnr=given + gain, given_psnr=given, error=10 ** (-(given + gain) / 20))
    turned = {"accuracy": "psnr", "log_loss": "ssim"}
    names = {f"{part}_{old}": f"{part}_{new}" for part in ("validation", "test") for old, new in turned.items()}
    pictures = [{"file": each["file"], **predictions.iloc[i].to_dict()} for i, each in enumerate(tables.pictures)]
    gone = [name for name in tables.runs if name.endswith("calibration_error")]
    return replace(
        tables,
        params=parameters("Clean streets", 48, 6, 16, "enhance", "psnr"),
        runs=tables.runs.rename(columns=names).drop(columns=gone),
        references=pd.DataFrame([{"answer": "as it is given", "psnr": 0.2, "ssim": 0.1}]),
        curves=tables.curves.rename(columns=turned),
        baseline_curves=tables.baseline_curves.rename(columns=turned),
        predictions=predictions,
        pictures=pictures,
        summary=summarize(tables.trials, tables.runs.rename(columns=names), "psnr", -1, "test"),
        told="image",
        objective="psnr",
    )


def without_results(tables: Tables, trials: pd.DataFrame) -> Tables:
    """The study with other trials and nothing confirmed."""
    kept = tables.curves[tables.curves["trial"].isin(trials["number"])]
    verdicts = tables.verdicts[tables.verdicts["trial"].isin(trials["number"])]
    return replace(
        tables, trials=trials, curves=kept, verdicts=verdicts, runs=pd.DataFrame(),
        less=pd.DataFrame(), predictions=pd.DataFrame(),
        pictures=[], summary=summarize(trials, pd.DataFrame(), "mae", 1, "test"),
    )  # fmt: skip


HOSTILE = "</script><script>alert(1)</script>| `ß` 駅 \"'&<b>"


def hostile_study(folder: Path) -> Tables:
    """Every string that a person can choose is an attack on the page."""
    tables = count_study(folder)
    rename = {"loss.terms.count.delta": HOSTILE}
    manifest = tables.manifest | {
        "source": HOSTILE, "warnings": [HOSTILE], "classes": [HOSTILE],
        "excluded": [{"name": HOSTILE, "where": HOSTILE, "reason": HOSTILE}],
    }  # fmt: skip
    return replace(
        tables,
        params=parameters(HOSTILE, 48, 6, 16, "count", "mae"),
        trials=tables.trials.rename(columns=rename).replace({"loss.terms.count.kind": {"huber": HOSTILE}}),
        space=[
            each
            | ({"name": HOSTILE, "when": {"loss.terms.count.kind": HOSTILE}} if each["name"] in rename else {})
            | ({"choices": ["mse", HOSTILE, "log_cosh", "poisson"]} if each["name"].endswith("count.kind") else {})
            for each in tables.space
        ],
        predictions=tables.predictions.assign(image=HOSTILE, group=HOSTILE + tables.predictions["group"]),
        pictures=[each | {"image": HOSTILE} for each in tables.pictures],
        verdicts=tables.verdicts.assign(evidence=HOSTILE),
        manifest=manifest,
        made={"fingerprint": HOSTILE, "versions": {HOSTILE: HOSTILE}, "device": HOSTILE, "commands": [HOSTILE]},
    )


def edge_cases(folder: Path) -> dict[str, Tables]:
    """Name -> study, for each way in which a study may be small, poor or strange."""
    usual = count_study(folder)
    empty = pd.DataFrame(columns=usual.trials.columns)
    lost = usual.trials.head(6).assign(state="diverged", value=np.nan, diverged_step=30.0, epochs=1)
    one = without_results(usual, usual.trials[usual.trials["state"] == "complete"].head(1).assign(number=0))
    single = usual.trials.drop(columns=[each["name"] for each in SPACE[1:]])
    only_validation = usual.runs.drop(columns=[name for name in usual.runs if name.startswith("test_")])
    return {
        "usual": usual,
        "no trials": replace(without_results(usual, empty), baseline_curves=pd.DataFrame(), manifest={}, made={}),
        "one trial": one,
        "all diverged": without_results(usual, lost),
        "all pruned": without_results(usual, usual.trials.dropna(subset="value").assign(state="pruned", epochs=4)),
        "single parameter": replace(usual, trials=single),
        "hostile names": hostile_study(folder),
        "no pictures": replace(usual, pictures=[]),
        "no test": replace(
            usual, runs=only_validation, summary=summarize(usual.trials, only_validation, "mae", 1, "validation")
        ),
        "classes": class_study(folder),
        "several terms": replace(with_terms(usual), terrain=terrain()),
        "images": image_study(folder),
    }


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tables]:
    return edge_cases(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="session")
def usual(cases: dict[str, Tables]) -> Tables:
    return cases["usual"]


@pytest.fixture(scope="session")
def study_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Tables]:
    folder = tmp_path_factory.mktemp("more")
    return lambda trials: count_study(folder, trials)
