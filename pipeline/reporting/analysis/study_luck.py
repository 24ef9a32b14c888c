"""How much of the lead of the study's best trial was luck: the same settings on fresh seeds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from thalweg.reporting.analysis.confirmed import RetrainedBest
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise, is_paired
from thalweg.reporting.tables import StudyTables
from thalweg.stats.samples import compute_luck_quantile


@dataclass(frozen=True)
class StudyLuck:
    """What the best trial lost on fresh seeds, `low` to `high` (95 %); positive: it is worse there.

    If all trials were equally good, it would lose `least_luck` or more in 95 % of studies; None if unknown. `held`: it
    lost less, and maybe nothing. `luck`: it surely lost something. `unclear`: neither.
    """

    loss: float
    low: float
    high: float
    least_luck: float | None
    verdict: Literal["held", "luck", "unclear"]


def judge_study_luck(tables: StudyTables, best: RetrainedBest) -> StudyLuck:
    """Judge what the best trial lost on fresh seeds.

    The interval is for other seeds of the study and of the retraining, whatever chose the trial.
    """
    values = best.fresh_values
    loss = (best.fresh_interval.mean - best.study_value) * tables.sign
    factor = 1 / tables.seeds_per_trial + 1 / len(values)
    half_width = float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) * np.sqrt(factor))
    least_luck = compute_least_luck(tables, len(values))
    verdict: Literal["held", "luck", "unclear"] = "unclear"
    if loss > half_width:
        verdict = "luck"
    elif least_luck is not None and loss < least_luck:
        verdict = "held"
    return StudyLuck(loss, loss - half_width, loss + half_width, least_luck, verdict)


def compute_least_luck(tables: StudyTables, fresh_seeds: int) -> float | None:
    """Compute what the best of all complete trials would lose or more in 95 % of studies, if they were equally good.

    Only a trial's own noise gives it a lead. What a seed does to all trials alike changes the loss, too, but not the
    lead; its largest plausible variance is used. None if the two cannot be separated.
    """
    noise = estimate_seed_noise(tables)
    if noise is None or noise.std == 0 or (is_paired(tables) and not noise.excludes_shared):
        return None
    shared = (noise.shared_limit / noise.std) ** 2
    # in variances of a trial's own noise: of the mean over fresh seeds, and of the study's seeds
    others = (1 + shared) * tables.seeds_per_trial / fresh_seeds + shared
    return noise.std * compute_luck_quantile(len(tables.ranked), float(np.sqrt(others)), noise.dof)
