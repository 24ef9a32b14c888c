"""Contests of real commands: they stop early, never run twice, and do not depend on the number of jobs."""

import json
from pathlib import Path

import numpy as np
import pytest

from thalweg.duel.contest import Pair, Question, compute_differences, judge_runs, list_runs, run_contest
from thalweg.duel.ledger import read_ledger
from thalweg.duel.runs import Run, RunOptions
from thalweg.duel.side import Side, build_side
from thalweg.stats.sequential import ALPHA, PairedResult
from thalweg.system.files import UserError

SEEDS = list(range(1, 13))
SCRIPT = """
import json, random, sys
name, seed, gain = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
open("runs", "a").write(f"{name}{seed} ")
print(json.dumps({"loss": 1 + random.Random(seed).random() - gain + 0.01 * random.Random(name + str(seed)).random()}))
"""


def question(**changes: object) -> Question:
    return Question(**{"metric": "loss", "minimize": True, "smallest": None, "seeds": SEEDS, "alpha": ALPHA} | changes)  # type: ignore[arg-type]


def pair(a: float | None, b: float | None) -> Pair:
    runs = [
        Run("k", 1, {} if value is None else {"loss": value}, "failed" if value is None else "") for value in (a, b)
    ]
    return Pair(*runs)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def compete(gain: float, jobs: int = 1, **changes: object) -> tuple[list[Pair], PairedResult]:
    a, b = (build_side(name, f"python train.py {name} {{seed}} {g}", "tree", []) for name, g in (("A", 0), ("B", gain)))
    ledger = read_ledger(Path("ledger"))
    return run_contest(question(**changes), (a, b), ledger, RunOptions(), jobs, lambda *_: None)


def test_first_of_a_pair_alternates() -> None:
    a, b = (Side(name, name, name, "tree", {}) for name in "AB")
    order = [(side.name, seed) for side, seed in list_runs(a, b, [1, 2, 3])]
    assert order == [("A", 1), ("B", 1), ("B", 2), ("A", 2), ("A", 3), ("B", 3)]


def test_clear_difference_stops_after_five_pairs(folder: Path) -> None:
    pairs, result = compete(0.5)
    assert (result.verdict, result.pairs, len(pairs)) == ("lower", 5, 5)
    assert (folder / "runs").read_text().split() == ["A1", "B1", "B2", "A2", "A3", "B3", "B4", "A4", "A5", "B5"]
    again = compete(0.5)
    assert again == (pairs, result)
    assert len((folder / "runs").read_text().split()) == 10, "nothing runs twice"


def test_jobs_change_nothing(folder: Path) -> None:
    _, one = compete(0.5)
    (folder / "ledger").unlink()
    pairs, three = compete(0.5, jobs=3)
    assert three == one
    assert [each.a.seed for each in pairs] == SEEDS[:5]


@pytest.mark.usefixtures("folder")
def test_equal_programs_stay_open() -> None:
    pairs, result = compete(0.0)
    assert (result.verdict, len(pairs)) == ("open", 12)
    _, same = compete(0.0, smallest=0.1)
    assert same.verdict == "same"


def test_mistakes_end_at_once(folder: Path) -> None:
    with pytest.raises(UserError, match="A with seed 1 has no 'acc'; it has loss"):
        compete(0.1, metric="acc")
    (folder / "ledger").unlink()
    (folder / "train.py").write_text("raise SystemExit('no data')")
    with pytest.raises(UserError, match="A has failed in all of its 3 runs: exit code 1: no data\nCorrect"):
        compete(0.1)
    assert len(read_ledger(Path("ledger")).runs) <= 6
    (folder / "ledger").unlink()
    (folder / "train.py").write_text("import sys; print('{\"loss\": %s}' % sys.argv[3])")
    with pytest.raises(UserError, match=r"A 0 and B 0\.1 with every seed: the seed changes nothing"):
        compete(0.1)


@pytest.mark.parametrize("minimize", [True, False])
def test_failed_run_counts_as_worst(minimize: bool) -> None:
    pairs = [pair(1.0, None), pair(3.0, 2.0), pair(None, 2.0), pair(None, None)]
    worst = 5.0 if minimize else -1.0  # the range, 2, beyond the worst value
    expected = [worst - 1, -1.0, 2 - worst, 0.0]
    assert compute_differences(question(minimize=minimize), pairs) == pytest.approx(expected)


@pytest.mark.parametrize("minimize", [True, False])
def test_program_that_always_fails_is_worse(minimize: bool) -> None:
    draw = np.random.default_rng(0)
    for values in (draw.standard_normal(5), np.ones(5)):
        result = judge_runs(question(minimize=minimize), [pair(value, None) for value in values])
        assert result.verdict == ("higher" if minimize else "lower")
    assert judge_runs(question(), [pair(None, None)] * 12).verdict == "open"


def test_ledger_is_text(folder: Path) -> None:
    compete(0.5)
    first = json.loads((folder / "ledger").read_text().splitlines()[0])
    assert first["run"]["seed"] == 1
    assert first["run"]["metrics"].keys() == {"loss"}
