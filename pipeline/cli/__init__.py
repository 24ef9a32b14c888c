"""The `thalweg` command: it finds the project, runs a command, and turns errors into a line and an exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import thalweg
from thalweg.cli import commands, dvc_lock, foreign_report, parser
from thalweg.system import files, guarded, installed, interrupts, machine, project_folder, running
from thalweg.system.paths import MODEL, PARAMS


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code: 2 for an error that the user can correct; `compare` has its own."""
    offset = project_folder.enter_project()
    if argv is None:
        _run_checkout(offset)
    arguments = _parse_arguments(offset, argv)
    sys.path.insert(0, "")  # finds the user's models in the project, as the stages do
    try:
        sys.path += project_folder.list_code_folders()
        if arguments.run is not commands.run_stage:  # DVC starts it, with a dvc.lock that it has read
            dvc_lock.mend_lock()
            dvc_lock.mend_files_in_use()
        project_folder.require_text_path()
        return _run_command(arguments)
    except files.UserError as error:
        if not guarded.hand_up_error(str(error)):
            print(error, file=sys.stderr)
        return interrupts.EXIT_CODE if isinstance(error, running.Stopped) else 2
    except Exception:
        if "jax" not in sys.modules or not (fault := machine.find_platform_fault()):
            raise
        print(f"JAX can use no device: {fault}; `thalweg doctor` says more", file=sys.stderr)
        return 2


def _run_command(arguments: argparse.Namespace) -> int:
    """Run a command; return its exit code. An error says how to start a project, where there is none."""
    if arguments.run not in parser.NEED_NO_TRAINING:
        installed.require_training(f"thalweg {arguments.command}")
    try:
        return int(arguments.run(arguments) or 0)
    except files.UserError as error:
        if advice := _advise_start(arguments):
            raise files.UserError(f"{error}{advice}") from error
        raise


def _advise_start(arguments: argparse.Namespace) -> str:
    """Return how to start a project, where a command ended because there is none."""
    given = vars(arguments)
    is_elsewhere = given.get("file", PARAMS) != PARAMS or given.get("model", MODEL) != MODEL
    is_elsewhere |= arguments.run is commands.show_report and foreign_report.is_foreign(arguments)
    if is_elsewhere or files.path_exists(PARAMS) or arguments.run not in parser.NEED_PROJECT:
        return ""
    return f"\nThere is no project in this folder: `thalweg init` starts one, and writes {PARAMS}"


def _parse_arguments(offset: Path, argv: Sequence[str] | None) -> argparse.Namespace:
    known = parser.build_parser(offset)
    arguments, rest = known.parse_known_args(argv)
    if rest and arguments.run is not commands.run_pipeline:  # which hands them on to DVC
        known.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.rest = rest
    return arguments


def _run_checkout(offset: Path) -> None:
    """Restart with the code of the project's checkout if the installed code is another checkout's.

    `dvc exp run --temp` and git worktrees have their own code, and DVC records that code for the stages. The user is in
    the folder `offset` of the project.
    """
    package = Path("thalweg", "__init__.py")
    if files.path_exists(package) and files.resolve_links(package) != files.resolve_links(Path(str(thalweg.__file__))):
        folders = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([str(Path.cwd()), *([folders] if folders else [])])
        os.chdir(offset)  # where the paths on the command line begin
        os.execv(sys.executable, [sys.executable, "-m", "thalweg", *sys.argv[1:]])
