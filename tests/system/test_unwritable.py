"""What stands in the way of a file, as the system has it: one line with the cause and the cure, nothing half done."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from thalweg.cli.outputs import check_outputs
from thalweg.engine.state_folder import Journal, lock_state_folder
from thalweg.system import compiled, files, sealed

pytestmark = pytest.mark.usefixtures("empty_folder")
GONE = "links to /nowhere/gone, which is not there: create that, or remove the link"


@pytest.fixture(autouse=True)
def unreported_obstacles() -> None:
    """No obstacle was reported before; each is reported once in a process."""
    sealed.report_not_kept.cache_clear()


def link_to_nothing(path: Path) -> None:
    path.symlink_to("/nowhere/gone")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def put_file(path: Path) -> None:
    path.write_text("mine")


OBSTACLES = [
    (link_to_nothing, f"top {GONE}"),
    (link_to_itself, "top links to top, which is not there"),
    (put_file, "top is no folder: move it away"),
]
FILE = Path("top", "inner", "a.bin")
WRITES: list[Callable[[], object]] = [
    lambda: files.write_bytes(FILE, b"1"),
    lambda: files.append_lines(FILE, [b"1"]),
    lambda: files.create_folder(FILE),
    lambda: files.lock_file(FILE, 0).__enter__(),
    lambda: files.sync_folder(FILE, {"a": b"1"}),
    lambda: files.rename_file(Path("b"), FILE),
    lambda: sealed.append_sealed_lines(FILE, [1], 1),
]


@pytest.mark.parametrize(("obstruct", "reason"), OBSTACLES)
@pytest.mark.parametrize("write", WRITES)
def test_obstacle_is_named(write: Callable[[], object], obstruct: Callable[[Path], None], reason: str) -> None:
    obstruct(Path("top"))
    put_file(Path("b"))
    with pytest.raises(files.UserError) as caught:
        write()
    assert f"{FILE}" in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in Path().iterdir() if path.name != "b"] == ["top"]


@pytest.mark.parametrize(("obstruct", "reason"), OBSTACLES)
def test_study_needs_its_state_folder(
    obstruct: Callable[[Path], None], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thalweg.engine.state_folder.STATE_FOLDER", Path("top"))
    obstruct(Path("top"))
    with pytest.raises(files.UserError, match=f"cannot be locked .*{reason}"), lock_state_folder("0123"):
        pass


def test_folder_in_place_of_file_is_named() -> None:
    FILE.mkdir(parents=True)
    with pytest.raises(files.UserError, match=r"a\.bin is a folder, not a file: choose another"):
        files.write_bytes(FILE, b"1")
    assert list(FILE.parent.iterdir()) == [FILE]


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EROFS, "give this user the right to"),
        (errno.EACCES, "give this user the right to"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_error_of_the_system_has_a_cure(monkeypatch: pytest.MonkeyPatch, number: int, cure: str) -> None:
    files.write_bytes(FILE, b"before")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(files.UserError, match=rf"a\.bin: cannot be written \({os.strerror(number)}\).*{cure}|{cure}"):
        files.write_bytes(FILE, b"after")
    assert FILE.read_bytes() == b"before"
    assert list(FILE.parent.iterdir()) == [FILE]


def test_unreadable_folder_is_not_taken_for_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_bytes(Path("top", "inner", "a.csv"), b"")
    listed = Path.iterdir

    def refuse(folder: Path) -> Iterator[Path]:
        if folder.name == "inner":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    for folder, pattern in (("top/inner", "*.csv"), ("top", "*/*.csv"), ("top", "**/*.csv")):
        with pytest.raises(files.UserError, match=r"top/inner: cannot be listed \(Permission denied\); give this user"):
            files.find_files(Path(folder), pattern)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "loop/a", "file/a"])
def test_name_that_no_file_can_have(name: str) -> None:
    link_to_itself(Path("loop"))
    put_file(Path("file"))
    path = Path(name)
    assert not files.path_exists(path)
    assert not files.is_folder(path)
    assert files.list_files(path) == []
    for use in (files.read_bytes, lambda path: files.write_bytes(path, b"")):
        with pytest.raises(files.UserError, match="cannot be"):
            use(path)
    if "\0" not in name:  # no argument of a command has it
        check_outputs({}, [path], [], force=False)


def test_loop_of_links_is_listed_once() -> None:
    Path("data").mkdir()
    link_to_itself(Path("data", "loop"))
    Path("data", "up").symlink_to("..")
    put_file(Path("data", "a.png"))
    assert files.list_files(Path("data")) == ["a.png", "loop"]


def test_unreadable_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(folder: Path, onerror: Callable[[OSError], None], **_: object) -> Iterator[object]:
        onerror(PermissionError(errno.EACCES, "Permission denied", str(folder)))
        return iter(())

    Path("images").mkdir()
    monkeypatch.setattr(os, "walk", walk)
    with pytest.raises(files.UserError, match=r"images: cannot be listed \(Permission denied\)"):
        files.list_files(Path("images"))


def test_shortcut_is_left_out_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    link_to_nothing(Path("top"))
    for _ in range(3):
        sealed.write_sealed(FILE, b"1")
        assert sealed.read_sealed(FILE) is None
    note = f"{FILE}: cannot be written (top {GONE}). It is only a shortcut: the run goes on without it.\n"
    assert capsys.readouterr().err == note


def test_damage_in_read_only_folder_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files.write_bytes(FILE, b"damaged")

    def refuse(_: Path, **_options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    assert sealed.read_sealed(FILE) is None
    assert "left out, and made anew" in capsys.readouterr().err


def test_journal_must_be_written() -> None:
    journal = Journal(Path("state"))
    journal.record_seconds(1.0)
    Path("state", "journal.jsonl").rename("kept")
    Path("state").rmdir()
    link_to_nothing(Path("state"))
    with pytest.raises(files.UserError, match=rf"journal\.jsonl: cannot be written \(state {GONE}"):
        journal.record_seconds(2.0)
    assert journal.seconds == 1.0


COMPILE = """
import thalweg
thalweg.system.compiled.guard_compiled_programs()
import jax, jax.numpy as jnp
print(jax.jit(lambda x: (x * 3).sum())(jnp.arange(5.0)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        ("ln -s /nowhere/gone .thalweg", GONE),
        ("touch .thalweg", "is no folder: move it away"),
        ("ulimit -f 0", "File too large"),
        ("mkdir .thalweg && mount -t tmpfs -o ro none .thalweg", "Read-only file system"),
        ("mkdir .thalweg && mount -t tmpfs -o size=4k none .thalweg", "No space left on device"),
    ],
)
def test_programs_are_compiled_without_cache(prepare: str, message: str) -> None:
    can_mount = shutil.which("unshare") and not subprocess.run(["unshare", "-m", "true"], check=False).returncode
    if "mount" in prepare and not can_mount:
        pytest.skip("this user may not mount")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    command = [*(["unshare", "-m"] if "mount" in prepare else []), "sh", "-c", f'{prepare} && "$0" -c "$1"']
    root = Path(compiled.__file__).parents[2]
    done = subprocess.run(
        [*command, sys.executable, f"import thalweg.system.compiled\n{COMPILE}"],
        env=environment | {"PYTHONPATH": str(root), "JAX_PLATFORMS": "cpu", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "30.0\n"
    assert done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr
