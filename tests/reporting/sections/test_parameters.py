"""Where in the searched ranges the best trials lie."""

from dataclasses import replace

import numpy as np
import pytest

from thalweg.reporting.analysis import good_region
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import (
    parameters,
)
from thalweg.reporting.tables import StudyTables


def test_narrow_range_is_reported(counting_study: StudyTables) -> None:
    edge = counting_study.trials.assign(state="complete", value=np.arange(len(counting_study.trials)) / 10 + 1)
    edge["optimizer.momentum"] = np.where(edge["number"] < 5, 0.98, 0.5)
    edge["optimizer.learning_rate"], edge["optimizer.clip"], edge["loss.terms.count.delta"] = 0.01, 1.0, 1.0
    findings = parameters.build_findings(replace(counting_study, trials=edge))
    assert [finding.verdict for finding in findings] == [
        "The best values of `optimizer.momentum` may lie above the searched range.",
        "5 good trials show where to search.",
    ]
    assert findings[0].trials == (0, 1, 2, 3, 4)


def test_wide_end_is_not_crowded(counting_study: StudyTables) -> None:
    """Of a whole number from 1 to 3 each end is a third: half of the best trials at one is chance."""
    parameter = SearchedParameter("layers", 1, 3, whole=True)
    assert good_region.chance_at_end(parameter, "low") == pytest.approx(1 / 3)
    few = counting_study.trials.assign(state="complete", value=np.arange(len(counting_study.trials)) / 10 + 1)
    few["layers"] = np.where(few["number"] < 3, 1, 2)
    findings = parameters.build_findings(replace(counting_study, trials=few, space=[parameter]))
    assert findings
    assert not any("range" in finding.verdict for finding in findings)
