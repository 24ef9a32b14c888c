"""A landscape drawn from a formula, and a loss of three terms: what diagnose would leave behind of them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from thalweg.reporting.tables import StudyTables

TERMS = ("count", "cells", "areas")


def compute_height(a: np.ndarray, b: np.ndarray, floor: float) -> np.ndarray:
    """A bent valley with its lowest place at (0, 0)."""
    result: np.ndarray = floor + 0.08 * a**2 + 0.9 * (b - 0.12 * a * (6 - a)) ** 2
    return result


def draw_terrain(
    points: int = 15, ridge: float = 0.5, end: float = 0.3, limit: float = 400.0
) -> dict[str, pd.DataFrame]:
    """`ridge` above the minima of seeds, the smallest eigenvalue at the `end`, and the `limit` of the learning rate."""
    side = {"path": (np.linspace(-2, 10, points), np.linspace(-3, 3, points)),
            "random": (np.linspace(-1, 1, points), np.linspace(-1, 1, points))}  # fmt: skip
    planes = []
    for plane, (across, up) in side.items():
        a, b = (part.ravel() for part in np.meshgrid(across, up, indexing="ij"))
        for part, floor in (("train", 0.3), ("validation", 0.5)):
            loss = compute_height(3 * a, 2 * b, floor) if plane == "random" else compute_height(a, b, floor)
            planes.append(pd.DataFrame({"plane": plane, "a": a, "b": b, "part": part, "loss": loss, "error": 0.02}))
    epochs = np.arange(17)
    a = 8 * np.exp(-epochs / 5) - 8 * np.exp(-16 / 5)
    b = 0.12 * a * (6 - a) * 0.9
    path = pd.DataFrame(
        {"epoch": epochs, "a": a, "b": b, "train": compute_height(a, b, 0.3), "validation": compute_height(a, b, 0.5)}
    )
    t = np.linspace(-0.25, 1.25, 41)
    hill = (
        0.3
        + ridge * np.sin(np.pi * np.clip(t, 0, 1)) ** 2
        + np.where((t < 0) | (t > 1), 2 * (t - t.clip(0, 1)) ** 2, 0)
    )
    lines = [
        pd.DataFrame({"first": 11, "second": second, "t": t, "part": part, "loss": hill + more, "error": 0.02})
        for second in (12, 13)
        for part, more in (("train", 0.0), ("validation", 0.2))
    ]
    rng, way = np.random.default_rng(0), np.linspace(-1, 1, 41)
    batches = [
        pd.DataFrame({"size": size, "draw": draw, "t": way,
                      "loss": compute_height(3 * way, 0 * way, 0.3) * (1 + rng.normal(0, 1 / np.sqrt(size)))})
        for size in (4, 16, 64)
        for draw in range(8)
    ]  # fmt: skip
    batches.append(pd.DataFrame({"size": 128, "draw": 0, "t": way, "loss": compute_height(3 * way, 0 * way, 0.3)}))
    marks = np.array([0, 2, 5, 9, 16])
    curvature = pd.DataFrame(
        {"epoch": marks, "largest": [20.0, 45.0, 60.0, 64.0, 66.0], "smallest": [-4.0, -2.0, -1.0, -0.5, end],
         "largest_error": 0.01, "smallest_error": 0.05, "learning_rate": [0.01, 0.0095, 0.008, 0.004, 1e-4],
         "limit": limit * np.array([1.0, 1.05, 1.25, 2.5, 100.0])}
    )  # fmt: skip
    return {
        "plane": pd.concat(planes, ignore_index=True), "path": path, "lines": pd.concat(lines, ignore_index=True),
        "batches": pd.concat(batches, ignore_index=True), "curvature": curvature,
        "facts": pd.DataFrame([{"examples": 128, "share_a": 0.91, "share_b": 0.06}]),
    }  # fmt: skip


def with_terms(tables: StudyTables, worth: dict[str, float] | None = None, cosine: float = 0.3) -> StudyTables:
    """The study with a loss of three terms; `worth` says by how much the metric is worse without each part."""
    worth = {"term cells": 0.3, "term areas": 0.0, "phase late of cells": 0.05} if worth is None else worth

    def add_term_columns(curves: pd.DataFrame) -> pd.DataFrame:
        epoch = curves["epoch"].to_numpy()
        more = {
            f"term.{name}.{what}": base * np.exp(-epoch / 8)
            for name, size in zip(TERMS, (1.0, 0.02, 0.4), strict=True)
            for what, base in (("loss", size), ("gradient", {"areas": 0.01}.get(name, 1.0)))
        }
        more |= {f"term.{name}.coefficient": np.where(epoch > 8, 5.0, 30.0) if name == "cells" else np.ones(len(epoch))
                 for name in TERMS}  # fmt: skip
        more |= {"terms.count.cells.cosine": np.full(len(epoch), cosine), "terms.count.areas.cosine": 0.5 + 0 * epoch,
                 "terms.cells.areas.cosine": 0.9 - 0.01 * epoch}  # fmt: skip
        return curves.assign(**more)

    full_runs = tables.ablations[(tables.ablations["what"] == "images") & (tables.ablations["share"] == 1.0)]
    noise = np.random.default_rng(1).normal(0, 0.01, (len(worth), len(full_runs)))
    parts = [
        full_runs.assign(
            what=what, **{f"validation_{tables.objective}": full_runs[f"validation_{tables.objective}"] + gap + spread}
        )
        for (what, gap), spread in zip(worth.items(), noise, strict=True)
    ]
    return replace(
        tables,
        curves=add_term_columns(tables.curves),
        baseline_curves=add_term_columns(tables.baseline_curves),
        ablations=pd.concat([tables.ablations, *parts], ignore_index=True),
    )
