"""A finding, and what the tables say of seeds and their noise."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.reporting.tables import Tables
from pipeline.samples import Noise


@dataclass(frozen=True)
class Finding:
    """Evidence -> verdict -> what to do next, with the trials behind it.

    `tone` tells the page how to mark it: good, caution, or plain.
    """

    verdict: str
    evidence: str
    step: str = ""
    trials: tuple[int, ...] = ()
    tone: Literal["good", "caution", "plain"] = "plain"


def by_seed(runs: pd.DataFrame, column: str, candidate: str, against: str | None = "baseline") -> pd.Series:
    """candidate - against in a metric, over the seeds that both have, or the candidate's alone; indexed by seed."""
    if runs.empty or column not in runs:
        return pd.Series(dtype=float)
    values = runs.set_index("seed")[column]
    named = values[(runs["candidate"] == candidate).to_numpy()]
    other = 0.0 if against is None else values[(runs["candidate"] == against).to_numpy()]
    return (named - other).dropna().sort_index()


def seed_noise(tables: Tables) -> Noise | None:
    """The noise of one trial's value from seed to seed: pooled within winner and runners-up, on validation.

    Not the baseline's, which may be far noisier (or calmer) than the trials at the top, which this is for. Nor of seeds
    on which training diverged; and None where candidates were confirmed for other epochs than trials are chosen by.
    A trial whose value is a mean over `study.seeds` lanes has the square root of that less of it.
    """
    column, runs = f"validation_{tables.objective}", tables.runs
    if runs.empty or column not in runs or not tables.same_epochs:
        return None
    sound = runs["diverged_step"].isna() if "diverged_step" in runs else True
    best = runs[(runs["candidate"] != "baseline") & sound]
    groups = best.dropna(subset=[column]).groupby("candidate")[column]
    spread, freedom = groups.var(ddof=1), groups.size() - 1
    if freedom.sum() < 2:
        return None
    pooled = float((spread.fillna(0.0) * freedom).sum() / freedom.sum())
    return Noise(float(np.sqrt(pooled / max(1, int(tables.setting("study.seeds", 1))))), int(freedom.sum()))
