"""What git knows of a file, over all commits."""

import subprocess
from pathlib import Path

import pytest

from thalweg.system.files import UserError
from thalweg.system.git import FileVersion, list_versions

FILE = Path("params.yaml")


def git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], check=True, capture_output=True)


def commit(content: str) -> None:
    FILE.write_text(content)
    git("add", str(FILE))
    git("commit", "--quiet", "--allow-empty", "-m", content)


@pytest.fixture
def _repository(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(empty_folder.parent))
    git("init", "--quiet", "--initial-branch=main")


@pytest.mark.usefixtures("_repository")
def test_versions_of_all_commits_are_listed() -> None:
    assert list_versions(FILE) == [], "no commit yet"
    for content in ("one", "two"):
        commit(content)
    git("tag", "-a", "v2", "-m", "tagged")
    commit("one")
    git("checkout", "--quiet", "-b", "side/way")
    commit("three")
    git("update-ref", "refs/exps/ab/cdef/loud-owl", "HEAD")
    git("checkout", "--quiet", "main")
    git("rm", "--quiet", str(FILE))
    git("commit", "--quiet", "-m", "none")
    commit("four")
    git("branch", "--quiet", "--force", "side/way", "HEAD")
    found = {version.content: version.commit for version in list_versions(FILE)}
    assert found.keys() == {b"one", b"two", b"three", b"four"}
    assert (found[b"two"], found[b"three"], found[b"four"]) == ("v2", "experiment loud-owl", "main")
    assert len(found[b"one"]) == 7, "no name points to it"


@pytest.mark.usefixtures("_repository")
def test_commit_that_is_gone_has_no_version() -> None:
    """DVC still points to it after an experiment."""
    commit("one")
    commit("two")
    git("update-ref", "refs/exps/exec/EXEC_HEAD", "HEAD")
    git("reset", "--quiet", "--hard", "HEAD~1")
    assert list_versions(FILE) == [FileVersion("main", b"one")]


@pytest.mark.usefixtures("_repository")
def test_file_of_a_subfolder_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    commit("above")
    Path("a b").mkdir()
    monkeypatch.chdir("a b")
    assert list_versions(FILE) == []
    commit("inside")
    assert list_versions(FILE) == [FileVersion("main", b"inside")]


@pytest.mark.usefixtures("_repository")
def test_broken_repository_is_an_error() -> None:
    """Who removes what no commit needs must not take it for one without commits."""
    commit("one")
    Path(".git/HEAD").write_text("garbage")
    with pytest.raises(UserError, match=r"params\.yaml: git cannot say which commits have it"):
        list_versions(FILE)


def test_folder_without_git_has_no_versions(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(empty_folder.parent))
    FILE.write_text("one")
    assert list_versions(FILE) == []
