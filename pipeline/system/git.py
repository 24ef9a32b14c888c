"""Ask git about the project."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from thalweg.system import files

DVC_NOTES = "refs/exps/exec/*"
"""What DVC notes of the last experiment's run: it stays when the commit is gone, and is no experiment."""


def run_git(*arguments: str, environment: Mapping[str, str] | None = None, text: str = "") -> str | None:
    """Return what a git command prints, without spaces around it; None without git or a repository.

    `environment` adds variables; the command reads `text`.
    """
    variables = {**os.environ, **(environment or {})}
    try:
        result = subprocess.run(
            ["git", *arguments],
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=variables,
        )
    except OSError:
        return None
    return None if result.returncode else result.stdout.strip()


def hash_work_tree(left_out: Path) -> str | None:
    """Return git's hash of all files that it does not ignore, as they are now, but for one file; None without git.

    Raises `UserError` for a file that git cannot read: the hash would be of other files.
    A temporary index and a temporary store of objects leave the repository as it is.
    """
    folder = run_git("rev-parse", "--absolute-git-dir")
    top = run_git("rev-parse", "--show-toplevel")
    if folder is None or top is None:
        return None
    with files.open_temporary_folder() as temporary:
        environment = {
            "GIT_INDEX_FILE": str(temporary / "index"),
            "GIT_OBJECT_DIRECTORY": str(temporary),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(Path(folder) / "objects"),
        }
        run_git("read-tree", "HEAD", environment=environment)  # without a commit there is nothing to read
        if run_git("add", "--all", "--", top, environment=environment) is None:
            raise files.UserError(f"{top}: git cannot read all files; `git add --all --dry-run` says why")
        run_git("rm", "--cached", "--quiet", "--ignore-unmatch", "--", str(left_out), environment=environment)
        return run_git("write-tree", environment=environment)


@dataclass(frozen=True)
class FileVersion:
    """A content that a file has in some commits. `commit` names the newest of them: by a branch, a tag, or its hash."""

    commit: str
    content: bytes


def list_versions(file: Path) -> list[FileVersion]:
    """List each content that a file has in a commit of any branch, tag or DVC experiment, the newest first.

    [] outside of a repository. Raises `UserError` if git cannot read the repository.
    """
    here = files.resolve_links(Path())
    if not any(files.path_exists(folder / ".git") for folder in (here, *here.parents)):
        return []
    prefix = run_git("rev-parse", "--show-prefix")
    listed = run_git("rev-list", f"--exclude={DVC_NOTES}", "--all", "--date-order")
    if prefix is None or listed is None:
        raise files.UserError(f"{file}: git cannot say which commits have it; `git log --all` says why")
    commits = listed.split()
    names = "".join(f"{commit}:{prefix}{file.as_posix()}\n" for commit in commits)
    found = (run_git("cat-file", "--batch-check=%(objectname)", text=names) or "").splitlines()
    if len(found) != len(commits):
        raise files.UserError(f"{file}: git cannot look for it in all commits; `git fsck` says more")
    newest: dict[str, str] = {}
    for commit, content in zip(commits, found, strict=True):
        if not content.endswith(" missing"):
            newest.setdefault(content, commit)
    names_of_commits = _name_commits()
    return [
        FileVersion(names_of_commits.get(commit, commit[:7]), _read_content(content, file))
        for content, commit in newest.items()
    ]


def _read_content(content: str, file: Path) -> bytes:
    text = run_git("cat-file", "blob", content)
    if text is None:
        raise files.UserError(f"{file}: git cannot read it in all commits; `git fsck` says more")
    return text.encode()


def _name_commits() -> dict[str, str]:
    """Return the names of commits that a branch, a tag or a DVC experiment points to."""
    commit = "%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
    names: dict[str, str] = {}
    for line in (run_git("for-each-ref", f"--format={commit} %(refname)") or "").splitlines():
        commit, _, reference = line.partition(" ")
        _, kind, *rest = reference.split("/")
        if kind in ("heads", "remotes", "tags"):
            names.setdefault(commit, "/".join(rest))
        elif kind == "exps" and rest[0] != "exec":
            names.setdefault(commit, f"experiment {rest[-1]}")
    return names
