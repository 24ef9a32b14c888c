"""Where images are predicted: what is gained over what was given."""

from dataclasses import replace

import pytest

from thalweg.reporting.page.figures import Chart, Gallery
from thalweg.reporting.sections import errors
from thalweg.reporting.sections.errors import restoration
from thalweg.reporting.tables import StudyTables


@pytest.fixture
def restoration_study(studies_by_case: dict[str, StudyTables]) -> StudyTables:
    return studies_by_case["images"]


def test_gain_is_mean_difference_in_decibels(restoration_study: StudyTables) -> None:
    table = restoration_study.predictions.assign(psnr=restoration_study.predictions["given_psnr"] + 3.0)
    gains = restoration.compute_gains(replace(restoration_study, predictions=table))
    assert gains is not None
    _, mean = gains
    assert (mean.mean, mean.n) == pytest.approx((3.0, 12))
    assert mean.low == pytest.approx(3.0)


@pytest.mark.parametrize(("gain", "tone", "word"), [(3.0, "good", "nearer"), (-3.0, "caution", "worse")])
def test_verdict_names_gain_or_loss(restoration_study: StudyTables, gain: float, tone: str, word: str) -> None:
    table = restoration_study.predictions.assign(psnr=restoration_study.predictions["given_psnr"] + gain)
    (finding,) = restoration.build_findings(replace(restoration_study, predictions=table))
    assert finding.tone == tone
    assert word in finding.verdict


def test_gain_within_noise_is_none(restoration_study: StudyTables) -> None:
    up = [1.0 if i // 20 % 2 else -1.0 for i in range(len(restoration_study.predictions))]
    table = restoration_study.predictions.assign(psnr=restoration_study.predictions["given_psnr"] + up)
    (finding,) = restoration.build_findings(replace(restoration_study, predictions=table))
    assert "beyond noise" in finding.verdict


def test_section_shows_gains(restoration_study: StudyTables) -> None:
    gallery, gain, *_ = errors.build_figures(restoration_study)
    assert isinstance(gallery, Gallery)
    assert gallery.is_wide
    assert isinstance(gain, Chart)
    assert len(gain.data["points"]) == len(restoration_study.predictions)
    many = restoration_study.predictions.loc[restoration_study.predictions.index.repeat(10)].reset_index(drop=True)
    (figure,) = restoration.build_figures(replace(restoration_study, predictions=many))
    assert isinstance(figure, Chart)
    assert len(figure.data["points"]) == restoration.MAX_POINTS


def test_nothing_measured_shows_nothing(restoration_study: StudyTables) -> None:
    bare = replace(restoration_study, predictions=restoration_study.predictions.drop(columns="psnr"))
    assert restoration.build_findings(bare) == []
    assert restoration.build_figures(bare) == []
