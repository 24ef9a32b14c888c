"""Confidence held against how often it is right."""

import numpy as np
import pandas as pd
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_studies import World, draw_study
from thalweg.reporting.analysis.calibration import compute_reliability
from thalweg.reporting.sections.errors import calibration


def test_calibration_error_by_definition() -> None:
    # two bins: 0.55 to 0.6 holds 60 of which 30 are right, 0.95 to 1 holds 40, all right
    table = pd.DataFrame({"image": range(100), "confidence": [0.58] * 60 + [0.96] * 40, "prediction": "a", "group": ""})
    table["truth"] = ["a"] * 30 + ["b"] * 30 + ["a"] * 40
    reliability = compute_reliability(table.astype({"image": str}))
    assert reliability is not None
    assert reliability.calibration_error.mean == pytest.approx(0.6 * 0.08 + 0.4 * 0.04)
    assert reliability.overconfidence is not None
    assert reliability.overconfidence.mean == pytest.approx(0.6 * 0.08 - 0.4 * 0.04)
    assert reliability.bins["examples"].tolist() == [60, 40]
    assert reliability.bins["right"].tolist() == [0.5, 1.0]
    # Wilson's interval of 30 in 60
    assert reliability.bins["low"].iloc[0] == pytest.approx(0.3773, abs=1e-3)


@pytest.mark.parametrize(("sharpness", "truth"), [(1.0, 0.0), (2.0, None)])
def test_calibration_interval_coverage(sharpness: float, truth: float | None) -> None:
    base, rng, held = draw_study(World(), 0), np.random.default_rng(0), 0
    if truth is None:
        reliability = compute_reliability(
            planted.build_classification_study(base, rng, sharpness, 200_000).predictions.assign(group="one")
        )
        assert reliability is not None
        truth = reliability.calibration_error.mean
    for _ in range(25):
        reliability = compute_reliability(planted.build_classification_study(base, rng, sharpness, 1000).predictions)
        assert reliability is not None
        held += reliability.calibration_error.low <= truth <= reliability.calibration_error.high
    assert held >= 21  # binomial of 25 at 0.95: below with a chance of 1 %


def test_calibration_false_positive_rate() -> None:
    base, rng = draw_study(World(), 0), np.random.default_rng(5)
    false = sum(
        calibration.build_findings(planted.build_classification_study(base, rng, 1.0, 400))[0].tone == "caution"
        for _ in range(40)
    )
    assert false <= 6  # binomial of 40 at 0.05: above with a chance of 1 %
