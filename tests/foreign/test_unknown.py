"""What the study cannot show, and what it would cost to know."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from tests.foreign.test_tables import build_study, complete, draw_confirmed
from thalweg.foreign import unknown
from thalweg.foreign.study import ForeignTrial
from thalweg.foreign.tables import build_tables
from thalweg.reporting.finding import Finding
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables


def find(tables: StudyTables, words: str) -> Finding | None:
    return next((each for each in unknown.build_findings(tables) if words in each.verdict), None)


def build_plain(count: int, **changes: Any) -> StudyTables:
    return build_tables(build_study(*(complete(i, i / 100, float(i)) for i in range(count)), **changes))


def test_unknown_noise_has_its_price() -> None:
    found = find(build_plain(9), "luck is not known")
    assert found is not None
    assert "Run the 4 best trials again, with 4 fresh seeds each: 16 runs." in found.next_step
    low, high = ((12 / chi2.ppf(chance, 12)) ** 0.5 for chance in (0.975, 0.025))
    assert f"within a factor of {low:.2f} to {high:.1f}" in found.next_step


def test_one_trial_and_one_open_trial_are_one() -> None:
    alone = build_tables(build_study(complete(0, 0.1, 1.0), ForeignTrial(1, "running", (), {})))
    noise, opened = find(alone, "luck is not known"), find(alone, "1 trial has not ended.")
    assert noise is not None
    assert opened is not None
    assert noise.next_step.startswith("Run the best trial again, with 4 fresh seeds. Their standard deviation")
    assert opened.next_step == "Make the report again when it has ended."
    assert opened.evidence == "The study has 1 trial running. The report leaves it out, because it has no value yet."


def test_known_noise_tells_the_seeds_that_a_lead_takes() -> None:
    """The lead is 1; each value has a deviation of 0.1, so two seeds show it. A deviation of 100 hides it."""
    for spread, words in ((0.1, "So many show the lead over the next, 1, if it is real"), (100.0, "hardly show")):
        pairs = [(i, i + side * spread / 2**0.5) for i in range(6) for side in (-1, 1)]
        tables = build_tables(build_study(*(complete(n, i / 10, value) for n, (i, value) in enumerate(pairs))))
        assert find(tables, "luck is not known") is None
        found = find(tables, "better than your default")
        assert found is not None
        assert (words in found.next_step) == (spread == 0.1 or words == "hardly show")


def test_result_on_fresh_seeds_may_not_hold_elsewhere() -> None:
    tables = draw_confirmed(np.random.default_rng(0))
    assert find(tables, "better than your default") is None
    assert find(tables, "holds elsewhere is not known") is not None


def test_missing_default_is_said() -> None:
    tables = draw_confirmed(np.random.default_rng(0))
    runs = tables.runs[tables.runs["candidate"] != "baseline"]
    found = find(replace(tables, runs=runs, summary=replace(tables.summary, confirm=None)), "better than your default")
    assert found is not None
    assert "the default was not" in found.evidence


def test_absent_design_is_said() -> None:
    found = find(build_plain(9), "equal effort")
    assert found is not None
    assert "How this study chose its trials is not known" in found.evidence
    assert find(build_plain(1), "equal effort") is None


def test_open_trials_are_counted() -> None:
    trials = [ForeignTrial(n, state, (), {}) for n, state in enumerate(["running", "running", "waiting"])]  # type: ignore[arg-type]
    found = find(build_tables(build_study(complete(9, 0.1, 1.0), *trials)), "have not ended")
    assert found is not None
    assert "2 trials running and 1 trial waiting" in found.evidence
    assert find(build_tables(build_study(*trials)), "No trial has ended") is not None
    assert find(build_tables(build_study()), "No trial has ended") is not None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space": (SearchedParameter("x", choices=(1,)),)}, "`x` had one value in all trials"),
        ({"is_space_known": False}, "The ranges are those of the values that trials had"),
        ({"left_out": {"id": "it is empty"}}, "No parameter: `id`, because it is empty"),
    ],
)
def test_gaps_of_the_space_are_named(changes: dict[str, Any], words: str) -> None:
    found = find(build_plain(3, **changes), "search space is not known")
    assert found is not None
    assert words in found.evidence


def test_lacking_tables_are_named_in_one_line() -> None:
    found = find(build_plain(3), "tables allow")
    assert found is not None
    assert "values that trials reported while they ran" in found.evidence
