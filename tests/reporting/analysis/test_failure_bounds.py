"""The ends that a range must not pass, and what the report says of them."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.planted_studies import MOMENTUM, RATE, World, draw_study
from thalweg.reporting.advice import search_space
from thalweg.reporting.analysis import failure_bounds, failure_regions
from thalweg.reporting.analysis.separation import EFFECTIVE_RATE, Separation
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import health
from thalweg.reporting.tables import StudyTables


def build_study_where_l2_fails(others_fail: bool = False) -> StudyTables:
    """Above 0.2 trials diverge with l2, and with other losses only if `others_fail`."""
    tables = draw_study(World(rates=(0.004, 0.6), wild=np.inf if not others_fail else 0.2, momentum=0.0), 0, 72)
    kinds = np.array(["l1", "l2", "huber"])[np.arange(72) % 3]
    kind = SearchedParameter("kind", choices=("huber", "l1", "l2"))
    trials = tables.trials.assign(kind=kinds)
    is_lost = (trials[RATE] > 0.2) & (kinds == "l2")
    for name, value in (("state", "diverged"), ("value", np.nan), ("diverged_step", 30.0)):
        trials[name] = trials[name].mask(is_lost, value)
    return replace(tables, trials=trials, space=[*tables.space, kind])


def test_loss_that_fails_alone_is_named() -> None:
    tables = build_study_where_l2_fails()
    (edge,) = failure_regions.list_lost_edges(tables)
    assert edge.is_of_choice
    assert edge.choice is not None
    assert (edge.choice.label, edge.choice.other_failed) == ("l2", 0)
    finding = health.build_findings(tables)[0]
    assert (
        f"Above it, with `kind` l2, all {edge.choice.count} trials diverged; with other values, 0 of"
        in finding.evidence
    )


def test_loss_that_fails_alone_bounds_no_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_regions, "find_rate_edge", lambda *_, **__: None)
    tables = build_study_where_l2_fails()
    assert "high" not in failure_bounds.find_failure_bounds(tables, RATE)
    step = search_space.advise_lost_trials(tables, failure_regions.list_lost_edges(tables)[0])
    assert step.startswith("To save trials with `kind` l2 and `optimizer.learning_rate` above")
    everywhere = build_study_where_l2_fails(others_fail=True)
    assert failure_regions.list_lost_edges(everywhere)[0].choice is None
    assert 0.1 < failure_bounds.find_failure_bounds(everywhere, RATE)["high"] < 0.25


def test_failure_beyond_an_end_names_the_loss() -> None:
    tables = build_study_where_l2_fails()
    rate = next(parameter for parameter in tables.parameters if parameter.name == RATE)
    assert failure_bounds.describe_failure_beyond(tables, rate, "high") == "training fails above it with `kind` l2"
    assert failure_bounds.describe_failure_beyond(tables, rate, "low") == ""
    everywhere = build_study_where_l2_fails(others_fail=True)
    assert failure_bounds.describe_failure_beyond(everywhere, rate, "high") == "training fails above it"


@pytest.mark.parametrize(("is_high", "threshold", "end"), [(True, 0.05, "high"), (False, 0.02, "low")])
def test_effective_rate_bounds_each_range(
    is_high: bool, threshold: float, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rate is rate / (1 - momentum); rates are 0.004 to 0.1, momenta 0 to 0.8."""
    edge = Separation(EFFECTIVE_RATE, is_high, threshold, 9, 9, 0, 39)
    monkeypatch.setattr(failure_regions, "list_edges", lambda _: [edge])
    tables = draw_study(World(), 0)
    momentum, rate = (0.0, 0.004) if is_high else (0.8, 0.1)
    assert failure_bounds.find_failure_bounds(tables, RATE) == {end: pytest.approx(threshold * (1 - momentum))}
    assert failure_bounds.find_failure_bounds(tables, MOMENTUM) == {end: pytest.approx(1 - rate / threshold)}


def test_slow_rates_do_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates that are merely too low lose no trial, and no momentum lies below 0."""
    tables = draw_study(World(), 0)
    momentum = next(parameter for parameter in tables.parameters if parameter.name == MOMENTUM)
    slow = Separation(EFFECTIVE_RATE, False, 0.02, 9, 9, 0, 39)
    monkeypatch.setattr(failure_regions, "find_rate_edge", lambda _, is_too_high: None if is_too_high else slow)
    assert failure_bounds.find_failure_bounds(tables, MOMENTUM)["low"] < 0
    assert failure_bounds.describe_failure_beyond(tables, momentum, "low") == ""
    monkeypatch.setattr(failure_regions, "list_lost_edges", lambda _: [slow])
    assert failure_bounds.describe_failure_beyond(tables, momentum, "low") == ""
