"""How many seeds are advised."""

from dataclasses import replace

import pytest

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.tables import StudyTables


@pytest.mark.parametrize(
    ("confirmed", "raised"), [(8, "Raise `diagnose.seeds`"), (4, "Raise `confirm.seeds` and `diagnose.seeds`")]
)
def test_diagnose_seeds_need_confirm_seeds(usual: StudyTables, confirmed: int, raised: str) -> None:
    params = usual.params | {"confirm": {"seeds": confirmed}, "diagnose": {"seeds": 4}}
    assert more_seeds.advise_diagnose_seeds(replace(usual, params=params)).startswith(raised)


def test_four_times_the_seeds_halve_noise(usual: StudyTables) -> None:
    params = usual.params | {"study": {"seeds": 3}}
    assert more_seeds.advise_study_seeds(replace(usual, params=params)).startswith("Set `study.seeds: 12`: it halves")
