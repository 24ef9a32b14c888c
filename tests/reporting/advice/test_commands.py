"""Steps as lines to paste."""

from dataclasses import replace

import pytest

from thalweg.reporting.advice.commands import format_commands
from thalweg.reporting.advice.search_space import advise_search
from thalweg.reporting.finding import Step
from thalweg.reporting.tables import StudyTables

IN_PLACE = "# in params.yaml, in place of `space:` and the lines below it, then `thalweg run`"
LOSS = {"loss": {"terms": {"count": {"kind": "huber", "delta": 2.0}}}}
IN_PARAMS = "# in params.yaml, then `thalweg run`"


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        (
            Step("", commands=["cp a/winner.yaml params.yaml", "thalweg run"]),
            ["cp a/winner.yaml params.yaml", "thalweg run"],
        ),
        (Step("", {"study.seeds": 4}), [IN_PARAMS, "study:", "  seeds: 4"]),
        (Step("", {"study.prune": {"first": 4, "eta": 2}}), [IN_PARAMS, "study:", "  prune: {first: 4, eta: 2}"]),
        (
            Step("", {"study.prune": None, "confirm.questions": True}),
            [IN_PARAMS, "confirm:", "  questions: true", "study:", "  prune: null"],
        ),
        (
            Step("", {"study.seeds": 4, "data.split.test": 0.3, "study.trials": 64}),
            [IN_PARAMS, "data:", "  split:", "    test: 0.3", "study:", "  seeds: 4", "  trials: 64"],
        ),
        (Step("Keep the baseline. `thalweg predict` still uses the winner."), []),
        (Step("Keep `study.prune: null`."), []),
    ],
)
def test_step_has_commands(counting_study: StudyTables, step: Step, lines: list[str]) -> None:
    assert format_commands(counting_study, step) == lines


def test_space_says_where_it_goes(counting_study: StudyTables) -> None:
    tables = replace(counting_study, params=LOSS | {"optimizer": {"learning_rate": 5.0, "momentum": 0.5}})
    lines = format_commands(tables, advise_search(tables))
    notes = [line for line in lines if line.startswith("# ")]
    assert lines[0] == IN_PLACE
    assert any(line.endswith("`, too: this space leaves out `optimizer.learning_rate: 5.0`") for line in notes)
    assert not any("momentum" in line for line in notes)
    assert lines[len(notes)] == "  space:"
