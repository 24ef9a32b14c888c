"""Findings and charts of confidence that differs from accuracy."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_studies import World, draw_study
from thalweg.reporting.analysis.calibration import compute_reliability
from thalweg.reporting.sections import errors
from thalweg.reporting.sections.errors import calibration
from thalweg.reporting.tables import StudyTables


def test_reliability_needs_confidence() -> None:
    tables = planted.build_classification_study(draw_study(World(), 0), np.random.default_rng(0), 2.0)
    ids = [figure.id for figure in errors.build_figures(tables)]
    assert "reliability" in ids
    bare = replace(tables, predictions=tables.predictions.drop(columns="confidence"))
    assert "reliability" not in [figure.id for figure in errors.build_figures(bare)]
    assert calibration.build_findings(bare) == []
    few = replace(tables, predictions=tables.predictions.head(20))
    assert calibration.build_figures(few) == []


def build_confident_study(
    counting_study: StudyTables, gaps: list[float], groups: int, of_each: int = 100
) -> StudyTables:
    """Examples of two confidences, 0.6 and 0.9, right as often as these less `gaps`, alike in every group."""
    parts = []
    for confidence, gap in zip((0.6, 0.9), gaps, strict=True):
        right = np.arange(of_each) < round(of_each * (confidence - gap))
        parts.append(pd.DataFrame({"confidence": confidence, "truth": "a", "prediction": np.where(right, "a", "b")}))
    group = pd.concat(parts, ignore_index=True)
    table = pd.concat([group.assign(group=f"g{n}", image=f"g{n}") for n in range(groups)], ignore_index=True)
    return replace(counting_study, predictions=table, output_kind="class")


@pytest.mark.parametrize(
    ("gaps", "groups", "verdict", "tone"),
    [
        ([0.0, 0.0], 12, "Confidence matches accuracy on average.", "good"),
        ([0.0, 0.0], 3, "It is unclear whether confidence matches accuracy.", "plain"),
        ([0.1, 0.1], 3, "It is unclear whether confidence matches accuracy.", "plain"),
        ([0.1, -0.1], 12, "Confidence matches accuracy on average, but not at each level.", "caution"),
        ([0.1, 0.1], 12, "The network is overconfident.", "caution"),
    ],
)
def test_verdict_follows_interval(
    counting_study: StudyTables, gaps: list[float], groups: int, verdict: str, tone: str
) -> None:
    (finding,) = calibration.build_findings(build_confident_study(counting_study, gaps, groups))
    assert (finding.verdict, finding.tone) == (verdict, tone)


def test_wide_interval_is_unclear(counting_study: StudyTables) -> None:
    tables = build_confident_study(counting_study, [0.0, 0.0], 4, 20)
    gap = tables.predictions["group"].map({"g0": 0.4, "g1": -0.35, "g2": 0.3, "g3": -0.35})
    predictions = tables.predictions.assign(confidence=(tables.predictions["confidence"] + gap).clip(0.01, 1.0))
    (finding,) = calibration.build_findings(replace(tables, predictions=predictions))
    assert finding.verdict == "It is unclear whether confidence matches accuracy."
    two = predictions.assign(group=predictions["group"].map({"g0": "a", "g1": "b", "g2": "a", "g3": "b"}))
    reliability = compute_reliability(two)
    assert reliability is not None
    assert reliability.overconfidence is not None
    assert (reliability.overconfidence.low, reliability.overconfidence.high) == (-1.0, 1.0)
