"""Whether the lead of the study's best trial was luck, where it is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.calibration.verdicts import is_held_up
from thalweg.reporting.analysis.confirmed import RetrainedBest
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.analysis.study_luck import compute_least_luck, judge_study_luck
from thalweg.reporting.tables import StudyTables
from thalweg.stats.intervals import t_interval
from thalweg.stats.samples import compute_luck_quantile

SPREAD = np.array([-1.2, -0.8, -0.4, -0.1, 0.1, 0.4, 0.8, 1.2])


def with_fresh_seeds(tables: StudyTables, randomness: str, *names: str) -> StudyTables:
    """Candidates on eight seeds, each with the same values in another order."""
    parts = [
        pd.DataFrame({"candidate": name, "trial": i, "seed": range(8), "validation_mae": 2 + np.roll(SPREAD, 3 * i)})
        for i, name in enumerate(names)
    ]
    params = tables.params | {"study": tables.params["study"] | {"randomness": randomness}}
    return replace(tables, params=params, runs=pd.concat(parts, ignore_index=True))


def retrain(value: float) -> RetrainedBest:
    interval = t_interval(2 + SPREAD)
    assert interval is not None
    return RetrainedBest(0, value, interval, pd.Series(2 + SPREAD))


def test_verdict_follows_loss(counting_study: StudyTables) -> None:
    """The loss's interval reaches t(7) * s * sqrt(1 + 1/8), and luck alone costs more than `least_luck`."""
    tables = with_fresh_seeds(counting_study, "independent", "winner")
    deviation = float(SPREAD.std(ddof=1))
    reach = stats.t.ppf(0.975, 7) * deviation * np.sqrt(9 / 8)
    least = deviation * compute_luck_quantile(len(tables.ranked), np.sqrt(1 / 8), 7)
    assert compute_least_luck(tables, 8) == pytest.approx(least)
    assert 0 < least < reach
    for loss, verdict in ((0.99 * least, "held"), (1.01 * least, "unclear"), (1.01 * reach, "luck")):
        luck = judge_study_luck(tables, retrain(2 - loss))
        assert luck.verdict == verdict
        assert (luck.loss, luck.low, luck.high) == pytest.approx((loss, loss - reach, loss + reach))
    maximized = replace(tables, direction="max")
    assert judge_study_luck(maximized, retrain(2 + 1.01 * reach)).verdict == "luck"


def test_common_luck_gives_no_lead(counting_study: StudyTables) -> None:
    """With shared seeds and one candidate, its own noise is unknown: nothing is shown to hold up."""
    alone = with_fresh_seeds(counting_study, "paired", "winner")
    assert compute_least_luck(alone, 8) is None
    assert judge_study_luck(alone, retrain(2.0)).verdict == "unclear"
    two = with_fresh_seeds(counting_study, "paired", "winner", "runner-up 1")
    noise = estimate_seed_noise(two)
    assert noise is not None
    shared = (noise.shared_limit / noise.std) ** 2
    # the seeds of the study have their own effect on all trials, and so have the eight fresh ones
    others = np.sqrt(shared + (1 + shared) / 8)
    least = compute_least_luck(two, 8)
    assert least is not None
    assert least == pytest.approx(noise.std * compute_luck_quantile(len(two.ranked), others, 7))
    assert least < noise.std * compute_luck_quantile(len(two.ranked), np.sqrt(1 / 8), 7)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.5], ids=["own", "half shared"])
def test_luck_alone_seldom_holds_up(shared: float) -> None:
    """Of studies of equal trials, 5 % at most say that the best one held up; if trials differ, far more do."""
    said = sum(is_held_up(seed, shared=shared) for seed in range(400))
    assert stats.binom.sf(said - 1, 400, 0.05) > 1e-3
    assert sum(is_held_up(seed, shared=shared, spread=3.0) for seed in range(200)) > 30
