"""Where in the searched ranges the best trials lie."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.five_parameters import let_all_matter
from tests.helpers.planted_studies import World, draw_study
from thalweg.reporting.advice import next_space
from thalweg.reporting.analysis import constant_trials, good_region
from thalweg.reporting.page.figures import Table
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import (
    parameters,
)
from thalweg.reporting.tables import StudyTables


def test_narrow_range_is_reported(counting_study: StudyTables, monkeypatch: pytest.MonkeyPatch) -> None:
    let_all_matter(monkeypatch)
    edge = counting_study.trials.assign(state="complete", value=np.arange(len(counting_study.trials)) / 10 + 1)
    edge["optimizer.momentum"] = np.where(edge["number"] < 5, 0.98, 0.5)
    edge["optimizer.learning_rate"], edge["optimizer.clip"], edge["loss.terms.count.delta"] = 0.01, 1.0, 1.0
    findings = parameters.build_findings(replace(counting_study, trials=edge))
    assert [finding.verdict for finding in findings] == [
        "The best values of `optimizer.momentum` may lie above the searched range.",
        "5 good trials show where to search.",
    ]
    assert findings[0].trials == (0, 1, 2, 3, 4)


def test_next_space_names_trials_that_learned_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = draw_study(World(), 0)
    inside = good_region.is_inside_space(
        tables.trials, [step.trial_values for step in next_space.build_next_space(tables)]
    )
    assert "learned nothing" not in parameters.build_findings(tables)[-1].evidence
    idle = pd.concat([tables.trials[inside].head(3), tables.trials[~inside].head(2)])
    monkeypatch.setattr(constant_trials, "find_constant_trials", lambda _: idle)
    assert "are complete, but 3 learned nothing." in parameters.build_findings(tables)[-1].evidence


def test_few_trials_are_counted_as_complete(counting_study: StudyTables) -> None:
    few = counting_study.trials.head(9)
    (finding,) = parameters.build_findings(replace(counting_study, trials=few.assign(state="complete", value=1.0)))
    assert finding.evidence == "All 9 trials are complete; 10 are needed."
    states = np.where(few["number"] < 4, "pruned", "complete")
    (finding,) = parameters.build_findings(replace(counting_study, trials=few.assign(state=states, value=1.0)))
    assert finding.evidence == "Only 5 of 9 trials (56 %) are complete; 10 are needed. Stopped trials do not count."


@pytest.mark.parametrize(("sampler", "is_biased"), [("tpe", True), ("quasi_random", False), ("random", False)])
def test_best_ranges_name_a_biased_sample(counting_study: StudyTables, sampler: str, is_biased: bool) -> None:
    params = counting_study.params | {"study": counting_study.params["study"] | {"sampler": sampler}}
    (table,) = [
        figure
        for figure in parameters.build_figures(replace(counting_study, params=params))
        if figure.id == "best-ranges"
    ]
    assert isinstance(table, Table)
    assert ("so this is not a random sample." in table.caption) == is_biased


@pytest.mark.parametrize(("complete", "is_shown"), [(9, False), (10, True)])
def test_best_trials_of_few_are_not_compared(counting_study: StudyTables, complete: int, is_shown: bool) -> None:
    """The best five of six would be nearly all of them."""
    trials = counting_study.trials.head(complete).assign(state="complete", value=np.arange(complete) / 10)
    figures = parameters.build_figures(replace(counting_study, trials=trials))
    assert ("best-ranges" in [figure.id for figure in figures]) == is_shown


def test_wide_end_is_not_crowded(counting_study: StudyTables, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a whole number from 1 to 3 each end is a third: half of the best trials at one is chance."""
    let_all_matter(monkeypatch)
    parameter = SearchedParameter("layers", 1, 3, whole=True)
    assert good_region.chance_at_end(parameter, "low") == pytest.approx(1 / 3)
    few = counting_study.trials.assign(state="complete", value=np.arange(len(counting_study.trials)) / 10 + 1)
    few["layers"] = np.where(few["number"] < 3, 1, 2)
    findings = parameters.build_findings(replace(counting_study, trials=few, space=[parameter]))
    assert findings
    assert not any("range" in finding.verdict for finding in findings)


def test_one_value_is_not_drawn(counting_study: StudyTables) -> None:
    """A choice of one value gives a size to some models only."""
    single = SearchedParameter("model.width", choices=(32,))
    trials = counting_study.trials.assign(**{"model.width": 32})
    study = replace(counting_study, space=[single, *counting_study.space], trials=trials)
    slices = [figure.title for figure in parameters.build_figures(study) if figure.id.startswith("slice-")]
    assert slices == [parameter.name for parameter in counting_study.parameters]
