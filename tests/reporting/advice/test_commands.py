"""Steps as lines to paste."""

from dataclasses import replace

import pytest

from thalweg.reporting.advice.commands import find_commands
from thalweg.reporting.advice.search_space import advise_search
from thalweg.reporting.tables import StudyTables

IN_PLACE = "# in params.yaml, in place of `space:` and the lines below it, then `thalweg run`"
LOSS = {"loss": {"terms": {"count": {"kind": "huber", "delta": 2.0}}}}
IN_PARAMS = "# in params.yaml, then `thalweg run`"


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        ("Continue the search: `thalweg study --trials 96`.", ["thalweg study --trials 96"]),
        ("Make it the baseline: `cp a/winner.yaml params.yaml`.", ["cp a/winner.yaml params.yaml", "thalweg run"]),
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


def test_space_says_where_it_goes(counting_study: StudyTables) -> None:
    tables = replace(counting_study, params=LOSS | {"optimizer": {"learning_rate": 5.0, "momentum": 0.5}})
    lines = find_commands(tables, advise_search(tables))
    notes = [line for line in lines if line.startswith("# ")]
    assert lines[0] == IN_PLACE
    assert any(line.endswith("`, too: this space leaves out `optimizer.learning_rate: 5.0`") for line in notes)
    assert not any("momentum" in line for line in notes)
    assert lines[len(notes)] == "  space:"
