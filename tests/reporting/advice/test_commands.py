"""Steps as lines to paste."""

import pytest

from thalweg.reporting.advice.commands import find_commands
from thalweg.reporting.advice.search_space import advise_search
from thalweg.reporting.tables import StudyTables

IN_PARAMS = "# in params.yaml, then `thalweg run`"


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        ("Continue the search: `thalweg study --trials 96`.", ["thalweg study --trials 96"]),
        ("Make it the baseline: `cp a/winner.yaml params.yaml`.", ["cp a/winner.yaml params.yaml"]),
        ("Set `study.seeds: 4`: it halves the noise.", [IN_PARAMS, "study:", "  seeds: 4"]),
        ("Stop: `study.prune: {first: 4, eta: 2}`.", [IN_PARAMS, "study:", "  prune: {first: 4, eta: 2}"]),
        (
            "Set `study.seeds: 4`, `data.split.test: 0.3` and `study.trials: 64`.",
            [IN_PARAMS, "data:", "  split:", "    test: 0.3", "study:", "  seeds: 4", "  trials: 64"],
        ),
        ("Keep the baseline. `thalweg predict` still uses the winner.", []),
        ("Raise `diagnose.seeds` to detect smaller effects.", []),
    ],
)
def test_step_has_commands(counting_study: StudyTables, step: str, lines: list[str]) -> None:
    assert find_commands(counting_study, step) == lines


def test_space_is_yaml(counting_study: StudyTables) -> None:
    lines = find_commands(counting_study, advise_search(counting_study))
    assert lines[:2] == ["study:", "  space:"]
