"""Candidates on fresh seeds: their runs as a table, and the comparisons of the winner by the rules of `confirm`."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from thalweg.artifacts.summary import Comparison, Confirmation, Estimate
from thalweg.foreign.study import ForeignRun
from thalweg.stats import intervals
from thalweg.stats.candidates import build_pair_interval, choose_by_other_seeds
from thalweg.stats.interval import Interval

BOTH_SETS = ("validation", "test")
"""An objective has one value a run: it is what chose the winner among the candidates, and what compares them."""


def build_runs(runs: Sequence[ForeignRun], objective: str, sign: int) -> pd.DataFrame:
    """Build the table of runs on fresh seeds; a run that failed has no value.

    As in `confirm`, the winner is the candidate that is best on fresh seeds; the others are its runners-up in order.
    """
    rows = [
        {
            "candidate": run.candidate,
            "trial": np.nan if run.trial is None else run.trial,
            "seed": run.seed,
            "best_epoch": np.nan,
            "diverged_step": 0.0 if run.value is None else np.nan,
            **{f"{split}_{objective}": np.nan if run.value is None else run.value for split in BOTH_SETS},
        }
        for run in runs
    ]
    table = pd.DataFrame(rows).drop_duplicates(["candidate", "seed"], keep="last") if rows else pd.DataFrame()
    return table.assign(candidate=_rank_candidates(table, f"test_{objective}", sign)) if rows else table


def _rank_candidates(runs: pd.DataFrame, column: str, sign: int) -> pd.Series:
    """Return the name of each run's candidate by rank; one that failed on a seed comes after all others."""
    others = runs[runs["candidate"] != "baseline"]
    keys = others.groupby("candidate", sort=False)[column].agg(lambda values: sign * values.mean(skipna=False))
    order = keys.sort_values(kind="stable", na_position="last").index
    names = {name: "winner" if rank == 0 else f"runner-up {rank}" for rank, name in enumerate(order)}
    return runs["candidate"].map(names | {"baseline": "baseline"})


def build_confirmation(runs: pd.DataFrame, objective: str, sign: int) -> Confirmation | None:
    """Compare winner and baseline over the seeds that both have; None without two such seeds.

    As in `thalweg.confirm.compare`: `corrected` takes at each seed the candidate that the other seeds would choose, and
    its intervals include the winner's. Groups of examples are unknown, so intervals are over seeds alone.
    """
    values = _tabulate_by_seed(runs, objective)
    if not {"winner", "baseline"} <= set(values):
        return None
    values = values.dropna(subset=["winner", "baseline"])
    if len(values) < 2:
        return None
    winner, baseline = values["winner"], values["baseline"]
    contenders = values.drop(columns="baseline").dropna(axis=1)
    corrected = pd.Series(choose_by_other_seeds(contenders.to_numpy().T, sign), index=values.index)
    parts = {
        "winner": winner,
        "baseline": baseline,
        "difference": winner - baseline,
        "corrected": corrected,
        "corrected_difference": corrected - baseline,
    }
    found = {name: interval for name, part in parts.items() if (interval := intervals.t_interval(part)) is not None}
    level = found["winner"]
    found |= {"winner": level.span_both(found["corrected"]), "corrected": found["corrected"].span_both(level)}
    found["corrected_difference"] = found["corrected_difference"].span_both(found["difference"])
    return Confirmation(**{name: _build_estimate(interval) for name, interval in found.items()})


def compare_runners_up(runs: pd.DataFrame, objective: str) -> tuple[Comparison, ...]:
    """Compare each runner-up with the winner on common seeds; the intervals hold together (Holm 1979).

    Each step counts all pairs of the candidates that are left, as `thalweg.confirm.compare` does.
    """
    values = _tabulate_by_seed(runs, objective)
    differences = {
        str(name): (values[name] - values["winner"]).dropna()
        for name in values
        if str(name).startswith("runner-up") and "winner" in values
    }
    build = {name: partial(build_pair_interval, by_seed) for name, by_seed in differences.items() if len(by_seed) > 1}
    return tuple(
        Comparison(name, _build_estimate(interval)) for name, interval in intervals.judge_together(build).items()
    )


def _tabulate_by_seed(runs: pd.DataFrame, objective: str) -> pd.DataFrame:
    """Return the objective by seed [rows] and candidate [columns]."""
    if runs.empty:
        return pd.DataFrame()
    return runs.pivot(index="seed", columns="candidate", values=f"test_{objective}")


def _build_estimate(interval: Interval) -> Estimate:
    return Estimate(interval.mean, interval.low, interval.high, interval.n)
