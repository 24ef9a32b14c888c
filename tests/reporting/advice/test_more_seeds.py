"""How many seeds are advised."""

from dataclasses import replace

import pytest

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.tables import StudyTables


@pytest.mark.parametrize(
    ("confirmed", "raised"), [(8, "Raise `diagnose.seeds`"), (4, "Raise `confirm.seeds` and `diagnose.seeds`")]
)
def test_diagnose_seeds_need_confirm_seeds(counting_study: StudyTables, confirmed: int, raised: str) -> None:
    params = counting_study.params | {"confirm": {"seeds": confirmed}, "diagnose": {"seeds": 4}}
    assert more_seeds.advise_diagnose_seeds(replace(counting_study, params=params)).startswith(raised)


def test_four_times_the_seeds_halve_noise(counting_study: StudyTables) -> None:
    params = counting_study.params | {"study": {"seeds": 3}}
    assert more_seeds.advise_study_seeds(replace(counting_study, params=params)).startswith(
        "Set `study.seeds: 12`: it halves"
    )
