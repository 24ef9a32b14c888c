"""The next search space: around good trials, past an end where they crowd, never where training fails."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_causes import HEALTHY, NOISE, PLANTED, WILD
from tests.helpers.planted_studies import MOMENTUM, RATE, World
from thalweg.reporting.advice import next_space, search_space
from thalweg.reporting.analysis import failure_bounds, failure_regions, good_region
from thalweg.reporting.analysis.separation import EFFECTIVE_RATE
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections import health, noise, parameters
from thalweg.reporting.tables import StudyTables

BOUND = PLANTED["optimum at a bound"].world
FAILS_ABOVE = f"The best values of `{RATE}` lie at an end of its range, 0.1, but training fails above it."


def test_crowded_end_is_widened() -> None:
    tables = planted.draw_study(BOUND, 0, 96)
    assert next_space.find_moved_ends(tables, RATE) == {"low": "in", "high": "out"}
    assert f"`{RATE}` from" in search_space.advise_search(tables)
    assert "(so far 0.004 to 0.1)" in search_space.advise_search(tables)


def test_end_with_lost_trials_is_kept() -> None:
    tables = planted.draw_study(replace(BOUND, wild=0.094), 0, 96)
    assert tables.count_trials("diverged") == 4
    assert good_region.find_crowded_end(tables, tables.parameters[0]) == "high"
    assert 0.09 < failure_bounds.find_failure_bounds(tables, RATE)["high"] < 0.094
    assert next_space.find_moved_ends(tables, RATE)["high"] == "in"
    finding = parameters.build_findings(tables)[0]
    assert finding.verdict == FAILS_ABOVE
    assert finding.tone == "plain"


def test_noise_narrows_no_range() -> None:
    tables = planted.draw_study(NOISE, 0)
    assert not next_space.is_region_known(tables)
    assert search_space.advise_search(tables) == ""
    assert parameters.build_findings(tables) == []
    assert noise.build_findings(tables)[0].next_step == "Search wider ranges, or other settings."
    assert parameters.build_figures(tables)[-1].id != "next-space"


def test_findings_agree_on_next_space() -> None:
    tables = planted.draw_study(World(rates=(0.004, 0.6), wild=0.2), 0)
    finding = next(finding for finding in health.build_findings(tables) if finding.verdict.endswith("trials diverged."))
    assert finding.next_step == search_space.advise_search(tables)
    assert parameters.build_findings(tables)[-1].next_step == search_space.advise_search(tables)


def test_range_keeps_good_trials_among_lost() -> None:
    """Beyond the edge most trials diverge, but those with the highest rate or momentum are the best of all."""
    tables = planted.draw_study(WILD, 0)
    diverged = tables.trials[tables.trials["state"] == "diverged"]
    is_best = diverged.index.isin([*diverged[RATE].nlargest(3).index, *diverged[MOMENTUM].nlargest(3).index])
    trials = tables.trials.copy()
    trials.loc[diverged.index[is_best], ["state", "value"]] = ["complete", trials["value"].min() - 0.1]
    finding = health.build_findings(replace(tables, trials=trials, runs=pd.DataFrame()))[0]
    assert finding.next_step.startswith("To save trials with learning rate / (1 - momentum) above 0.20, set ")
    assert finding.next_step.endswith("some good trials lie there.")


def test_losses_no_range_avoids_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials differ by noise only, so the good region is unknown, and no rate or momentum alone is too high."""
    monkeypatch.setattr(next_space, "rank_importances", lambda _: None)
    world = replace(NOISE, rates=(0.03, 0.19), momentum=0.8, wild=0.2)
    finding = health.build_findings(planted.draw_study(world, 0))[0]
    assert finding.next_step.endswith("no range of either number alone excludes them.")


def test_effective_rate_needs_one_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.draw_study(World(rates=(0.004, 0.6), wild=0.2), 0)
    edge = next(edge for edge in failure_regions.list_edges(tables) if edge.name == EFFECTIVE_RATE)
    monkeypatch.setattr(failure_regions, "list_edges", lambda _: [edge])
    assert failure_bounds.find_failure_bounds(tables, RATE).keys() == {"high"}
    kinds = np.where(tables.trials["number"] % 9 == 4, "adam", "heavy_ball")
    mixed = replace(tables, trials=tables.trials.assign(**{"optimizer.kind": kinds}))
    assert failure_bounds.find_failure_bounds(mixed, RATE) == {}


def test_hard_bound_is_called_range_end(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = planted.draw_study(PLANTED["a bad group"].world, 0)
    parameter = next(parameter for parameter in tables.parameters if parameter.name == MOMENTUM)
    assert parameter.low == 0
    monkeypatch.setattr(good_region, "find_crowded_end", lambda _, searched: "low" if searched.name == MOMENTUM else "")
    assert tables.count_trials("diverged") == 0
    finding = parameters.build_findings(tables)[0]
    assert finding.verdict == f"The best values of `{MOMENTUM}` lie at an end of its range, 0."


def test_all_diverged_lowers_both_ends(studies_by_case: dict[str, StudyTables]) -> None:
    diverged = studies_by_case["all diverged"]
    fixed = replace(diverged, space=[parameter for parameter in diverged.space if parameter.name != RATE])
    for tables, step in ((diverged, f"Lower both ends of `{RATE}` in `study.space`"), (fixed, f"Lower `{RATE}`, or")):
        (finding,) = health.build_findings(tables)
        assert finding.next_step.startswith(step)


def test_kept_choices_are_not_named() -> None:
    tables = planted.draw_study(HEALTHY, 0)
    kind = SearchedParameter("kind", choices=("l1", "l2"), role="scientific")
    trials = tables.trials.assign(kind=np.where(tables.trials["number"] < 2, "l1", "l2"))
    with_kind = replace(tables, trials=trials, space=[*tables.space, kind])
    assert "`kind`" not in search_space.advise_search(with_kind)


@pytest.mark.parametrize(("high", "end"), [(True, "low"), (False, "high")])
def test_wrong_rates_extend_range(high: bool, end: str) -> None:
    tables = planted.draw_study(PLANTED["rate too high" if high else "rate too low"].world, 0)
    assert next_space.find_moved_ends(tables, RATE)[end] == "out"
    assert search_space.advise_rate_range(tables, high) == search_space.advise_search(tables)
    unsearched = replace(tables, space=[parameter for parameter in tables.space if parameter.name != RATE])
    step = f"{'Lower' if high else 'Raise'} `{RATE}`, or search it."
    assert step in [finding.next_step for finding in health.build_findings(unsearched)]
