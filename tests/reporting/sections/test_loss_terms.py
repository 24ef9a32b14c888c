"""What the report says of a loss of several terms whose say and worth are known."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.helpers.terrain import with_terms
from tests.helpers.verdicts import list_verdicts
from thalweg.reporting.analysis.loss_terms import compute_gradient_shares, compute_term_effects, list_terms
from thalweg.reporting.sections import loss_terms
from thalweg.reporting.tables import StudyTables


@pytest.fixture(scope="module")
def several_terms_study(counting_study: StudyTables) -> StudyTables:
    return with_terms(counting_study)


def join_verdicts(tables: StudyTables) -> str:
    return " ".join(list_verdicts(loss_terms, tables))


def test_single_term_has_no_section(counting_study: StudyTables, several_terms_study: StudyTables) -> None:
    assert not loss_terms.is_applicable(counting_study)
    assert loss_terms.is_applicable(several_terms_study)
    assert list_terms(several_terms_study) == ["count", "cells", "areas"]


def test_term_worth_is_loss_without_it(several_terms_study: StudyTables) -> None:
    assert "The winner needs each of these parts of the loss: term cells and phase `late` of cells." in join_verdicts(
        several_terms_study
    )
    assert compute_term_effects(several_terms_study)["term cells"].mean == pytest.approx(0.3, abs=0.02)


def test_phase_equal_to_its_term_is_left_out(several_terms_study: StudyTables) -> None:
    less = several_terms_study.ablations
    phase, name = less[less["what"] == "term cells"].copy(), "phase late of cells"
    ablations = pd.concat([less[less["what"] != name], phase.assign(what=name)], ignore_index=True)
    effects = compute_term_effects(replace(several_terms_study, ablations=ablations))
    assert "term cells" in effects
    assert name not in effects


def test_harmful_term_is_reported(counting_study: StudyTables) -> None:
    harmful = with_terms(counting_study, {"term areas": -0.2})
    assert "The winner is better without term areas." in join_verdicts(harmful)
    assert "areas hardly affect" not in join_verdicts(harmful)


def test_harmful_part_without_weight_is_left_out(counting_study: StudyTables) -> None:
    harmful = with_terms(counting_study, {"term areas": -0.2, "balance": -0.2})
    steps = [finding.next_step for finding in loss_terms.build_findings(harmful)]
    assert "Lower the weight of term areas, or search it down to 0. Leave out balance." in steps


def test_noise_hides_term_worth(counting_study: StudyTables) -> None:
    assert "It is unclear whether any part of the loss helps" in join_verdicts(
        with_terms(counting_study, {"term areas": 0.0})
    )


def test_conflicting_terms_are_named(counting_study: StudyTables, several_terms_study: StudyTables) -> None:
    assert "pull against each other" not in join_verdicts(several_terms_study)
    (finding,) = [
        finding
        for finding in loss_terms.build_findings(with_terms(counting_study, cosine=-0.6))
        if finding.verdict == "count and cells pull against each other."
    ]
    assert finding.evidence == (
        "Mean cosine between their gradients over training: −0.60 for count and cells. All other pairs have 0.5 or "
        "more."
    )


def test_weak_term_is_named(several_terms_study: StudyTables) -> None:
    assert "areas hardly affects training." in join_verdicts(several_terms_study)


def test_zero_weight_terms_are_weak(several_terms_study: StudyTables) -> None:
    silent = several_terms_study.curves.assign(**{"term.count.coefficient": 0.0, "term.count.gradient": 0.0})
    assert "count and areas hardly affect training." in join_verdicts(replace(several_terms_study, curves=silent))


def test_weak_term_names_its_setting(several_terms_study: StudyTables) -> None:
    def step(tables: StudyTables) -> str:
        return next(
            finding.next_step for finding in loss_terms.build_findings(tables) if "hardly affect" in finding.verdict
        )

    assert "Raise the weight of areas (`loss.terms.areas.weight`), or leave it out." in step(several_terms_study)
    phases = {"then": {"start": 0.2, "weight": 0.3}, "off": {"start": 0.9, "weight": 0.0}}
    moved = several_terms_study.params | {"loss": {"terms": {"areas": {"weight": 0.0, "phases": phases}}}}
    assert "(`loss.terms.areas.phases.then.weight`)" in step(replace(several_terms_study, params=moved))


def test_pull_shares_sum_to_one(several_terms_study: StudyTables) -> None:
    shares = compute_gradient_shares(several_terms_study)
    assert shares[list_terms(several_terms_study)].sum(axis=1).to_numpy() == pytest.approx(1)


def test_baseline_is_drawn_without_winner(several_terms_study: StudyTables) -> None:
    alone = replace(
        several_terms_study,
        trials=several_terms_study.trials.head(0),
        runs=pd.DataFrame(),
        curves=several_terms_study.curves.head(0),
    )
    assert loss_terms.build_figures(alone)
