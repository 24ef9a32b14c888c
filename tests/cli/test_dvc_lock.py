"""A torn dvc.lock is set aside, so that DVC starts."""

import os
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
from filelock import FileLock
from ruamel.yaml import YAML

from tests.helpers.paths import ROOT
from thalweg import cli
from thalweg.cli.dvc_lock import DVC_FOLDER, FILES_IN_USE, LOCK, TORN_LOCK, mend_files_in_use, mend_lock
from thalweg.cli.lock_form import has_plain_form

STAGES = ("prepare", "augment")
FILE = {"hash": "md5", "md5": "d41d8cd98f00b204e9800998ecf8427e", "size": 320, "nfiles": 3}
RECORD = {
    "cmd": "thalweg stage prepare",
    "deps": [{"path": "data", **FILE}, {"path": "pipeline/system", **FILE}],
    "params": {"params.yaml": {"seed": 0, "data": {"path": "data", "split": {"by": "group"}}}},
    "outs": [{"path": "artifacts/prepared", **FILE}],
}


@pytest.fixture
def lock_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The content of a dvc.lock, in a project of its own."""
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    yaml = YAML()
    with LOCK.open("w") as file:
        yaml.dump({"schema": "2.0", "stages": {name: deepcopy(RECORD) | {"cmd": name} for name in STAGES}}, file)
    return LOCK.read_bytes()


def test_whole_lock_stays(lock_content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    mend_lock()
    assert LOCK.read_bytes() == lock_content
    assert not TORN_LOCK.exists()
    LOCK.unlink()
    mend_lock()
    assert capsys.readouterr().err == ""


def test_plain_form_needs_no_dvc(lock_content: bytes) -> None:
    assert has_plain_form(lock_content)
    assert not has_plain_form(lock_content.replace(b"nfiles", b"cloud"))
    assert not has_plain_form(lock_content[: lock_content.rindex(b"cmd")])


@pytest.mark.usefixtures("lock_content")
def test_merge_conflict_is_left_to_git(capsys: pytest.CaptureFixture[str]) -> None:
    LOCK.write_bytes(b"schema: '2.0'\n<<<<<<< HEAD\n=======\n>>>>>>> other\n")
    mend_lock()
    assert LOCK.exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n", b"\0" * 200, b"\xff\xfe\xfd", b"[]", b"- 1\n", b"schema: '2.0'\nstages: [", b"schema: '9.9'\n"),
        *(b"schema: '2.0'\nstages:\n  train:\n    deps: []\n", b"text"),
        pytest.param(b"[" * 3000, marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("lock_content")
def test_torn_lock_is_set_aside(content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    LOCK.write_bytes(content)
    assert cli.main(["timing"]) == 2  # no stage has run
    assert not LOCK.exists()
    assert TORN_LOCK.read_bytes() == content
    note = capsys.readouterr().err.splitlines()[0]
    assert note.startswith("note: dvc.lock was torn, so it is now dvc.lock.torn. `thalweg run` makes it anew")


READ_CUTS = """
import warnings
from pathlib import Path
warnings.simplefilter("ignore")
from dvc.repo import Repo
from thalweg.cli.dvc_lock import _is_torn
Repo.init(no_scm=True).close()
whole, torn = Path("dvc.lock").read_bytes(), 0
for cut in range(len(whole) + 1):
    Path("dvc.lock").write_bytes(whole[:cut])
    if _is_torn():
        torn += 1
    else:
        Repo().status()
print(torn, len(whole))
"""


@pytest.mark.slow
def test_dvc_reads_every_cut_that_is_not_torn(lock_content: bytes) -> None:
    outs = {name: {**deepcopy(RECORD), "cmd": name, "params": ["seed", "data"]} for name in STAGES}
    stages = {n: record | {"deps": ["data"], "outs": [f"artifacts/{n}"]} for n, record in outs.items()}
    with Path("dvc.yaml").open("w") as file:
        YAML().dump({"stages": stages}, file)
    done = subprocess.run(
        [sys.executable, "-c", READ_CUTS],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    torn, length = map(int, done.stdout.splitlines()[-1].split())
    assert length == len(lock_content)
    assert length - torn <= lock_content.count(b"\n")


@pytest.mark.usefixtures("lock_content")
def test_lock_that_dvc_writes_stays(capsys: pytest.CaptureFixture[str]) -> None:
    LOCK.write_bytes(b"")
    DVC_FOLDER.mkdir(parents=True)
    with FileLock(DVC_FOLDER / "lock"):
        mend_lock()
    assert LOCK.read_bytes() == b""
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("lock_content")
def test_cure_is_named_where_mending_fails(capsys: pytest.CaptureFixture[str]) -> None:
    LOCK.write_bytes(b"")
    TORN_LOCK.mkdir()
    assert cli.main(["timing"]) == 2
    assert "Delete it, then run `thalweg run`." in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", '{"artifacts/model": {"wri'])
def test_torn_list_of_files_in_use_is_removed(content: str, empty_folder: Path) -> None:
    file = empty_folder / FILES_IN_USE
    file.parent.mkdir(parents=True)
    mend_files_in_use()
    file.write_text(content)
    mend_files_in_use()
    assert not file.exists()
    file.write_text("{}")
    mend_files_in_use()
    assert file.exists()
