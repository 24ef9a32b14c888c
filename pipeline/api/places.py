"""Where a study lies: its project, or a folder that becomes a project of its own."""

import hashlib
import os
import re
from pathlib import Path

from thalweg.api.commands import run_thalweg
from thalweg.api.data import Data, find_label_faults, pack_data
from thalweg.api.experiment import Experiment, list_differences
from thalweg.config.params_file import parse_params
from thalweg.config.tree import flatten_tree
from thalweg.data.examples import DataSource
from thalweg.schema.section import find_members
from thalweg.system import files
from thalweg.system.counts import join_first
from thalweg.system.files import UserError
from thalweg.system.members import list_dotted_members
from thalweg.system.package_files import find_package_file
from thalweg.system.paths import PARAMS, STATE_FOLDER, STUDIES
from thalweg.system.project_folder import CODE_RECORD, PIPELINE

DIGEST_CHARACTERS = 8
DATA_FOLDER = Path("data")
DVC_CONFIG = "[core]\n    analytics = false\n    no_scm = true\n"
SHARED_CACHE = "[cache]\n    dir = ../../.cache\n"
"""A stage that ran in one study need not run in another with the same inputs; the path begins at .dvc/."""


def open_place(experiment: Experiment, data: Data | None, folder: str | Path | None) -> Path:
    """Return the folder of a study, made if it is not there. Raises `UserError` if it holds something else.

    Params that are invalid are an error, too, and then no folder is made.
    """
    content = b""
    if data is not None:
        content = pack_data(data, experiment.find_value("task.kind"))
        experiment = experiment.replace_values({"data.path": str(DATA_FOLDER), "data.source": {"kind": "arrays"}})
    if folder is None and experiment.project:
        return experiment.project
    place = files.resolve_user_path(Path(folder)) if folder else _name_place(experiment, content)
    if files.path_exists(place / PARAMS):
        _require_same(place, experiment, content)
        return place
    if files.find_files(place, "*"):
        raise UserError(f"{place}: holds files, but no {PARAMS} of a study; choose another folder")
    if experiment.file:
        _check_params(experiment, experiment.base, experiment.file)
    moved = experiment if data is not None else _move_data_path(experiment, place)
    with files.open_temporary_folder(place.parent) as draft:
        _write_place(draft, moved, content, is_shared=folder is None)
        is_strict = experiment.find_value("data.on_bad") != "skip"
        if data and is_strict and (faults := find_label_faults(data, draft / DATA_FOLDER)):
            raise UserError("\n".join(faults))
        if not experiment.file:
            _check_params(experiment, draft, draft / PARAMS)
        path = moved.find_value("data.path")
        if isinstance(path, str) and not Path(path).is_absolute() and not files.path_exists(draft / path):
            # DVC needs it, also where the source draws its examples, and warns of an empty folder in each stage
            readme = find_package_file("scaffold", "data.md")
            files.write_bytes(draft / path / "README.md", files.read_bytes(readme))
        files.rename_file(draft, place)
    return place


def _name_place(experiment: Experiment, content: bytes) -> Path:
    """Return the default folder, which has the same name for the same params and data."""
    digest = hashlib.sha256(f"{experiment.compute_digest()}{hashlib.sha256(content).hexdigest()}".encode())
    return experiment.base / STUDIES / f"{Path(experiment.title).stem}-{digest.hexdigest()[:DIGEST_CHARACTERS]}"


def _move_data_path(experiment: Experiment, place: Path) -> Experiment:
    """Return the experiment with the path of its data as it is seen from another folder.

    A folder that is not there, or that nothing is read from, becomes one of the study's own.
    """
    path = experiment.find_value("data.path")
    if not isinstance(path, str) or not files.path_exists(experiment.base / path):
        return experiment
    source = find_members("thalweg.data.sources").get(str(experiment.find_value("data.source.kind")))
    if source and issubclass(source, DataSource) and not source.REQUIRED_FILES:  # it draws its examples
        return experiment
    moved = path if Path(path).is_absolute() else os.path.relpath(experiment.base / path, place)
    return experiment.replace_values({"data.path": moved}) if moved != path else experiment


def _require_same(place: Path, experiment: Experiment, content: bytes) -> None:
    """Raise `UserError` if a folder holds another study than this one."""
    before = parse_params(place / PARAMS, files.read_bytes(place / PARAMS))[0]
    known, path = dict(flatten_tree(before)).get("data.path"), experiment.find_value("data.path")
    # decided when the study began: what has appeared or gone beside the params since does not change it
    if isinstance(known, str) and isinstance(path, str) and known == os.path.relpath(experiment.base / path, place):
        experiment = experiment.replace_values({"data.path": known})
    differences = list_differences(before, experiment.tree)
    file = place / DATA_FOLDER / "data.npz"
    if content and (not files.path_exists(file) or files.read_bytes(file) != content):
        differences.append("the data")
    if differences:
        advice = f"Choose another folder, or edit {place / PARAMS} and run that file"
        raise UserError(f"{place}: holds another study; it differs in {join_first(differences)}. {advice}")
    if not files.path_exists(place / PIPELINE):
        raise UserError(f"{place}: has a {PARAMS} but no {PIPELINE}, so it is no project; choose another folder")


def _write_place(folder: Path, experiment: Experiment, content: bytes, *, is_shared: bool) -> None:
    """Write a project without git: params, stages, data, and where own code lies."""
    files.write_text(folder / PARAMS, experiment.text)
    files.write_bytes(folder / PIPELINE, files.read_bytes(find_package_file("scaffold", "dvc.txt")))
    files.write_text(folder / ".dvc" / "config", DVC_CONFIG + (SHARED_CACHE if is_shared else ""))
    template = find_package_file("scaffold", "candidates.json")
    files.write_bytes(folder / ".dvc" / "plots" / template.name, files.read_bytes(template))
    if content:
        files.write_bytes(folder / DATA_FOLDER / "data.npz", content)
    if list_dotted_members(experiment.tree):
        files.write_json(folder / CODE_RECORD, {"folder": os.path.relpath(experiment.base, folder)})
    if is_shared:
        is_in_project = files.path_exists(experiment.base / PIPELINE)
        state = (experiment.base if is_in_project else folder.parent) / STATE_FOLDER
        files.create_folder(state)
        files.link_folder(folder / STATE_FOLDER, Path(os.path.relpath(state, folder)))
        files.write_text(folder.parent / ".gitignore", "*\n")


def _check_params(experiment: Experiment, folder: Path, file: Path) -> None:
    """Raise `UserError` with every error in a params file. Lines count only in a file that a person wrote."""
    try:
        run_thalweg(folder, "check", str(file))
    except UserError as error:
        line = "" if experiment.file else r"(:\d+)?"
        message = re.sub(rf"{re.escape(str(file))}{line}", lambda _: experiment.title, str(error))
        raise UserError(message) from None
