"""What random search would find, against every order counted out by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from thalweg.reporting.analysis import random_search
from thalweg.reporting.sections import history
from thalweg.reporting.tables import StudyTables


def build_random_study(counting_study: StudyTables, enqueue: int = 0) -> StudyTables:
    study = {**counting_study.params["study"], "sampler": "random", "enqueue": [{}] * enqueue}
    trials = counting_study.trials.assign(state="complete", value=1.0 + counting_study.trials["number"] % 7)
    return replace(counting_study, params={**counting_study.params, "study": study}, trials=trials)


def test_given_trials_keep_their_order(counting_study: StudyTables) -> None:
    tables = build_random_study(counting_study, enqueue=2)
    draws = random_search.find_random_draws(tables)
    assert isinstance(draws, random_search.RandomDraws)
    assert (draws.given_count, len(draws.costs), draws.given_cost) == (2, 46, 1.0)
    # the first two were the best already: no order of the others betters them
    assert set(draws.best_by_count.mean) == {1.0}
    first = tables.trials.iloc[0]
    optimizer = {"optimizer": {"learning_rate": first["optimizer.learning_rate"]}}
    alone = replace(tables, params=tables.params | optimizer, space=tables.space[:1])
    assert random_search.count_given_trials(alone) == 3


def test_lost_trials_count_as_worst(counting_study: StudyTables) -> None:
    tables = build_random_study(counting_study)
    trials = tables.trials.copy()
    trials.loc[[3, 4], "state"] = "diverged"
    trials.loc[[3, 4], "value"] = np.nan
    draws = random_search.find_random_draws(replace(tables, trials=trials))
    assert isinstance(draws, random_search.RandomDraws)
    assert draws.costs[3:5].tolist() == [7.0, 7.0]


@pytest.mark.parametrize(
    ("sampler", "word"), [("tpe", "chooses each trial by the earlier ones"), ("grid", "plans the order")]
)
def test_other_samplers_have_one_order(counting_study: StudyTables, sampler: str, word: str) -> None:
    params = {**counting_study.params, "study": {**counting_study.params["study"], "sampler": sampler}}
    tables = replace(counting_study, params=params)
    assert isinstance(random_search.find_random_draws(tables), str)
    assert word in str(history.build_figures(tables)[0])
    (chart,) = history.build_figures(tables)
    assert word in chart.caption  # type: ignore[union-attr]
    assert chart.data["expected"].empty  # type: ignore[union-attr]


def test_stopped_trials_have_no_order(counting_study: StudyTables) -> None:
    tables = build_random_study(counting_study)
    pruned = tables.trials.assign(state=np.where(tables.trials["number"] % 3 == 0, "pruned", "complete"))
    pruned_tables = replace(tables, trials=pruned)
    assert random_search.find_random_draws(pruned_tables) == "stopped"
    assert "the stopped trials are not known" in str(history.build_figures(pruned_tables)[0])


def test_band_ends_at_the_best(counting_study: StudyTables) -> None:
    (chart,) = history.build_figures(build_random_study(counting_study, enqueue=1))
    expected: pd.DataFrame = chart.data["expected"]  # type: ignore[union-attr]
    assert expected["trial"].tolist() == list(range(1, 48))
    assert (expected["low"] <= expected["high"]).all()
    assert expected["mean"].iloc[-1] == 1.0


def test_gain_of_more_trials_is_bounded(counting_study: StudyTables) -> None:
    finding = history.build_findings(build_random_study(counting_study))[0]
    assert "16 more would improve it by no more than that" in finding.evidence
    assert "a chance of 25 %" in finding.evidence  # 16 of 48 + 16
