"""Findings on a choice, each value at its own best: what fresh seeds show, and what to do."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.answers import with_answer
from tests.helpers.five_parameters import KIND, RATE, compute_rate_position, draw_trials
from thalweg.reporting.analysis.isolation import group_trials_by_value
from thalweg.reporting.finding import Finding
from thalweg.reporting.sections import importance
from thalweg.reporting.sections.importance.isolation_findings import report_isolation
from thalweg.reporting.tables import StudyTables

NOISE = 0.1  # a seed's, and so the smallest effect


def report_loss_kind(tables: StudyTables) -> Finding:
    (finding,) = report_isolation(tables, KIND)
    assert finding in importance.build_findings(tables)
    return finding


@pytest.fixture
def tables(build_study: Callable[..., StudyTables]) -> StudyTables:
    """Ninety trials whose kinds are alike but for their best rates."""
    trials = draw_trials(90, 5)
    middle = trials["kind"].map({"l1": 0.3, "l2": 0.5, "huber": 0.7})
    return build_study(trials, 1 + (compute_rate_position(trials) - middle) ** 2, noise=NOISE)


@pytest.mark.parametrize(
    ("differences", "verdict", "step"),
    [
        (
            {"l1": (0.5, 0.1), "huber": (0.02, 0.2)},
            "`kind` matters: l2 is better than l1, each at its own best in this space; huber is not clearly worse.",
            "`kind` with l2 and huber",
        ),
        (
            {"l1": (0.5, 0.1), "huber": (0.4, 0.1)},
            "`kind` matters: l2 is better than huber and l1, each at its own best in this space.",
            "`kind` at l2",
        ),
        (
            {"l1": (0.02, 0.05), "huber": (-0.01, 0.06)},
            "`kind` makes no difference of 0.10 or more in mean absolute error between the best trials of l2,",
            "`kind` at huber",
        ),
        (
            {"l1": (-0.5, 0.1), "huber": (0.02, 0.2)},
            "l1 is better than l2 in `kind` on the test set, but the validation set chose l2.",
            "Set `confirm.seeds: 16`: 8 do not surely put l2 first on the validation set, so more may choose l1 there",
        ),
        (
            {"l1": (-0.5, 0.1), "huber": (0.5, 0.1)},
            "`kind` matters: l2 is better than huber, each at its own best in this space; l1 is better than l2 in",
            "`kind` with l1 and l2",
        ),
        (
            {"l1": (0.02, 0.3), "huber": (-0.01, 0.2)},
            "It is not clear yet whether `kind` matters.",
            "Set `confirm.seeds: 42`: if these trials are equally good, so many show it with a chance of 80 %.",
        ),
        (
            {"l1": (0.02, 0.8), "huber": (-0.01, 0.2)},
            "It is not clear yet whether `kind` matters.",
            "More seeds would hardly show that the values are alike: the groups of the test set leave ±0.090",
        ),
    ],
)
def test_fresh_seeds_decide(
    tables: StudyTables, differences: Mapping[str, tuple[float, float]], verdict: str, step: str
) -> None:
    finding = report_loss_kind(with_answer(tables, KIND, "l2", differences))
    assert finding.verdict.startswith(verdict)
    assert step in finding.next_step
    # where higher is better, the other way round
    turned = replace(tables, trials=tables.trials.assign(value=-tables.trials["value"]), direction="max")
    opposite = {label: (-mean, half) for label, (mean, half) in differences.items()}
    assert report_loss_kind(with_answer(turned, KIND, "l2", opposite)).verdict == finding.verdict


def test_evidence_names_difference_trial_and_search(tables: StudyTables) -> None:
    finding = report_loss_kind(with_answer(tables, KIND, "l2", {"l1": (0.5, 0.1), "huber": (0.02, 0.2)}))
    groups = {group.label: group for group in group_trials_by_value(tables, KIND)}
    l1 = groups["l1"]
    assert f"+0.50 (+0.40 to +0.60) for l1 (trial {l1.best_trial}, the best of {len(l1.costs)})" in finding.evidence
    assert "A difference below 0.10 counts as none (the standard deviation over a trial's seeds)." in finding.evidence
    assert (
        "The value huber is at most 0.18 worse or better and l1 0.58 (two one-sided tests at 5 %)." in finding.evidence
    )
    assert "The second half of its trials" not in finding.evidence
    assert "the second half of its trials gained" in finding.evidence
    assert set(finding.trials) == {group.best_trial for group in groups.values()}


def test_search_alone_names_no_winner(tables: StudyTables) -> None:
    """The best trial of each value is the best of many: without fresh seeds nothing is concluded from it."""
    worse = tables.trials.assign(value=tables.trials["value"] + 5.0 * (tables.trials["kind"] == "l1"))
    finding = report_loss_kind(replace(tables, trials=worse))
    assert finding.verdict == "It is not known which `kind` is best: fewer than two of its values were retrained."
    assert "Best mean absolute error of each value in the study" in finding.evidence
    off = replace(worse_tables := replace(tables, trials=worse), params=_without_questions(worse_tables))
    assert report_loss_kind(off).next_step.startswith("Set `confirm.questions: true`")


def _without_questions(tables: StudyTables) -> dict[str, object]:
    return {**tables.params, "confirm": {**tables.params.get("confirm", {}), "questions": False}}


def test_rare_values_need_more_trials(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(40, 7).assign(kind="l2")
    trials.loc[[3, 30], "kind"] = "l1"
    tables = build_study(trials, 1 + compute_rate_position(trials), noise=NOISE)
    finding = report_loss_kind(with_answer(tables, KIND, "l2", {"l1": (0.5, 0.1)}))
    # surely worse on fresh seeds, but two trials may have missed its own best
    assert finding.verdict == "l2 leads l1 in `kind`, but more trials may change that."
    assert "Fewer than 12 trials are too few for a value to come to its own best: l1 (2 trials)." in finding.evidence
    assert "No trial had huber." in finding.evidence
    assert finding.next_step == "Set `study.trials: 84`: each value of `kind` then gets 28 trials or more."


def test_lost_value_is_reported(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(60, 8)
    trials["state"] = np.where(trials["kind"] == "l1", "diverged", "complete")
    values = (1 + compute_rate_position(trials)).where(trials["kind"] != "l1")
    tables = build_study(trials, values, noise=NOISE)
    finding = report_loss_kind(with_answer(tables, KIND, "l2", {"huber": (0.02, 0.2)}))
    count = (trials["kind"] == "l1").sum()
    assert finding.verdict == f"`kind` matters: l1 completed none of {count} trials."
    assert (
        "No trial with l1 trained to its end; if all values were alike, as many of its trials would fail in less"
        in finding.evidence
    )
    assert "`kind` with l2 and huber" in finding.next_step


def test_thirds_of_a_range_are_compared(build_study: Callable[..., StudyTables]) -> None:
    asked = replace(RATE, role="scientific")
    trials = draw_trials(60, 8)
    tables = build_study(trials, 1 + compute_rate_position(trials), noise=NOISE, space=[asked])
    labels = [group.label for group in group_trials_by_value(tables, asked)]
    assert labels == ["0.0001 to 0.0022", "0.0022 to 0.046", "0.046 to 1"]
    (finding,) = report_isolation(
        with_answer(tables, asked, labels[0], {labels[1]: (0.4, 0.05), labels[2]: (0.7, 0.05)}), asked
    )
    worse = "0.0022 to 0.046 and 0.046 to 1"
    assert (
        finding.verdict
        == f"`rate` matters: 0.0001 to 0.0022 is better than {worse}, each at its own best in this space."
    )


def test_nothing_to_say_without_complete_trials(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(10, 1).assign(state="diverged")
    assert report_isolation(build_study(trials, pd.Series(np.nan, trials.index)), KIND) == []
