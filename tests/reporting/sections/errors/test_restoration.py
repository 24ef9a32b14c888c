"""Where images are predicted: what is gained over what was given."""

from dataclasses import replace

import pytest

from thalweg.reporting.page.figures import Chart, Gallery
from thalweg.reporting.sections import errors
from thalweg.reporting.sections.errors import restoration
from thalweg.reporting.tables import StudyTables


@pytest.fixture
def images(studies_by_case: dict[str, StudyTables]) -> StudyTables:
    return studies_by_case["images"]


def test_gain_is_mean_difference_in_decibels(images: StudyTables) -> None:
    table = images.predictions.assign(psnr=images.predictions["given_psnr"] + 3.0)
    found = restoration.compute_gains(replace(images, predictions=table))
    assert found is not None
    _, mean = found
    assert (mean.mean, mean.n) == pytest.approx((3.0, 12))
    assert mean.low == pytest.approx(3.0)


@pytest.mark.parametrize(("gain", "tone", "word"), [(3.0, "good", "nearer"), (-3.0, "caution", "worse")])
def test_verdict_names_gain_or_loss(images: StudyTables, gain: float, tone: str, word: str) -> None:
    table = images.predictions.assign(psnr=images.predictions["given_psnr"] + gain)
    (finding,) = restoration.build_findings(replace(images, predictions=table))
    assert finding.tone == tone
    assert word in finding.verdict


def test_gain_within_noise_is_none(images: StudyTables) -> None:
    up = [1.0 if i // 20 % 2 else -1.0 for i in range(len(images.predictions))]
    table = images.predictions.assign(psnr=images.predictions["given_psnr"] + up)
    (finding,) = restoration.build_findings(replace(images, predictions=table))
    assert "beyond noise" in finding.verdict


def test_section_shows_gains(images: StudyTables) -> None:
    gallery, gain, *_ = errors.build_figures(images)
    assert isinstance(gallery, Gallery)
    assert gallery.is_wide
    assert isinstance(gain, Chart)
    assert len(gain.data["points"]) == len(images.predictions)
    many = images.predictions.loc[images.predictions.index.repeat(10)].reset_index(drop=True)
    (drawn,) = restoration.build_figures(replace(images, predictions=many))
    assert isinstance(drawn, Chart)
    assert len(drawn.data["points"]) == restoration.MAX_POINTS


def test_nothing_measured_shows_nothing(images: StudyTables) -> None:
    bare = replace(images, predictions=images.predictions.drop(columns="psnr"))
    assert restoration.build_findings(bare) == []
    assert restoration.build_figures(bare) == []
