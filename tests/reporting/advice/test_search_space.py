"""What is searched next: around the good, past where they crowd, never into where trials are lost."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_causes import HEALTHY, NOISE, PLANTED
from tests.helpers.planted_studies import MOMENTUM, RATE, World
from thalweg.reporting.advice import search_space, space_yaml
from thalweg.reporting.analysis import failure_regions, good_region
from thalweg.reporting.analysis.separation import EFFECTIVE_RATE, list_quantities
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import health, noise, parameters
from thalweg.reporting.tables import StudyTables

BOUND = PLANTED["optimum at a bound"].world


def space(tables: StudyTables) -> dict[str, search_space.NextParameter]:
    return {one.searched.name: one for one in search_space.build_next_space(tables)}


def test_an_end_at_which_the_best_crowd_is_passed() -> None:
    tables = planted.study(BOUND, 0, 96)
    assert search_space.find_moved_ends(tables, RATE) == {"low": "in", "high": "out"}
    assert f"`{RATE}` from" in search_space.advise_search(tables)
    assert "(so far 0.004 to 0.1)" in search_space.advise_search(tables)


def test_no_end_is_passed_beyond_which_trials_are_lost() -> None:
    tables = planted.study(replace(BOUND, wild=0.094), 0, 96)
    assert tables.count("diverged") == 4
    assert good_region.find_crowded_end(tables, tables.parameters[0]) == "high"
    assert 0.09 < search_space.find_failure_bounds(tables, RATE)["high"] < 0.094
    assert search_space.find_moved_ends(tables, RATE)["high"] == "in"
    told = parameters.build_findings(tables)[0]
    assert told.verdict == f"The best values of `{RATE}` lie at an end of its range, 0.1, but training fails above it."
    assert told.tone == "plain"


def test_a_winner_that_fails_on_a_seed_is_not_searched_at_higher_rates() -> None:
    tables = planted.study(BOUND, 0, 96)
    lost = tables.runs.assign(diverged_step=np.nan)
    lost.loc[(lost["candidate"] == "winner") & (lost["seed"] == 1000), "diverged_step"] = 7.0
    failing = replace(tables, runs=lost)
    assert search_space.find_moved_ends(failing, RATE).get("high") != "out"
    told = parameters.build_findings(failing)[0]
    assert told.verdict == f"The best values of `{RATE}` lie at an end of its range, 0.1, but training fails above it."
    assert told.tone == "plain"


@pytest.mark.parametrize(("side", "passed"), [("low", False), ("high", True)])
def test_where_most_rates_should_be_is_not_searched_where_no_good_one_lies(
    side: str, passed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = planted.study(PLANTED["a bad group"].world, 0)  # the good rates lie in the upper third
    monkeypatch.setattr(good_region, "find_crowded_end", lambda *_: "")
    monkeypatch.setattr(failure_regions, "find_rate_bias", lambda _: side)
    assert search_space.is_region_known(tables)
    assert (search_space.find_widened_end(tables, tables.parameters[0]) == side) == passed


def test_of_noise_alone_no_range_is_narrowed() -> None:
    tables = planted.study(NOISE, 0)
    assert not search_space.is_region_known(tables)
    assert search_space.advise_search(tables) == ""
    assert parameters.build_findings(tables) == []
    assert noise.build_findings(tables)[0].next_step == "Search wider ranges, or other parameters."
    assert parameters.build_figures(tables)[-1].id != "next-space"


def test_the_page_says_one_space_wherever_a_range_comes_up() -> None:
    tables = planted.study(World(rates=(0.004, 0.6), wild=0.2), 0)
    lost = next(one for one in health.build_findings(tables) if one.verdict.endswith("trials diverged."))
    assert lost.next_step == search_space.advise_search(tables)
    assert parameters.build_findings(tables)[-1].next_step == search_space.advise_search(tables)


def test_what_is_lost_among_good_trials_is_not_left_out() -> None:
    """Every rate above 0.05 learns nothing with momentum; the best have high rates, too, without."""
    tables = planted.study(World(rates=(0.004, 0.6), wild=0.2), 0)
    edge = next(iter(failure_regions.list_edges(tables)))
    assert search_space.advise_lost_trials(tables, edge) == search_space.advise_search(tables)
    good = tables.trials.assign(state="complete", value=2.0 - tables.trials[RATE])
    apart = replace(tables, trials=good, runs=pd.DataFrame())
    assert search_space.advise_lost_trials(apart, edge).startswith(
        "To save trials with learning rate / (1 - momentum) above"
    )


def test_what_no_range_can_leave_out_is_not_called_good() -> None:
    tables = planted.study(World(rates=(0.004, 0.6), wild=0.2), 2)
    edge = next(one for one in failure_regions.list_edges(tables) if one.name == EFFECTIVE_RATE)
    assert not (
        list_quantities(tables)[EFFECTIVE_RATE].reindex(good_region.select_good_trials(tables)["number"])
        > edge.threshold
    ).any()
    kept = dict.fromkeys(("low", "high"), "out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_space, "find_moved_ends", lambda *_: kept)
        assert search_space.advise_lost_trials(tables, edge).endswith("no range of either number alone excludes them.")


def test_the_pace_bounds_no_rate_where_other_optimizers_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.study(World(rates=(0.004, 0.6), wild=0.2), 0)
    edge = next(one for one in failure_regions.list_edges(tables) if one.name == EFFECTIVE_RATE)
    monkeypatch.setattr(failure_regions, "list_edges", lambda _: [edge])
    assert search_space.find_failure_bounds(tables, RATE).keys() == {"high"}
    kinds = np.where(tables.trials["number"] % 9 == 4, "adam", "heavy_ball")
    mixed = replace(tables, trials=tables.trials.assign(**{"optimizer.kind": kinds}))
    assert search_space.find_failure_bounds(mixed, RATE) == {}


def test_an_end_that_cannot_be_passed_is_not_called_the_end_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.study(PLANTED["a bad group"].world, 0)
    parameter = next(one for one in tables.parameters if one.name == MOMENTUM)
    assert parameter.low == 0
    monkeypatch.setattr(good_region, "find_crowded_end", lambda _, one: "low" if one.name == MOMENTUM else "")
    assert tables.count("diverged") == 0
    told = parameters.build_findings(tables)[0]
    assert told.verdict == f"The best values of `{MOMENTUM}` lie at an end of its range, 0."


def test_where_every_trial_diverged_both_ends_are_lowered(cases: dict[str, StudyTables]) -> None:
    lost = cases["all diverged"]
    assert search_space.advise_all_diverged(lost).startswith(f"Lower both ends of `{RATE}` in `study.space`")
    fixed = replace(lost, space=[one for one in lost.space if one.name != RATE])
    assert search_space.advise_all_diverged(fixed).startswith(f"Lower `{RATE}`, or")


def test_what_mattered_little_is_fixed_at_the_winners_value() -> None:
    tables = planted.study(BOUND, 0, 96)
    (own,) = tables.trials.loc[tables.trials["number"] == tables.winner, MOMENTUM]
    assert search_space.list_minor_parameters(tables) == [MOMENTUM]
    assert space(tables)[MOMENTUM].fixed == own
    assert f"fix `{MOMENTUM}` at" in search_space.advise_search(tables)
    lacking = tables.trials.assign(
        **{MOMENTUM: tables.trials[MOMENTUM].where(tables.trials["number"] != tables.winner)}
    )
    assert search_space.list_minor_parameters(replace(tables, trials=lacking)) == []


def test_a_choice_that_mattered_little_is_fixed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.study(HEALTHY, 0)
    kind = SearchedParameter("kind", choices=("l1", "l2"))
    drawn = tables.trials.assign(kind=np.where(tables.trials["number"] == tables.winner, "l1", "l2"))
    monkeypatch.setattr(search_space, "list_minor_parameters", lambda _: ["kind"])
    with_kind = replace(tables, trials=drawn, space=[*tables.space, kind])
    assert space(with_kind)["kind"].fixed == "l1"
    assert "    # kind: l1, the winner's value; it mattered little" in space_yaml.format_space(
        search_space.build_next_space(with_kind)
    )


def test_choices_that_all_stay_are_not_told() -> None:
    tables = planted.study(HEALTHY, 0)
    kind = SearchedParameter("kind", choices=("l1", "l2"), role="scientific")
    drawn = tables.trials.assign(kind=np.where(tables.trials["number"] < 2, "l1", "l2"))
    asked = replace(tables, trials=drawn, space=[*tables.space, kind])
    assert "`kind`" not in search_space.advise_search(asked)


def test_a_healthy_study_widens_nothing() -> None:
    tables = planted.study(HEALTHY, 0)
    assert "out" not in {
        way for name in (RATE, MOMENTUM) for way in search_space.find_moved_ends(tables, name).values()
    }


@pytest.mark.parametrize(("high", "end"), [(True, "low"), (False, "high")])
def test_where_most_rates_are_wrong_the_range_reaches_further(high: bool, end: str) -> None:
    tables = planted.study(PLANTED["rate too high" if high else "rate too low"].world, 0)
    assert search_space.find_moved_ends(tables, RATE)[end] == "out"
    assert search_space.advise_rate_range(tables, high) == search_space.advise_search(tables)
    unsearched = replace(tables, space=[one for one in tables.space if one.name != RATE])
    assert search_space.advise_rate_range(unsearched, high) == f"{'Lower' if high else 'Raise'} `{RATE}`, or search it."
