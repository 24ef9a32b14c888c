"""The worth of parts of a loss, of images and of augmentation, judged together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.calibration.verdicts import is_part_named
from thalweg.reporting.analysis.ablation_effects import compute_effects, judge_ablation
from thalweg.reporting.tables import StudyTables
from thalweg.stats.intervals import t_interval

SPREAD = np.array([-0.02, 0.01, 0.03, -0.02])


def with_worth(tables: StudyTables, **worth: float) -> StudyTables:
    """The study whose metric is worse by `worth` without a part of the loss, on average over four seeds."""
    rows = {"images": np.zeros(4), **{f"term {name}": mean + SPREAD for name, mean in worth.items()}}
    parts = [
        pd.DataFrame({"what": what, "share": 1.0, "images": 100.0, "seed": range(4), "diverged_step": np.nan,
                      "validation_mae": 1 + values})
        for what, values in rows.items()
    ]  # fmt: skip
    return replace(tables, ablations=pd.concat(parts, ignore_index=True))


def test_parts_are_judged_together(counting_study: StudyTables) -> None:
    """Holm: of three parts one is clear at 0.05 / 3, and the next is not at 0.05 / 2, though it is at 0.05."""
    error = SPREAD.std(ddof=1) / 2
    edge = stats.t.isf(0.025, 3) * error
    tables = with_worth(counting_study, strong=1.0, weak=1.1 * edge, idle=0.0)
    assert 1.1 * edge < stats.t.isf(0.025 / 2, 3) * error
    effects = compute_effects(tables)
    for name, mean, comparisons in (("strong", 1.0, 3), ("weak", 1.1 * edge, 2)):
        interval, found = t_interval(mean + SPREAD, comparisons), effects[f"term {name}"]
        assert interval is not None
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert [judge_ablation(tables, f"term {name}") for name in ("strong", "weak", "idle")] == ["worse", "same", "same"]
    assert judge_ablation(with_worth(counting_study, weak=1.1 * edge), "term weak") == "worse"


def test_nothing_is_judged_without_runs(counting_study: StudyTables) -> None:
    assert compute_effects(replace(counting_study, ablations=pd.DataFrame())) == {}
    single = with_worth(counting_study, strong=1.0).ablations.query("seed == 0")
    assert compute_effects(replace(counting_study, ablations=single)) == {}


@pytest.mark.slow
def test_useless_parts_are_seldom_named() -> None:
    """Of studies with eight useless parts, 5 % at most name any of them."""
    named = sum(is_part_named(seed, 8) for seed in range(300))
    assert stats.binom.sf(named - 1, 300, 0.05) > 1e-3
