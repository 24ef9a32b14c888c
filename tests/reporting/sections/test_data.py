"""What more images and augmentation are worth, from values that are known."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.verdicts import list_verdicts
from thalweg.reporting.analysis.ablation_effects import compute_effects, count_equal_images
from thalweg.reporting.page.figures import Chart, EmptyFigure
from thalweg.reporting.sections import data
from thalweg.reporting.tables import StudyTables

SEEDS = 6
SPREAD = np.linspace(-0.01, 0.01, SEEDS)


def with_ablations(counting_study: StudyTables, without: float | None, *sizes: tuple[int, float]) -> StudyTables:
    """The study with these (images, value), the last of them all images, and a value without augmentation."""
    every = sizes[-1][0]
    rows = [("images", images / every, images, value) for images, value in sizes]
    rows += [] if without is None else [("augmentation", 1.0, every, without)]
    parts = [
        pd.DataFrame({"what": what, "share": share, "images": float(images), "seed": range(SEEDS), "best_epoch": 9.0,
                      "diverged_step": np.nan, "validation_mae": value + (SPREAD if i % 2 else SPREAD[::-1])})
        for i, (what, share, images, value) in enumerate(rows)
    ]  # fmt: skip
    return replace(counting_study, ablations=pd.concat(parts, ignore_index=True))


def test_image_gain_is_extrapolated(counting_study: StudyTables) -> None:
    tables = with_ablations(counting_study, None, (250, 1.4), (500, 1.2), (1000, 1.1))
    (finding,) = data.build_findings(tables)
    assert finding.verdict == "More images would help."
    assert "With 500 of the 1,000 images" in finding.evidence
    folds = replace(tables, params=tables.params | {"data": {"split": {"by": "folds"}}})
    assert "With 500 of the 1,000 training images of a fold," in data.build_findings(folds)[0].evidence
    assert "is 0.100 worse (" in finding.evidence
    # gains of 0.2 and 0.1: the next doubling's is half of that again
    assert (
        "From 250 to 500 images mean absolute error improved by 0.2, from 500 to 1,000 by 0.1. If gains continue like "
        "this, 2 times as many gain about 0.05." in finding.next_step
    )


def test_interval_names_its_sides(counting_study: StudyTables) -> None:
    (finding,) = data.build_findings(with_ablations(counting_study, None, (500, 1.11), (1000, 1.1)))
    assert re.search(r"is 0\.0\d+ worse \(0\.\d+ better to 0\.\d+ worse\), over", finding.evidence)
    (finding,) = data.build_findings(with_ablations(counting_study, None, (500, 1.09), (1000, 1.1)))
    assert re.search(r"is 0\.0\d+ better \(0\.\d+ worse to 0\.\d+ better\), over", finding.evidence)


def test_runs_with_all_images_chose_no_winner(counting_study: StudyTables) -> None:
    tables = with_ablations(counting_study, 1.3, (500, 1.2), (1000, 1.1))
    for finding in data.build_findings(tables):
        assert "too good" not in finding.evidence
        assert "Both train the winner's settings from fresh weights" in finding.evidence
    assert "each seed draws its own images" in data.build_findings(tables)[0].evidence
    assert "The intervals hold for 2 differences at once" in data.build_findings(tables)[0].evidence
    (figure,) = data.build_figures(tables)
    assert isinstance(figure, Chart)
    assert "No seed had a part in choosing the winner." in figure.caption


def test_irregular_gains_predict_nothing(counting_study: StudyTables) -> None:
    grew = data.build_findings(with_ablations(counting_study, None, (250, 1.25), (500, 1.2), (1000, 1.1)))[0]
    assert "gain about 0.1." in grew.next_step  # never more than the last
    unlike = data.build_findings(with_ablations(counting_study, None, (100, 1.4), (500, 1.2), (1000, 1.1)))[0]
    assert "If gains continue" not in unlike.next_step


def test_difference_within_noise_is_unclear(counting_study: StudyTables) -> None:
    tables = with_ablations(counting_study, 1.0, (500, 1.001), (1000, 1.0))
    images, augmentation = list_verdicts(data, tables)
    verdict = r"It is unclear whether more images would help: from [\d,]+ to [\d,]+ of them gained ([\d.]+) at most\."
    (most,) = re.findall(verdict, images)
    assert float(most) == pytest.approx(compute_effects(tables)["images"].high, rel=0.05)
    assert augmentation == "It is unclear whether augmentation helps."


def test_images_or_augmentation_harm(counting_study: StudyTables) -> None:
    assert list_verdicts(data, with_ablations(counting_study, 0.8, (500, 0.9), (1000, 1.0))) == [
        "The winner is better with fewer images.",
        "The winner is better without augmentation.",
    ]


@pytest.mark.parametrize(
    ("without", "images", "verdict"),
    [
        (1.2, 500, "Augmentation is worth 2 times the images."),
        (1.1 + 0.05, 1000 / np.sqrt(2), "Augmentation is worth 41 % more images."),
        (1.6, 250, "Augmentation is worth at least 4 times the images."),
    ],
)
def test_augmentation_is_worth_images(counting_study: StudyTables, without: float, images: float, verdict: str) -> None:
    tables = with_ablations(counting_study, without, (250, 1.4), (500, 1.2), (1000, 1.1))
    assert count_equal_images(tables, without)[0] == pytest.approx(images, rel=1e-6)
    assert list_verdicts(data, tables)[1] == verdict


def test_verdicts_agree_if_maximized(counting_study: StudyTables) -> None:
    tables = with_ablations(counting_study, 0.8, (250, 0.6), (500, 0.8), (1000, 0.9))
    verdicts = list_verdicts(data, replace(tables, direction="max"))
    assert verdicts == ["More images would help.", "Augmentation is worth 2 times the images."]


def test_diverged_seeds_give_no_findings(counting_study: StudyTables) -> None:
    tables = with_ablations(counting_study, None, (500, 1.2), (1000, 1.1))
    diverged = tables.ablations.assign(diverged_step=np.where(tables.ablations["share"] < 1, 3.0, np.nan))
    figure = data.build_figures(replace(tables, ablations=diverged))[0]
    assert isinstance(figure, EmptyFigure)
    assert list_verdicts(data, replace(tables, ablations=diverged)) == []


def test_one_seed_is_only_drawn(counting_study: StudyTables) -> None:
    tables = with_ablations(counting_study, 1.3, (500, 1.2), (1000, 1.1))
    single = replace(tables, ablations=tables.ablations[tables.ablations["seed"] == 0])
    assert list_verdicts(data, single) == []
    assert isinstance(data.build_figures(single)[0], Chart)


@pytest.mark.slow
def test_data_gain_false_positive_rate(counting_study: StudyTables) -> None:
    """Of 400 studies without any effect, at most 5 % say that more images help or harm, within 3 standard errors."""
    draw, false_positives = np.random.default_rng(1), 0
    tables = with_ablations(counting_study, None, (500, 1.0), (1000, 1.0))
    for _ in range(400):
        noisy = tables.ablations.assign(validation_mae=1 + draw.normal(0, 0.03, len(tables.ablations)))
        (finding,) = data._report_image_gain(replace(tables, ablations=noisy))
        false_positives += not finding.verdict.startswith("It is unclear whether more images would help: ")
    assert false_positives / 400 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
