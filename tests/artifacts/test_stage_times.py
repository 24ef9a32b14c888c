"""reports/timing.json: damage to it stops nothing."""

import json
from pathlib import Path

import pytest

from thalweg import cli
from thalweg.artifacts.stage_times import read_stage_times, record_stage_time
from thalweg.system import files
from thalweg.system.paths import TIMING

WHOLE = json.dumps({"stages": {"train": dict.fromkeys(("seconds", "compile_seconds"), 1.5)}})


@pytest.fixture(autouse=True)
def reports_folder(empty_folder: Path) -> None:
    (empty_folder / TIMING.parent).mkdir()


def test_times_are_added_up(capsys: pytest.CaptureFixture[str]) -> None:
    record_stage_time("train", 1.5)
    record_stage_time("study", 2.25)
    record_stage_time("train", 3.0)
    assert {name: stage.seconds for name, stage in read_stage_times().items()} == {"train": 3.0, "study": 2.25}
    assert files.read_json(TIMING)["seconds"] == 5.25
    assert capsys.readouterr().err == ""


DAMAGED = [
    *(WHOLE[:cut].encode() for cut in range(0, len(WHOLE), 7)),
    *(b"{}", b"[]", b"null", b"3", b'{"stages": null}', b'{"stages": []}', b'{"stages": {"train": 1}}'),
    *(b'{"stages": {"train": {}}}', WHOLE.encode(), b"\0" * 40, b"\xff\xfe", b"[" * 100_000),
    b'{"stages": {"a": {"seconds": NaN, "compiles": 0, "compile_seconds": 0, "retries": 0, "epochs": 0}}}',
    b'{"stages": {"a": {"seconds": "1", "compiles": 0, "compile_seconds": 0, "retries": 0, "epochs": 0}}}',
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_file_is_made_anew(content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    TIMING.write_bytes(content)
    assert cli.main(["timing"]) == 2
    warning = capsys.readouterr().err
    assert warning.startswith(f"{TIMING}: ")
    assert "Traceback" not in warning
    record_stage_time("train", 1.5)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"note: {TIMING}: ")
    assert line.endswith("; it is made anew")
    assert read_stage_times()["train"].seconds == 1.5


def test_unwritable_folder_loses_the_time_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TIMING.parent.rmdir()
    for make in (lambda: TIMING.parent.write_text("a file"), lambda: TIMING.parent.symlink_to(tmp_path / "gone" / "x")):
        make()
        record_stage_time("train", 1.5)
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"note: {TIMING}: cannot be written")
        assert line.endswith("; the time of this stage is not kept")
        TIMING.parent.unlink()


def test_folder_in_its_place_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    TIMING.mkdir()
    record_stage_time("train", 1.5)
    assert len(capsys.readouterr().err.splitlines()) == 2
