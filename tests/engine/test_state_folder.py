"""The state folder: one holder; a journal that a kill leaves whole; states that come back as they were."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.data.splits import Splits
from thalweg.engine import population, state_folder
from thalweg.engine.results import LaneResult
from thalweg.engine.state_folder import Journal, lock_state_folder
from thalweg.system import files, sealed
from thalweg.training import build
from thalweg.training.plan import TrainingData

HOLD = """
import sys, time
from thalweg.engine import state_folder
with state_folder.lock_state_folder("one"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_lock_refuses_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path.cwd()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(root))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(files.UserError, match="another run of this study is active"),
            lock_state_folder("one"),
        ):
            pass
        with lock_state_folder("two"):
            pass
        other.communicate("")
    with lock_state_folder("one") as folder:
        assert folder.is_dir()


def build_result(epochs: int, ended: bool = False) -> LaneResult:
    return LaneResult({"mae": [0.1, 1 / 3, None]}, epochs, None, ended)


def fill_journal(journal: Journal) -> None:
    journal.record_proposals(0, [{"a": 1 / 3, "b": "l1"}, {"a": 0.5}])
    journal.record_results({(0, 7, 0): build_result(2), (1, 7, 0): build_result(1, ended=True)})
    journal.record_results({(0, 7, 0): build_result(4)})
    journal.record_seconds(1.5)
    journal.record_stop(1, {"reason": "seconds", "limit": 9.0})


def test_journal_round_trip(tmp_path: Path) -> None:
    assert Journal(tmp_path).proposed == {}
    fill_journal(Journal(tmp_path))
    for journal in (Journal(tmp_path), Journal(tmp_path)):
        assert journal.proposed == {0: [{"a": 1 / 3, "b": "l1"}, {"a": 0.5}]}
        assert journal.stops == [(1, {"reason": "seconds", "limit": 9.0})]
        assert journal.seconds == 1.5
        assert journal.find_result((0, 7, 0), 4) == build_result(4)
        assert journal.find_result((0, 7, 0), 5) is None
        assert journal.find_result((1, 7, 0), 5) == build_result(1, ended=True)
        assert journal.find_result((1, 8, 0), 1) is None


def test_truncated_journal_keeps_whole_lines(tmp_path: Path) -> None:
    fill_journal(Journal(tmp_path))
    file = tmp_path / "journal.jsonl"
    content = file.read_bytes()
    lines = content.count(b"\n")
    for end in range(0, len(content), 7):
        file.write_bytes(content[:end])
        whole_lines = content[:end].count(b"\n")
        Journal(tmp_path).record_seconds(2.5)
        assert len(sealed.read_sealed_lines(file)) == whole_lines + 1 <= lines
        assert Journal(tmp_path).seconds == 2.5


def test_corrupt_journal_lines_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Journal(tmp_path).record_seconds(2.5)
    file = tmp_path / "journal.jsonl"
    file.write_bytes(b'{"cohort": 0\n{"seconds": 9.0}\n[]\n{"lane": [3, 1, 0]}\n\0\n' + file.read_bytes() * 2)
    assert Journal(tmp_path).seconds == 2.5
    assert capsys.readouterr().err == (
        f"{file}:1,2,3,4,5 and 1 more: changed, cut or moved after it was written; left out, and made anew\n"
    )
    assert Journal(tmp_path).seconds == 2.5
    assert capsys.readouterr().err == ""


def test_journal_knows_what_has_begun(tmp_path: Path) -> None:
    """Cohorts of two trials; entries of some cohorts are lost."""
    journal = Journal(tmp_path)
    assert not journal.has_begun(0, 0)
    journal.record_proposals(1, [{"a": 1.0}, {"a": 2.0}])
    assert [journal.has_begun(cohort, cohort * 2) for cohort in range(3)] == [True, True, False]
    journal.record_results({(5, 7, 0): build_result(2)})
    assert [journal.has_begun(cohort, cohort * 2) for cohort in range(4)] == [True, True, True, False]
    journal.record_stop(5, {"reason": "seconds", "limit": 9.0})
    assert [journal.has_begun(cohort, cohort * 2) for cohort in (3, 4, 5)] == [True, True, False]


def are_equal_arrays(first: Any, second: Any) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


def test_snapshot_round_trip(
    config: Config,
    data_spec: DataSpec,
    splits: Splits,
    compose_data: Callable[[Config, Splits], TrainingData],
    tmp_path: Path,
) -> None:
    data = compose_data(config, splits)
    configs = [config, config.replace_values({"optimizer": {"kind": "adam", "learning_rate": 0.01}})]
    plans = [build.build_plan(config, data_spec, data, searched=True) for config in configs]
    hypers = [build.build_hyper(config) for config in configs]
    lanes = {
        (trial, seed, 0): (plans[index], population.init_lane(plans[index], hypers[index], seed, 0))
        for trial, index in enumerate([0, 1, 0])
        for seed in (1, 2**31 - 1)
    }
    moved = replace(lanes[2, 1, 0][1], step=jnp.int32(17))
    lanes[2, 1, 0] = (plans[0], moved)
    state_folder.write_snapshot(tmp_path, lanes)
    snapshot = state_folder.read_snapshot(tmp_path)
    assert snapshot.keys() == lanes.keys()
    for key, (_, state) in lanes.items():
        assert are_equal_arrays(snapshot[key], jax.tree.leaves(state))
    assert state_folder.read_snapshot(tmp_path / "none") == {}
    state_folder.write_snapshot(tmp_path, {})
    assert state_folder.read_snapshot(tmp_path) == {}


WRITE = """
from pathlib import Path
from thalweg.engine.state_folder import Journal
from thalweg.engine.results import LaneResult
journal = Journal(Path("."))
for turn in range(10**9):
    journal.record_results({(turn, 0, 0): LaneResult({"mae": [turn] * 20_000}, 1, None, True)})
    if turn == 0:
        print("written", flush=True)
"""


def test_killed_writer_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        [sys.executable, "-c", WRITE], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        assert (tmp_path / "journal.jsonl").read_bytes()
        writer.kill()
    monkeypatch.chdir(tmp_path)
    lines = sealed.read_sealed_lines(Path("journal.jsonl"))
    assert [record["lane"][0] for record in lines] == list(range(len(lines)))
    assert all(len(record["curves"]["mae"]) == 20_000 for record in lines)


def test_partial_writes_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with lock_state_folder("one") as folder:
        files.write_json(folder / "kept.json", 1)
        (folder / ".snapshot.npz.ab3_de9x").write_bytes(b"half")
    with lock_state_folder("one") as folder:
        assert sorted(file.name for file in folder.iterdir()) == ["kept.json", "lock"]
