"""How many seeds are advised."""

from dataclasses import replace

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.tables import StudyTables


def test_four_times_the_seeds_halve_noise(counting_study: StudyTables) -> None:
    params = counting_study.params | {"study": {"seeds": 3}}
    assert more_seeds.advise_study_seeds(replace(counting_study, params=params)).startswith(
        "Set `study.seeds: 12`: it halves"
    )
