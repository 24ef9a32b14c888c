"""The state folder: one holder, whole files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import io
from pipeline.search import storage

HOLD = """
import sys, time
from pipeline.search import storage
with storage.locked("one"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path.cwd()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(root))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(io.UserError, match="another run of this study is at work"), storage.locked("one"):
            pass
        with storage.locked("two"):
            pass
        other.communicate("")
    with storage.locked("one") as folder:
        assert folder.is_dir()


def test_a_lane_is_named_by_what_it_trained_with() -> None:
    values = {"a": 0.1, "b": "l1"}
    name = storage.lane_name(values, 3, 0)
    assert name == storage.lane_name(dict(reversed(values.items())), 3, 0)
    others = {storage.lane_name({"a": 0.1}, 3, 0), storage.lane_name(values, 4, 0), storage.lane_name(values, 3, 1)}
    assert name not in others
    assert len(others) == 3


def test_what_is_written_is_read_and_the_rest_is_none(tmp_path: Path) -> None:
    assert storage.read_lane(tmp_path, "x") is None
    assert storage.read_decision(tmp_path, 2) is None
    result = {"curves": {"mae": [0.1, 1 / 3, None]}, "epochs": 2, "bad_step": None}
    storage.write_lane(tmp_path, "x", result)
    assert storage.read_lane(tmp_path, "x") == result
    storage.write_decision(tmp_path, 2, [{"a": 1 / 3}])
    assert storage.read_decision(tmp_path, 2) == [{"a": 1 / 3}]


WRITE = """
from pathlib import Path
from pipeline.search import storage
for turn in range(10**9):
    storage.write_lane(Path("."), "x", {"curves": {"mae": [turn] * 20_000}})
    if turn == 0:
        print("written", flush=True)
"""


def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        [sys.executable, "-c", WRITE], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        for _ in range(100):
            found = storage.read_lane(tmp_path, "x")
            assert found is not None
            assert len(found["curves"]["mae"]) == 20_000
        writer.kill()
    found = storage.read_lane(tmp_path, "x")
    assert found is not None
    assert len(set(found["curves"]["mae"])) == 1
