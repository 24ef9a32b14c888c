"""The ledger keeps every run and verdict, and says which line is broken."""

from dataclasses import replace
from pathlib import Path

import pytest

from thalweg.duel.ledger import Outcome, add_record, choose_alpha, find_settled, read_ledger
from thalweg.duel.runs import Run
from thalweg.stats.sequential import ALPHA
from thalweg.system.files import UserError

OUTCOME = Outcome(
    "2026-01-02", "a", "b", "train", "train --wide", "tree", "loss", True, None, list(range(5, 17)), ALPHA, "open", 12,
    -0.01, -0.1, 0.08,
)  # fmt: skip
LONGER = replace(OUTCOME, seeds=list(range(5, 29)))


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "compare.jsonl"
    assert read_ledger(path).runs == ()
    runs = [Run("a", 5, {"loss": 0.5}, "", 1.5), Run("a", 6, {}, "exit code 1", 0.1), Run("a", 6, {"loss": 0.4})]
    for run in runs:
        add_record(path, run)
    add_record(path, OUTCOME)
    ledger = read_ledger(path)
    assert ledger.runs == tuple(runs)
    assert ledger.outcomes == (OUTCOME,)
    assert ledger.find_run("a", 6) == runs[2]
    assert ledger.find_run("b", 6) is None


@pytest.mark.parametrize(
    "line", ["no JSON", "[]", "{}", '{"run": {"seed": 1}}', '{"other": {}}', '{"run": 1, "verdict": 2}']
)
def test_broken_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "compare.jsonl"
    add_record(path, OUTCOME)
    path.write_text(f"{path.read_text()}\n{line}\n")
    with pytest.raises(UserError, match=r"compare\.jsonl:3: is no run or verdict of a comparison"):
        read_ledger(path)


def test_extensions_share_the_error() -> None:
    assert choose_alpha([], OUTCOME) == ALPHA
    assert choose_alpha([OUTCOME], OUTCOME) == ALPHA
    assert choose_alpha([OUTCOME], LONGER) == ALPHA / 2
    assert choose_alpha([OUTCOME, LONGER, LONGER], replace(LONGER, seeds=list(range(5, 60)))) == ALPHA / 4
    others = [
        replace(OUTCOME, metric="acc"),
        replace(OUTCOME, smallest=0.1),
        replace(OUTCOME, seeds=list(range(20, 32))),
    ]
    assert choose_alpha(others, LONGER) == ALPHA


def test_settled_question_stays_settled(tmp_path: Path) -> None:
    ledger = replace(read_ledger(tmp_path / "none"), outcomes=(OUTCOME, replace(OUTCOME, verdict="lower")))
    assert find_settled(ledger, LONGER) == replace(OUTCOME, verdict="lower")
    assert find_settled(ledger, replace(LONGER, seeds=list(range(100, 120)))) is None
    assert find_settled(replace(ledger, outcomes=(OUTCOME,)), LONGER) is None
