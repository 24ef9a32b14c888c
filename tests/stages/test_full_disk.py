"""A full disk or a kill at any write: one line and exit code 2, or the same bytes; then the same bytes."""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.helpers.size import Size, sized
from tests.helpers.tiny_pipeline import TREE, write_params
from thalweg import cli
from thalweg.stages import STAGE_NAMES

WRITES = 200
"""More than a run of every stage has; all are tried then."""
FULL = errno.ENOSPC, os.strerror(errno.ENOSPC)
LOST_BYTES = 40
"""Of the content, where a disk is full."""


class Disk:
    """Count writes of `thalweg.system.files`; fail at the `first` to the `last`, after a part of the content."""

    def __init__(self, patch: pytest.MonkeyPatch, first: int = 0, last: int = 0) -> None:
        self.writes, self._full = 0, range(first, last + 1)
        self._make_file, self._flush = tempfile.mkstemp, os.fsync
        patch.setattr(tempfile, "mkstemp", self.make_file)
        patch.setattr(os, "fsync", self.flush)

    def make_file(self, **options: Any) -> tuple[int, str]:
        self._count(None)
        return self._make_file(**options)

    def flush(self, handle: int) -> None:
        self._count(handle)
        self._flush(handle)

    def _count(self, handle: int | None) -> None:
        self.writes += 1
        if self.writes in self._full:
            self.fail(handle)

    def fail(self, handle: int | None) -> NoReturn:
        if handle is not None:
            os.ftruncate(handle, max(os.fstat(handle).st_size - LOST_BYTES, 0))
        raise OSError(*FULL)


class KilledError(BaseException):
    """The process was killed."""


class Killer(Disk):
    """End at a write, and leave the temporary file beside."""

    def fail(self, handle: int | None) -> NoReturn:
        file = Path(f"/proc/self/fd/{handle}").readlink() if handle is not None else Path()
        if file.name.startswith("."):  # the real one is removed on the way out
            file.with_name(f"{file.name[:-8]}01234567").write_bytes(file.read_bytes()[:-LOST_BYTES])
        raise KilledError


def read_all(folder: Path) -> dict[str, bytes]:
    """Return each file of `artifacts/` and `reports/` but the times that stages took."""
    files = [file for top in ("artifacts", "reports") for file in sorted((folder / top).rglob("*")) if file.is_file()]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files if file.name != "timing.json"}


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, int]]:
    """The project as it is before each stage, and the number of writes of the stage; under "end" as it is at last."""
    top, moments = tmp_path_factory.mktemp("moments"), dict[str, tuple[Path, int]]()
    project = top / "project"
    project.mkdir()
    with contextlib.chdir(project):
        write_params(TREE)
        for stage in STAGE_NAMES:
            before = Path(shutil.copytree(project, top / stage))
            with pytest.MonkeyPatch.context() as patch:
                disk = Disk(patch)
                assert cli.main(["stage", stage]) == 0
            moments[stage] = before, disk.writes
    return moments | {"end": (project, 0)}


@sized(WRITES)
def test_full_disk_changes_no_result(
    moments: dict[str, tuple[Path, int]],
    size: Size,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cases = list_cases(moments)
    print(f"{len(cases)} writes, {size}")
    draw = size.start_draws()
    for number, (stage, first) in enumerate(draw.sample(cases, min(size.count, len(cases)))):
        after = find_end(moments, stage)
        folder = Path(shutil.copytree(moments[stage][0], tmp_path / str(number)))
        monkeypatch.chdir(folder)
        last = draw.choice([first, 10**6])  # space comes back, or not
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, first, last)
            code = cli.main(["stage", stage])
        output = capsys.readouterr().err
        case = f"{stage}, write {first} to {last}: {code}\n{output}"
        assert code in (0, 2), case
        if code:
            assert "(No space left on device); free some space" in output.splitlines()[-1], case
        else:
            assert read_all(folder) == read_all(after), case
        assert cli.main(["stage", stage]) == 0, case
        assert read_all(folder) == read_all(after), case
        assert list_names(folder) <= list_names(after), case
        shutil.rmtree(folder)


@sized(WRITES)
def test_kill_within_a_write_leaves_nothing(
    moments: dict[str, tuple[Path, int]], size: Size, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, cases = size.start_draws(), list_cases(moments)
    for number, (stage, first) in enumerate(draw.sample(cases, min(size.count, len(cases)))):
        after = find_end(moments, stage)
        folder = Path(shutil.copytree(moments[stage][0], tmp_path / str(number)))
        monkeypatch.chdir(folder)
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(KilledError):
            Killer(patch, first, 10**6)
            cli.main(["stage", stage])
        for file in list_names(folder) - list_names(moments[stage][0]):
            if file.startswith("artifacts/"):  # DVC removes the folders that a stage makes before it runs
                (folder / file).unlink()
        assert cli.main(["stage", stage]) == 0
        assert read_all(folder) == read_all(after), (stage, first)
        assert list_names(folder) <= list_names(after), (stage, first)
        shutil.rmtree(folder)


def list_cases(moments: dict[str, tuple[Path, int]]) -> list[tuple[str, int]]:
    """Return each write: the stage, and its number from 1."""
    return [(stage, write) for stage, (_, writes) in moments.items() for write in range(1, writes + 1)]


def find_end(moments: dict[str, tuple[Path, int]], stage: str) -> Path:
    """Return the project as it is after a stage."""
    return moments[[*STAGE_NAMES, "end"][STAGE_NAMES.index(stage) + 1]][0]


def list_names(folder: Path) -> set[str]:
    """Return all files but compiled programs, which differ with what this process compiled before."""
    names = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    return {name for name in names if "/compiled/" not in name}
