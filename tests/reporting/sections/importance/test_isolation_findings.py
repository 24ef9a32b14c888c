"""Findings and charts of a choice, each value at its own best."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.helpers.five_parameters import KIND, RATE, compute_rate_position, draw_trials
from thalweg.reporting.analysis.isolation import group_trials_by_value
from thalweg.reporting.finding import Finding
from thalweg.reporting.sections import importance
from thalweg.reporting.sections.importance.isolation_findings import report_isolation as finding_of
from thalweg.reporting.tables import StudyTables


def report_loss_kind(tables: StudyTables) -> Finding:
    (finding,) = finding_of(tables, KIND)
    assert finding in importance.build_findings(tables)
    return finding


def test_choice_without_effect_ties(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(90, 5)
    # each kind has its best rate elsewhere, and comes as far there
    middle = trials["kind"].map({"l1": 0.3, "l2": 0.5, "huber": 0.7})
    finding = report_loss_kind(build_study(trials, 1 + (compute_rate_position(trials) - middle) ** 2, noise=0.01))
    assert finding.verdict == "`kind` makes no relevant difference, each value at its own best."
    assert "fix `kind` at" in finding.next_step


def test_large_noise_is_inconclusive(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(90, 5)
    middle = trials["kind"].map({"l1": 0.3, "l2": 0.5, "huber": 0.7})
    finding = report_loss_kind(build_study(trials, 1 + (compute_rate_position(trials) - middle) ** 2, noise=0.2))
    assert finding.verdict == "It is not clear from 90 trials whether `kind` matters."
    assert "fix" not in finding.next_step
    assert "Noise may hide differences" in finding.evidence


def test_important_parameter_is_no_tie(build_study: Callable[..., StudyTables]) -> None:
    """Whoever matters by the ranks of trials is not fixed because the best of each value are within noise."""
    trials = draw_trials(60, 5)
    worse = trials["kind"].map({"l1": 0.3, "l2": 0.0, "huber": 0.3})
    finding = report_loss_kind(build_study(trials, 1 + worse + compute_rate_position(trials) / 100, noise=0.3))
    assert finding.verdict == "It is not clear yet which `kind` is best."
    assert "fix" not in finding.next_step
    few = replace(RATE, role="scientific")
    (of_rate,) = finding_of(
        build_study(draw_trials(18, 5), 1 + compute_rate_position(draw_trials(18, 5)), noise=0.3, space=[few]), few
    )
    assert of_rate.verdict == "It is not clear yet which `rate` is best."


def test_sparse_bins_are_inconclusive(build_study: Callable[..., StudyTables]) -> None:
    trials, few = draw_trials(12, 5), replace(RATE, role="scientific")
    flat = 1 + np.random.default_rng(1).normal(0, 0.01, 12)
    (finding,) = finding_of(build_study(trials, flat, noise=0.3, space=[few]), few)
    assert finding.verdict == "It is not clear yet whether `rate` matters."
    assert finding.next_step.startswith("Try ")


def test_large_effect_is_named(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(90, 6)
    worse = trials["kind"].map({"l1": 1.0, "l2": 0.0, "huber": 0.01})
    tables = build_study(trials, 1 + (compute_rate_position(trials) - 0.5) ** 2 + worse, noise=0.02)
    finding = report_loss_kind(tables)
    assert finding.verdict == "`kind` matters: l2 is better than l1, each at its own best."
    assert "`kind` with l2 and huber" in finding.next_step
    alone = report_loss_kind(
        build_study(trials, 1 + (compute_rate_position(trials) - 0.5) ** 2 + worse.replace(0.01, 1.0), noise=0.02)
    )
    assert "l2 is better than" in alone.verdict
    assert "fix `kind` at l2" in alone.next_step
    # where higher is better the other way round
    turned = report_loss_kind(
        replace(tables, trials=tables.trials.assign(value=-tables.trials["value"]), direction="max")
    )
    assert turned.verdict == finding.verdict


def test_too_few_trials_ask_for_more(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(40, 7).assign(kind="l2")
    trials.loc[[3, 30], "kind"] = "l1"
    finding = report_loss_kind(
        build_study(trials, np.where(trials["kind"] == "l1", 3.0, 1 + compute_rate_position(trials)), noise=0.01)
    )
    assert finding.verdict == "It is not clear yet whether `kind` matters."
    assert "in more trials: l1 (2 trials). Add it to" in finding.next_step
    assert "too few to find their own best" in finding.evidence
    assert "No trial had huber." in finding.evidence
    only = report_loss_kind(
        build_study(draw_trials(40, 7).assign(kind="l2"), 1 + compute_rate_position(trials), noise=0.01)
    )
    assert only.verdict == "It is not clear yet whether `kind` matters."
    assert "Only l2" in only.evidence


def test_rare_tie_is_named_where_the_step_leaves_it_out(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(40, 7).assign(kind="l2")
    trials.loc[[3, 30], "kind"] = "l1"
    trials.loc[[5, 12, 20, 33], "kind"] = "huber"
    rate = compute_rate_position(trials)
    values = np.select([trials["kind"] == "l1", trials["kind"] == "huber"], [3.0, 1 + rate.min()], 1 + rate)
    finding = report_loss_kind(build_study(trials, values, noise=0.1))
    assert "in more trials: l1 (2 trials). Add it to" in finding.next_step
    rule = "A value with more than 2 times the trials of another finds a better best by chance. Such values are "
    tie, rare = "Within noise of l2: huber (", "it has only 4 trials). Tried in fewer than 5 trials"
    assert [finding.evidence.find(part) for part in (rule, tie, rare)] == sorted(
        max(finding.evidence.find(part), 0) for part in (rule, tie, rare)
    )
    leads = report_loss_kind(build_study(trials, np.where(trials["kind"] == "l1", 0.5, values), noise=0.01))
    assert "l1 leads with fewer than 5 trials, which may be luck." in leads.evidence
    assert rule not in leads.evidence


def test_frequent_values_all_need_more_trials(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(18, 5).assign(kind=["l1"] * 10 + ["l2"] * 8)
    values = 1 + np.r_[np.linspace(0.1, 0.5, 10), np.linspace(0, 0.5, 8)]
    two = replace(KIND, choices=("l1", "l2"))
    (finding,) = finding_of(build_study(trials, values, noise=0.001, space=[RATE, two]), two)
    assert "Try each value of `kind` in more trials: l2 (8 trials) and l1 (10 trials)." in finding.next_step
    assert finding.next_step.endswith("Raise `study.trials`.")
    assert (
        "only if this share is at most 2.5 %: 5 %, divided by the 2 ways to choose a better and a worse one of 2 values"
        in finding.evidence
    )


def test_value_with_no_finished_trial_is_reported(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(60, 8)
    trials["state"] = np.where(trials["kind"] == "l1", "pruned", "complete")
    tables = build_study(trials, 1 + compute_rate_position(trials))
    finding = report_loss_kind(tables)
    assert (
        "No trial with l1 trained to its end; if all values were alike, this would happen in less than 0.01 %"
        in finding.evidence
    )
    count = (trials["kind"] == "l1").sum()
    stopped = f"l1 was stopped early in all {count} trials"
    verdict = f"`kind` matters: {stopped}; no clear difference between the other values."
    assert finding.verdict == verdict
    assert "`kind` with l2 and huber" in finding.next_step
    by_label = {group.label: group for group in group_trials_by_value(tables, KIND)}
    assert by_label["l1"].best is None
    assert by_label["l2"].best == tables.trials.loc[trials["kind"] == "l2", "value"].min()


def test_value_with_one_trial_stopped_stays(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(60, 8)
    trials.loc[trials["kind"] == "huber", "kind"] = "l2"
    trials.loc[7, "kind"] = "huber"
    trials.loc[[2, 7, 9, 30], "state"] = "pruned"
    finding = report_loss_kind(build_study(trials, 1 + compute_rate_position(trials), noise=0.001))
    assert "huber was stopped early in its only trial" in finding.verdict
    assert not finding.next_step.startswith("Next, search")
