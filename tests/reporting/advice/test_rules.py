"""The rules for what to do with the search: each in a study that it is made for, and their order."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.five_parameters import let_all_matter
from tests.helpers.planted_causes import HEALTHY, PLANTED
from tests.helpers.planted_studies import RATE, World
from thalweg.reporting.advice import next_space, rules, search_space
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import history
from thalweg.reporting.tables import StudyTables

KIND = SearchedParameter("kind", choices=("l1", "l2"), role="scientific")


def build_scientific_study(tables: StudyTables, few: int) -> StudyTables:
    """Draw a study that asks about a choice; `few` trials have a value that is far behind."""
    kind = np.where(tables.trials["number"] < few, "l1", "l2")
    value = tables.trials["value"].where(kind == "l2", tables.trials["value"] + 1)
    return replace(tables, trials=tables.trials.assign(kind=kind, value=value),
                   space=[*tables.space, KIND])  # fmt: skip


def test_flat_search_with_open_question_goes_on() -> None:
    tables = planted.draw_study(HEALTHY, 0)
    assert rules.advise_trials(tables).startswith("More trials of the same kind are unlikely to help")
    open_ = build_scientific_study(tables, 2)
    finding = history.build_findings(open_)[0]
    assert finding.verdict == "The search has flattened out within this space."
    assert finding.next_step == rules.advise_trials(open_)
    assert rules.advise_trials(open_) == "Set `study.trials: 96`: each value of `kind` then gets 48 trials or more."
    assert rules.advise_trials(build_scientific_study(tables, 12)).startswith(
        "More trials of the same kind are unlikely to help"
    )


def test_gaining_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    let_all_matter(monkeypatch)
    tables = planted.draw_study(World(hidden=0.8, seed_noise=0.004, jitter=0.001), 0)
    assert rules.advise_trials(tables) == "Continue the search: `thalweg study --trials 96`."
    assert search_space.advise_search(tables).startswith("Once the search stops improving, search `")
    study = replace(tables.summary.study, stop={"reason": "epochs"})
    stopped = replace(tables, summary=replace(tables.summary, study=study))
    assert rules.advise_trials(stopped) == "Continue the search: loosen `study.stop.epochs` and start again."


def test_gaining_search_widens_range(monkeypatch: pytest.MonkeyPatch) -> None:
    let_all_matter(monkeypatch)
    tables = planted.draw_study(HEALTHY, 0, 96, sampler="tpe")
    number, rate = tables.trials["number"], tables.trials[RATE]
    late = tables.trials.assign(value=3.0 - 0.02 * number, **{RATE: rate.where(number < 80, 0.099)})
    falling = replace(tables, trials=late)
    assert history.build_findings(falling)[0].verdict == "The search was still gaining when it ended."
    assert next_space.has_widened_range(falling)
    assert rules.advise_trials(falling) == search_space.advise_search(falling)
    assert search_space.advise_search(falling).startswith("Next, search `")


def test_advice_follows_what_still_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.draw_study(HEALTHY, 0)
    monkeypatch.setattr(rules, "advise_trials", lambda _: "Go on.")
    monkeypatch.setattr(rules, "is_search_gaining", lambda _: True)
    assert [rules.advise_growing_measure(tables, grows) for grows in (True, False)] == ["Go on.", ""]
    monkeypatch.setattr(rules, "is_search_gaining", lambda _: False)
    assert rules.advise_growing_measure(tables, is_growing=False) == "Go on."


def test_each_rule_has_its_study() -> None:
    healthy = planted.draw_study(HEALTHY, 0)
    gaining = planted.draw_study(World(hidden=0.8, seed_noise=0.004, jitter=0.001), 0)
    bound = planted.draw_study(PLANTED["optimum at a bound"].world, 0, 96)
    drowned = planted.draw_study(World(seed_noise=1.0), 0, 24)  # seeds differ by more than the search gained
    studies = [bound, replace(healthy, is_space_exhausted=True), gaining, build_scientific_study(healthy, 2), drowned]
    assert [rules.find_rule(tables) for tables in (*studies, healthy)] == list(rules.RULES)
    assert rules.advise_trials(drowned).startswith("Set `study.seeds: 4`")


def test_space_is_widened_before_it_is_given_up() -> None:
    """Where the optimum lies beyond a range, a flat search does not ask for another model."""
    bound = planted.draw_study(PLANTED["optimum at a bound"].world, 0, 96)
    finding = history.build_findings(bound)[0]
    assert finding.next_step == search_space.advise_search(bound)
    assert "not searched yet" not in finding.next_step


def test_nothing_known_advises_nothing(studies_by_case: dict[str, StudyTables]) -> None:
    assert rules.find_rule(studies_by_case["no trials"]) is None
    assert rules.advise_trials(studies_by_case["no trials"]) == ""
