"""A rate that is called too low is held against the trials above it."""

from dataclasses import replace

import numpy as np
import pandas as pd

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.sentences import describe_evidence
from thalweg.reporting.tables import StudyTables
from thalweg.stats.run_curves import Evidence

STRAIGHT = Evidence("straight fall", {"first": 3.0, "last": 2.0, "rate": 0.01, "percent": 90.0})
RATE = "optimizer.learning_rate"


def build_rate_study(counting_study: StudyTables, values: list[float]) -> StudyTables:
    """Trials at ever higher rates, the monitor says of the first that its rate is too low."""
    trials = pd.DataFrame(
        {"number": range(len(values)), "state": "complete", "value": values, RATE: 0.01 * 2.0 ** np.arange(len(values))}
    )
    verdicts = pd.DataFrame({"trial": [0], "kind": ["rate too low"], "since": [None], "evidence": [STRAIGHT]})
    params = {**counting_study.params, "optimizer": {"kind": "sgd"}}
    return replace(counting_study, trials=trials, verdicts=verdicts, curves=pd.DataFrame(), params=params)


def test_low_rate_is_cleared_if_higher_is_no_better(counting_study: StudyTables) -> None:
    (row,) = constant_trials.correct_verdicts(build_rate_study(counting_study, [1.0, 1.1, 1.2, 1.3])).to_dict("records")
    # of these, 2 and 4 times the rate lie near
    assert row["kind"] == "rate too low"
    near = build_rate_study(counting_study, [1.0, 1.1, 1.2, 1.3])
    near = replace(near, trials=near.trials.assign(**{RATE: [0.01, 0.02, 0.03, 0.04]}))
    (row,) = constant_trials.correct_verdicts(near).to_dict("records")
    assert row["kind"] == "improving"
    words = describe_evidence(row["evidence"], "mean absolute error")
    assert words.startswith(describe_evidence(STRAIGHT, "") + "; but 3 trials at 1.5 to 5 times this rate reached no ")
    assert words.endswith("no better mean absolute error: 1.2 in the median, against 1 of this trial")


def test_low_rate_is_kept_if_higher_is_better(counting_study: StudyTables) -> None:
    tables = build_rate_study(counting_study, [1.0, 0.9, 0.8, 0.7])
    tables = replace(tables, trials=tables.trials.assign(**{RATE: [0.01, 0.02, 0.03, 0.04]}))
    assert constant_trials.correct_verdicts(tables)["kind"].tolist() == ["rate too low"]
    assert constant_trials.correct_verdicts(replace(tables, direction="max"))["kind"].tolist() == ["improving"]
