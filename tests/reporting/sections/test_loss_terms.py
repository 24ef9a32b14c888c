"""What the report says of a loss of several terms whose say and worth are known."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.helpers.terrain import with_terms
from thalweg.reporting.analysis.loss_terms import compute_gradient_shares, compute_term_effects, list_terms
from thalweg.reporting.sections import loss_terms
from thalweg.reporting.tables import StudyTables


@pytest.fixture(scope="module")
def several(usual: StudyTables) -> StudyTables:
    return with_terms(usual)


def verdicts(tables: StudyTables) -> str:
    return " ".join(finding.verdict for finding in loss_terms.build_findings(tables))


def test_a_loss_of_one_term_has_no_section(usual: StudyTables, several: StudyTables) -> None:
    assert not loss_terms.is_applicable(usual)
    assert loss_terms.is_applicable(several)
    assert list_terms(several) == ["count", "cells", "areas"]


def test_what_a_part_is_worth_is_what_is_lost_without_it(several: StudyTables) -> None:
    assert "The winner is worse without term cells and phase late of cells." in verdicts(several)
    assert compute_term_effects(several)["term cells"].mean == pytest.approx(0.3, abs=0.02)


def test_a_harmful_term_is_told(usual: StudyTables) -> None:
    assert "The winner is better without term areas." in verdicts(with_terms(usual, {"term areas": -0.2}))


def test_nothing_is_surely_worth_anything_where_all_is_noise(usual: StudyTables) -> None:
    assert "No part of the loss clearly helps on its own" in verdicts(with_terms(usual, {"term areas": 0.0}))


def test_terms_that_fight_are_named(usual: StudyTables, several: StudyTables) -> None:
    assert "pull against each other" not in verdicts(several)
    assert "count and cells pull against each other." in verdicts(with_terms(usual, cosine=-0.6))


def test_a_term_without_a_say_is_named(several: StudyTables) -> None:
    assert "areas hardly affects training." in verdicts(several)


def test_a_term_whose_weight_is_0_all_the_time_has_no_say(several: StudyTables) -> None:
    silent = several.curves.assign(**{"term.count.coefficient": 0.0, "term.count.gradient": 0.0})
    assert "count and areas hardly affect training." in verdicts(replace(several, curves=silent))


def test_what_would_give_a_silent_term_a_say_is_named_by_its_setting(several: StudyTables) -> None:
    def step(tables: StudyTables) -> str:
        return next(one.next_step for one in loss_terms.build_findings(tables) if "hardly affect" in one.verdict)

    assert "Raise the weight of areas (`loss.terms.areas.weight`), or leave it out." in step(several)
    phases = {"then": {"start": 0.2, "weight": 0.3}, "off": {"start": 0.9, "weight": 0.0}}
    moved = several.params | {"loss": {"terms": {"areas": {"weight": 0.0, "phases": phases}}}}
    assert "(`loss.terms.areas.phases.then.weight`)" in step(replace(several, params=moved))


def test_shares_of_the_pull_sum_to_one(several: StudyTables) -> None:
    shares = compute_gradient_shares(several)
    assert shares[list_terms(several)].sum(axis=1).to_numpy() == pytest.approx(1)


def test_without_a_winner_the_baseline_is_drawn(several: StudyTables) -> None:
    alone = replace(several, trials=several.trials.head(0), runs=pd.DataFrame(), curves=several.curves.head(0))
    assert loss_terms.build_figures(alone)
