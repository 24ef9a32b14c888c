"""The search over time, where trials that repeat a setting leave gaps in the numbers."""

import json
from dataclasses import replace

from thalweg.reporting.page.figures import Chart
from thalweg.reporting.sections import history
from thalweg.reporting.tables import StudyTables


def test_every_trial_lies_on_the_axis(counting_study: StudyTables) -> None:
    spread = counting_study.trials.assign(number=2 * counting_study.trials["number"])
    last = int(spread["number"].max())
    (chart,) = history.build_figures(replace(counting_study, trials=spread))
    assert isinstance(chart, Chart)
    assert f'"domain": [-0.5, {last + 0.5}]' in json.dumps(chart.plot().to_dict())
