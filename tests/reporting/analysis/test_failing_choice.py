"""The choice with which trials fail, against counts made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.planted_studies import World, draw_study
from thalweg.reporting.analysis.failing_choice import FailingChoice, find_failing_choice
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables


def build_study_with_kinds(kinds: list[str]) -> StudyTables:
    """A study whose trials have these kinds, in turn."""
    tables = draw_study(World(), 0, len(kinds))
    kind = SearchedParameter("kind", choices=tuple(sorted(set(kinds))))
    return replace(tables, trials=tables.trials.assign(kind=kinds), space=[*tables.space, kind])


def test_lone_choice_is_found() -> None:
    """All 7 trials with l2 fail, 1 of 12 with others: by chance 7 of 8 failures fall so in 12 of 75,582 cases."""
    tables = build_study_with_kinds(["l2"] * 7 + ["l1", "huber"] * 6)
    choice = find_failing_choice(tables, range(8), range(8, 19))
    assert choice == FailingChoice("kind", "l2", 7, 7, 1, 12)
    assert choice.spares_others
    assert (
        choice.describe_counts("diverged") == "with `kind` l2, all 7 trials diverged; with other values, 1 of 12 (8 %)"
    )


def test_even_failures_name_no_choice() -> None:
    tables = build_study_with_kinds(["l2", "l1", "huber"] * 6)
    assert find_failing_choice(tables, range(9), range(9, 18)) is None
    assert find_failing_choice(tables, [], range(18)) is None
    # three failures of four: one of 3 choices has at least as many in more than 5 % of studies
    assert find_failing_choice(tables, [0, 3, 6, 1], [2, 4, 5, 7, 8, 9, 10, 11]) is None


def test_few_trials_name_no_choice() -> None:
    tables = build_study_with_kinds(["l2", "l2"] + ["l1"] * 30)
    assert find_failing_choice(tables, [0, 1], range(2, 32)) is None


def test_choice_that_does_not_fail_alone() -> None:
    assert not FailingChoice("kind", "l2", 9, 9, 6, 12).spares_others


@pytest.mark.parametrize("seed", [0])
def test_false_positive_rate(seed: int) -> None:
    """Failures that fall on any trial name a choice in 5 % of studies at most."""
    rng, false = np.random.default_rng(seed), 0
    tables = build_study_with_kinds(["l2", "l1", "huber", "poisson"] * 6)
    for _ in range(200):
        order = rng.permutation(24).tolist()
        false += find_failing_choice(tables, order[:8], order[8:]) is not None
    assert false <= 0.05 * 200 + 3 * np.sqrt(0.05 * 0.95 * 200)
