"""Where a study lies: a project, the folder of a report, a git revision, or an experiment of DVC's."""

from dataclasses import dataclass
from pathlib import Path

from thalweg.system import files, installed, revisions
from thalweg.system.files import UserError
from thalweg.system.paths import PARAMS, REPORTS, SUMMARY
from thalweg.system.revisions import ReadFile

UNPACKED = Path("report")
"""The folder in what `thalweg report --zip` packs."""


@dataclass(frozen=True)
class Place:
    """A study's place: `text` is what the user wrote, `commit` that of a revision ('' for a folder)."""

    text: str
    read: ReadFile
    commit: str = ""

    @property
    def title(self) -> str:
        """Name the place: `HEAD~1 (1a2b3c4)`; a folder by its path, `.` by words."""
        if not self.commit and Path(self.text) == Path():
            return "this folder"
        shown = self.commit[:7]
        return (
            shown if shown and self.commit.startswith(self.text) else f"{self.text} ({shown})" if shown else self.text
        )

    @property
    def advice(self) -> str:
        """Say how to get a study's files here."""
        if self.commit:
            return f"`dvc fetch --all-commits` gets them from a remote, or `git checkout {self.text}` and `thalweg run`"
        return "`thalweg run` there makes them; a report folder has them if `thalweg report --zip` packed it"


def find_places(names: tuple[str, str], here: Path) -> tuple[Place, Place]:
    """Find both studies; a folder counts from `here`. Raises `UserError` with what is wrong with each name."""
    places = [_find_place(name, here) for name in names]
    problems = [place for place in places if isinstance(place, str)]
    if problems:
        raise UserError("\n".join(dict.fromkeys(problems)))
    first, second = (place for place in places if isinstance(place, Place))
    return first, second


def _find_place(name: str, here: Path) -> Place | str:
    """Find a study, or say why there is none."""
    folder = here / name
    if files.is_folder(folder):
        return _open_folder(name, folder)
    if files.path_exists(folder):
        return f"diff: {name} is a file; unpack it, and name the folder {UNPACKED}, which `thalweg report --zip` packed"
    installed.require_training(f"a git revision ({name})")
    commit = revisions.find_commit(name)
    if commit is None:
        listed = "`git log --oneline` and `dvc exp list` list what there is"
        return f"diff: {name} is no folder, and no git revision or experiment of this project; {listed}"
    return Place(name, revisions.open_commit(commit), commit)


def _open_folder(name: str, folder: Path) -> Place | str:
    """Open a project, its folder `reports`, or a report that was packed and unpacked."""
    has_summary = files.path_exists(folder / SUMMARY.relative_to(REPORTS))
    if files.path_exists(folder / PARAMS):
        return Place(name, lambda path: _read_file(folder / (_drop_reports(path) if has_summary else path)))
    if has_summary and files.path_exists(folder / ".." / PARAMS):
        return Place(name, lambda path: _read_file(folder / ".." / path))
    if files.path_exists(folder / UNPACKED / PARAMS):
        return f"diff: {name} holds no study itself; name the folder {(Path(name) / UNPACKED).as_posix()}"
    advice = "`thalweg report --zip` packs a report with all that a comparison needs"
    return f"diff: {name} holds no study: {PARAMS} is not there. {advice}"


def _drop_reports(path: Path) -> Path:
    """Return the path of a file in a packed report, where those of `reports` lie at the top."""
    return path.relative_to(REPORTS) if path.is_relative_to(REPORTS) else path


def _read_file(path: Path) -> bytes | None:
    return files.read_bytes(path) if files.path_exists(path) else None
