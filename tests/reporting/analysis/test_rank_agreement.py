"""Whether short runs foretell long ones, against orders that are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from tests.helpers import planted_studies as planted
from tests.helpers.planted_causes import DEAD
from thalweg.reporting.analysis import rank_agreement
from thalweg.reporting.analysis.rank_agreement import compute_agreement
from thalweg.reporting.page.figures import Chart, EmptyFigure
from thalweg.reporting.sections import budget
from thalweg.reporting.tables import StudyTables


def test_agreement_is_kendall_tau() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=30)
    y = x + rng.normal(size=30)
    agreement = compute_agreement(x, y, np.ones(30))
    assert agreement is not None
    assert 2 * agreement.share - 1 == pytest.approx(kendalltau(x, y).statistic)
    assert agreement.low < agreement.share < agreement.high
    assert agreement.n == 30


def test_full_agreement_is_uncertain() -> None:
    agreement = compute_agreement(range(20), range(20), np.ones(20))
    assert agreement is not None
    assert agreement.share == 1.0
    assert 0.9 < agreement.low < agreement.high == 1.0
    turned = compute_agreement(range(20), range(20, 0, -1), np.ones(20))
    assert turned is not None
    assert turned.share == 0.0
    assert 0.0 == turned.low < turned.high < 0.1


def test_ties_count_as_half_a_pair() -> None:
    agreement = compute_agreement(np.ones(12), range(12), np.ones(12))
    assert agreement is not None
    assert agreement.share == 0.5
    assert compute_agreement(range(9), range(9), np.ones(9)) is None
    assert compute_agreement([], [], []) is None


def test_weights_count_as_trials() -> None:
    # one pair of 1 + 2 * 3 + ... : of weights 3, 1, 1, ... the pairs with the first count three times
    x = np.arange(20.0)
    y = np.r_[19.0, np.arange(19.0)]  # the first is last: its 19 pairs are turned round
    w = np.r_[3.0, np.ones(19)]
    agreement = compute_agreement(x, y, w)
    assert agreement is not None
    right, turned = 19 * 18 / 2, 3 * 19
    assert agreement.share == pytest.approx(right / (right + turned))
    assert agreement.n == pytest.approx(22**2 / (9 + 19))


def test_agreement_interval_coverage() -> None:
    rng = np.random.default_rng(1)
    truth = 0.5 + np.arcsin(0.8) / np.pi  # of normal values with a correlation of 0.8
    inside = 0
    for _ in range(400):
        x = rng.normal(size=40)
        agreement = compute_agreement(x, 0.8 * x + 0.6 * rng.normal(size=40), np.ones(40))
        assert agreement is not None
        inside += agreement.low <= truth <= agreement.high
    assert inside >= 0.92 * 400


@pytest.mark.parametrize(
    ("prune", "epochs", "wanted"),
    [
        (None, range(1, 17), [4, 8]),
        (None, range(2, 11, 2), [4, 6]),
        ({"first": 2, "eta": 2}, range(1, 17), [2, 4, 8]),
        ({"first": 3, "eta": 3}, range(2, 17, 2), [4, 10]),
    ],
)
def test_rungs_precede_the_end(counting_study: StudyTables, prune: object, epochs: range, wanted: list[int]) -> None:
    params = {**counting_study.params, "study": {**counting_study.params["study"], "prune": prune}}
    assert rank_agreement.list_judged_epochs(replace(counting_study, params=params), list(epochs)) == wanted


def test_rungs_are_where_trials_stopped(counting_study: StudyTables) -> None:
    at = np.where(counting_study.trials["number"] % 2, 5, 7)
    tables = replace(
        counting_study,
        trials=counting_study.trials.assign(pruned_at=np.where(counting_study.trials["number"] < 9, at, np.nan)),
    )
    study = {"study": {**counting_study.params["study"], "prune": {"first": 2, "eta": 2}}}
    assert rank_agreement.list_judged_epochs(
        replace(tables, params=counting_study.params | study), list(range(1, 17))
    ) == [5, 7]


def test_hypothetical_stopping_counts_savings() -> None:
    tables = planted.draw_study(planted.World(hidden=0.3), 0, trials=12)
    runs = rank_agreement.select_finished_trials(tables)
    assert runs is not None
    at_end = [5.0, 4.0, 3.0, 2.0, 1.0, 0.0, *range(6, 12)]
    so_far = pd.DataFrame({4: range(12), 8: [2, 1, 3, 0, 0, 0, *range(6)], 16: at_end}, index=range(12))
    halving = rank_agreement.simulate_stopping(tables, replace(runs, best_costs=so_far), 8)
    # of each cohort of 6 the best three at epoch 8 go on, trials 3 to 5 and 6 to 8; 6 trials save 8 epochs each
    assert halving == rank_agreement.HypotheticalStopping((8,), 5, 5, 0.0, 48, 192)
    # at epoch 4 trials 0 to 2 and 6 to 8 go on: 6 save 12 epochs each. At epoch 8 the best two of three go on, 0 and 1,
    # 6 and 7: 2 save 8 each. The best of them is trial 1, at 4
    halving = rank_agreement.simulate_stopping(tables, replace(runs, best_costs=so_far), 4)
    assert halving == rank_agreement.HypotheticalStopping((4, 8), 1, 5, 4.0, 88, 192)


def test_lost_best_trial_is_named() -> None:
    tables = planted.draw_study(planted.World(hidden=0.05, bend=0.1, seed_noise=0.1, early=0.6), 0)
    (finding,) = [
        finding for finding in budget.build_findings(tables) if finding.verdict.startswith("Short runs predict")
    ]
    best = int(tables.ranked["number"].iloc[0])
    assert f"0.015 behind trial {best}; differences below" in finding.evidence
    assert "Measured on 48 trials that trained to the end." in finding.evidence
    assert finding.verdict == "Short runs predict long ones: stopping early would lose nothing beyond noise."


def test_trials_that_learned_nothing_are_left_out() -> None:
    tables = planted.draw_study(DEAD, 0)
    runs = rank_agreement.select_finished_trials(tables)
    assert runs is not None
    evidence = " ".join(finding.evidence for finding in budget.build_findings(tables))
    assert len(runs.best_costs) < 48
    assert (
        f"Measured on {len(runs.best_costs)} of 48 trials that trained to the end; those that learned noth" in evidence
    )


def test_too_few_finished_trials_are_counted() -> None:
    tables = planted.draw_study(planted.World(hidden=0.3), 0, trials=9)
    few = budget.build_figures(planted.prune_study(tables, 4, 1.0, np.random.default_rng(0)))[1]
    assert isinstance(few, EmptyFigure)
    assert few.reason == (
        "Too few trials trained to the end: the comparison needs 10, this study has 9. Raise `study.prune.audit`."
    )
    figure = budget.build_figures(tables)[1]
    assert isinstance(figure, EmptyFigure)
    assert figure.reason == "Too few trials trained to the end: the comparison needs 10, this study has 9."


def test_survivors_alone_give_no_agreement() -> None:
    tables = planted.draw_study(planted.World(hidden=0.3), 0)
    rng = np.random.default_rng(0)
    assert rank_agreement.select_finished_trials(planted.prune_study(tables, 4, 0.0, rng)) is None
    assert isinstance(budget.build_figures(planted.prune_study(tables, 4, 0.0, rng))[1], EmptyFigure)
    half = rank_agreement.select_finished_trials(planted.prune_study(tables, 4, 0.5, rng))
    assert half is not None
    assert set(half.weights) == {1.0, 2.0}


def test_chart_shows_every_rung(counting_study: StudyTables) -> None:
    tables = planted.draw_study(planted.World(hidden=0.3), 0)
    chart = budget.build_figures(tables)[1]
    assert isinstance(chart, Chart)
    assert chart.data["rungs"]["epoch"].tolist() == [4, 8]
    assert (chart.data["order"]["low"] <= chart.data["order"]["share"]).all()
    assert isinstance(budget.build_figures(replace(counting_study, curves=pd.DataFrame()))[1], EmptyFigure)
