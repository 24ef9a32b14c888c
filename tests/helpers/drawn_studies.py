"""Synthetic studies: what the stages would leave behind, drawn from known rules with a fixed seed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.helpers.drawn_tables import (
    SPACE,
    draw_curves,
    draw_less,
    draw_predictions,
    draw_runs,
    draw_scene,
    draw_trials,
    draw_verdicts,
    summarize,
)
from tests.helpers.terrain import draw_terrain, with_terms
from thalweg.core.metrics import METRICS
from thalweg.reporting.tables import StudyTables
from thalweg.system.images import write_image

LABELS = {name: metric.label for name, metric in METRICS.items()}
MEDIAN = {"the median count": 2.4}


def build_params(title: str, trials: int, cohort: int, epochs: int, task: str, objective: str) -> dict[str, Any]:
    return {
        "seed": 0, "data": {"path": "data", "source": {"kind": "scenes"}}, "augment": {}, "task": {"kind": task},
        "model": {"kind": "cnn"}, "loss": {}, "optimizer": {}, "schedule": {},
        "training": {"epochs": epochs},
        "study": {"sampler": "tpe", "trials": trials, "cohort": cohort, "seeds": 1, "objective": objective,
                  "randomness": "independent"},
        "confirm": {"seeds": 8}, "report": {"title": title, "sections": []},
    }  # fmt: skip


def build_counting_study(folder: Path, trials: int = 48, epochs: int = 16, seed: int = 7) -> StudyTables:
    """A count study of whole cohorts of 6, a winner better than the baseline, 12 worst pictures in `folder`."""
    rng = np.random.default_rng(seed)
    table = draw_trials(trials, 6, epochs, rng)
    curves, runs, predictions = draw_curves(table, epochs, rng), draw_runs(table, epochs, rng), draw_predictions(rng)
    usual: dict[str, Any] = {"state": "complete", "value": 1.0, "epochs": epochs, "optimizer.learning_rate": 0.01}
    base = table.iloc[[0]].assign(**usual)
    pictures: list[dict[str, Any]] = []
    typical: list[dict[str, Any]] = []
    worst = predictions.assign(size=predictions["error"].abs()).sort_values("size", ascending=False).head(12)
    for place, row in enumerate(worst.to_dict("records")):
        path = folder / f"worst-{place:02d}.png"
        write_image(path, draw_scene(int(row["truth"]), rng))
        pictures.append({"file": path, **{name: row[name] for name in ("image", "truth", "prediction", "error")}})
    for row in predictions.head(4).to_dict("records"):
        path = folder / f"typical-{len(typical)}.png"
        write_image(path, draw_scene(int(row["truth"]), rng))
        typical.append({"file": path, **{name: row[name] for name in ("image", "truth", "prediction", "error")}})
    return StudyTables(
        params=build_params("People at a bus stop", trials, 6, epochs, "count", "mae"),
        trials=table,
        curves=curves,
        summary=summarize(table, runs, "mae", 1, "test", MEDIAN),
        runs=runs,
        ablations=draw_less(runs),
        references=pd.DataFrame([{"answer": "the median count", "mae": 2.4, "rmse": 3.0, "bias": 0.1, "exact": 0.1}]),
        predictions=predictions,
        pictures=pictures,
        typical_pictures=typical,
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
        provenance={"fingerprint": "5be0c7d2a91f4e63", "device": "cpu, 8 host devices, pool of 8",
              "versions": {"jax": "0.10.2", "flax": "0.12.0", "optax": "0.2.8", "optuna": "5.0.0", "python": "3.11"},
              "commands": ["dvc repro"]},
        space=SPACE,
        output_kind="number",
        objective="mae",
        direction="min",
        metric_labels=LABELS,
    )  # fmt: skip


def build_classification_study(folder: Path) -> StudyTables:
    """The same study as a classification: accuracy, where higher is better."""
    tables, rng = build_counting_study(folder), np.random.default_rng(3)
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
    told = {"truth": "coat", "prediction": "shirt", "error": 2.3}
    pictures = [each | told for each in tables.pictures]
    return replace(
        tables,
        params=build_params("Clothes", 48, 6, 16, "classify", "accuracy"),
        trials=trials,
        runs=runs,
        ablations=pd.DataFrame(),
        references=pd.DataFrame([{"answer": "the most frequent class", "accuracy": 0.17, "log_loss": 1.8}]),
        curves=curves,
        baseline_curves=base,
        predictions=predictions,
        pictures=pictures,
        typical_pictures=[each | told for each in tables.typical_pictures],
        summary=summarize(trials, runs, "accuracy", -1, "test", {"the most frequent class": 0.17}),
        manifest=tables.manifest | {"classes": names},
        output_kind="class",
        objective="accuracy",
        direction="max",
    )


def build_image_study(folder: Path) -> StudyTables:
    """The same study with images as outputs; most are 6 dB nearer to the truth than their inputs."""
    tables, rng = build_classification_study(folder), np.random.default_rng(4)
    given, gain = rng.normal(20, 0.3, 240), rng.normal(6, 1.5, 240)
    predictions = tables.predictions.head(0).reindex(range(240))[["image", "group", "error"]]
    predictions["image"] = [f"street/{i:04d}.png" for i in range(240)]
    predictions["group"] = [f"street-{i // 20:02d}" for i in range(240)]
    predictions = predictions.assign(psnr=given + gain, given_psnr=given, error=10 ** (-(given + gain) / 20))
    turned = {"accuracy": "psnr", "log_loss": "ssim"}
    names = {f"{part}_{old}": f"{part}_{new}" for part in ("validation", "test") for old, new in turned.items()}
    rows: list[dict[str, Any]] = [
        dict(zip(map(str, row), row.values(), strict=True)) for row in predictions.to_dict("records")
    ]
    pictures = [{"file": each["file"], **rows[i]} for i, each in enumerate(tables.pictures)]
    gone = [name for name in map(str, tables.runs) if name.endswith("calibration_error")]
    return replace(
        tables,
        params=build_params("Clean streets", 48, 6, 16, "enhance", "psnr"),
        runs=tables.runs.rename(columns=names).drop(columns=gone),
        references=pd.DataFrame([{"answer": "the unchanged input", "psnr": 0.2, "ssim": 0.1}]),
        curves=tables.curves.rename(columns=turned),
        baseline_curves=tables.baseline_curves.rename(columns=turned),
        predictions=predictions,
        pictures=pictures,
        typical_pictures=[{"file": each["file"], **rows[-i - 1]} for i, each in enumerate(tables.typical_pictures)],
        summary=summarize(
            tables.trials, tables.runs.rename(columns=names), "psnr", -1, "test", {"the unchanged input": 0.2}
        ),
        output_kind="image",
        objective="psnr",
    )


def without_results(tables: StudyTables, trials: pd.DataFrame) -> StudyTables:
    """The study with other trials and nothing confirmed."""
    curves = tables.curves[tables.curves["trial"].isin(trials["number"])]
    verdicts = tables.verdicts[tables.verdicts["trial"].isin(trials["number"])]
    return replace(
        tables, trials=trials, curves=curves, verdicts=verdicts, runs=pd.DataFrame(),
        ablations=pd.DataFrame(), predictions=pd.DataFrame(),
        pictures=[], typical_pictures=[], summary=summarize(trials, pd.DataFrame(), "mae", 1, "test"),
    )  # fmt: skip


HOSTILE = "</script><script>alert(1)</script>| `ß` 駅 \"'&<b>"


def build_hostile_study(folder: Path) -> StudyTables:
    """Every string that a person can choose is an attack on the page."""
    tables = build_counting_study(folder)
    rename = {"loss.terms.count.delta": HOSTILE}
    manifest = tables.manifest | {
        "source": HOSTILE, "warnings": [HOSTILE], "classes": [HOSTILE],
        "excluded": [{"name": HOSTILE, "where": HOSTILE, "reason": HOSTILE}],
    }  # fmt: skip
    return replace(
        tables,
        params=build_params(HOSTILE, 48, 6, 16, "count", "mae"),
        trials=tables.trials.rename(columns=rename).replace({"loss.terms.count.kind": {"huber": HOSTILE}}),
        space=[
            replace(each, name=HOSTILE, when={"loss.terms.count.kind": (HOSTILE,)})
            if each.name in rename
            else replace(each, choices=("mse", HOSTILE, "log_cosh", "poisson"))
            if each.name.endswith("count.kind")
            else each
            for each in tables.space
        ],
        predictions=tables.predictions.assign(image=HOSTILE, group=HOSTILE + tables.predictions["group"]),
        pictures=[each | {"image": HOSTILE} for each in tables.pictures],
        typical_pictures=[each | {"image": HOSTILE} for each in tables.typical_pictures],
        manifest=manifest,
        provenance={"fingerprint": HOSTILE, "versions": {HOSTILE: HOSTILE}, "device": HOSTILE, "commands": [HOSTILE]},
    )


def build_studies_by_case(folder: Path) -> dict[str, StudyTables]:
    """Name -> study, for each way in which a study may be small, poor or strange."""
    usual = build_counting_study(folder)
    empty = pd.DataFrame(columns=usual.trials.columns)
    diverged = usual.trials.head(6).assign(state="diverged", value=np.nan, diverged_step=30.0, epochs=1)
    one_trial = without_results(usual, usual.trials[usual.trials["state"] == "complete"].head(1).assign(number=0))
    single = usual.trials.drop(columns=[each.name for each in SPACE[1:]])
    only_validation = usual.runs.drop(columns=[name for name in map(str, usual.runs) if name.startswith("test_")])
    return {
        "usual": usual,
        "no trials": replace(without_results(usual, empty), baseline_curves=pd.DataFrame(), manifest={}, provenance={}),
        "one trial": one_trial,
        "all diverged": without_results(usual, diverged),
        "all pruned": without_results(usual, usual.trials.dropna(subset="value").assign(state="pruned", epochs=4)),
        "single parameter": replace(usual, trials=single),
        "hostile names": build_hostile_study(folder),
        "no pictures": replace(usual, pictures=[], typical_pictures=[]),
        "no test": replace(
            usual,
            runs=only_validation,
            summary=summarize(usual.trials, only_validation, "mae", 1, "validation", MEDIAN),
        ),
        "classes": build_classification_study(folder),
        "several terms": replace(with_terms(usual), landscape=draw_terrain()),
        "images": build_image_study(folder),
    }
