"""How many epochs are advised: in one way, whatever several sections find."""

from dataclasses import replace
from typing import Any

import pytest

from tests.helpers import planted_studies as planted
from tests.helpers.planted_causes import PLANTED
from thalweg.reporting.advice import epochs
from thalweg.reporting.sections import curves, health
from thalweg.reporting.tables import StudyTables

LONG, SHORT = (PLANTED[f"training too {way}"].world for way in ("long", "short"))


def set_winner_best_epochs(tables: StudyTables, *best: int) -> StudyTables:
    """The winner was at its best at these epochs, one a fresh seed."""
    is_winner = tables.runs["candidate"] == "winner"
    return replace(tables, runs=tables.runs[is_winner].head(len(best)).assign(best_epoch=best))


def test_winner_decides_training_length() -> None:
    tables = planted.draw_study(LONG, 0)
    assert epochs.choose_length_change(set_winner_best_epochs(tables, *[3] * 8)) == "fewer"
    late = set_winner_best_epochs(tables, *[20] * 8)
    assert epochs.choose_length_change(late) == "try"
    assert [finding.next_step for finding in health.build_findings(late) if "first tenth" in finding.verdict] == [""]
    assert epochs.advise_regularization(late).startswith("Regularize: ")
    assert (
        epochs.choose_length_change(set_winner_best_epochs(tables, *[16] * 8)) == "fewer"
    )  # long enough: then most trials decide


def test_most_trials_gaining_means_more_epochs() -> None:
    tables = planted.draw_study(SHORT, 0)
    assert epochs.choose_length_change(set_winner_best_epochs(tables, *[16] * 3, *[13] * 5)) == "more"


def test_fewer_epochs_keep_every_best() -> None:
    tables = set_winner_best_epochs(planted.draw_study(LONG, 0), 3, 3, 3, 3, 3, 3, 3, 9)
    (finding,) = curves.build_findings(tables)
    assert finding.next_step.startswith("Train for fewer epochs (`training.epochs: 9`), or regularize: more images, ")
    far = set_winner_best_epochs(tables, 3, 3, 3, 3, 3, 3, 3, 20)
    assert [finding.next_step for finding in curves.build_findings(far)] == [""]  # of the winner itself nothing says so
    (step,) = (finding.next_step for finding in health.build_findings(far) if "first tenth" in finding.verdict)
    assert step.startswith("Train for fewer epochs (`training.epochs`), or")


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ({"training": {"validate_every": 5}}, 10),
        ({"study": {"prune": {"first": 10}}}, 11),
        ({"study": {"prune": {"first": 9}}, "training": {"validate_every": 2}}, 10),
        ({"schedule": {"warmup": 9.5}}, 10),
    ],
)
def test_fewer_epochs_are_valid_in_file(part: dict[str, dict[str, Any]], wanted: int) -> None:
    tables = set_winner_best_epochs(planted.draw_study(LONG, 0), 3, 3, 3, 3, 3, 3, 3, 9)
    params = tables.params | {name: tables.params.get(name, {}) | more for name, more in part.items()}
    (finding,) = curves.build_findings(replace(tables, params=params))
    assert f"`training.epochs: {wanted}`" in finding.next_step


def test_harmful_regularization_is_not_advised(counting_study: StudyTables) -> None:
    worse = counting_study.ablations["validation_mae"].where(counting_study.ablations["what"] != "augmentation", 0.1)
    tables = replace(counting_study, ablations=counting_study.ablations.assign(validation_mae=worse))
    assert "augmentation" in epochs.advise_regularization(counting_study)
    assert "augmentation" not in epochs.advise_regularization(tables)


def test_confirm_epochs_are_advised_separately() -> None:
    tables = set_winner_best_epochs(planted.draw_study(LONG, 0), *[40] * 8)
    longer = replace(tables, params=tables.params | {"confirm": {"epochs": 40}})
    assert (epochs.choose_length_change(longer), epochs.choose_length_change(longer, "confirm.epochs")) == (
        "fewer",
        "try",
    )
    assert curves.build_findings(longer)[0].next_step.startswith("Try more than 40 epochs (`confirm.epochs`)")
