"""Start a project in the current folder: files that run as they are, below git and DVC."""

from pathlib import Path

from thalweg.cli.use import print_next_steps, write_params
from thalweg.system import files
from thalweg.system.dvc_command import DVC_FOLDER, find_dvc_root, run_dvc
from thalweg.system.git import run_git
from thalweg.system.package_files import find_package_file
from thalweg.system.paths import PARAMS, PARAMS_SCHEMA

CONTENTS = {
    "dvc.yaml": "dvc.txt",
    ".gitignore": "gitignore",
    "README.md": "README.md",
    "data/README.md": "data.md",
    "own_model.py": "own_model.txt",
    "own_loss.py": "own_loss.txt",
    "test_own.py": "test_own.txt",
}
"""Each file of a new project beside params.yaml, with the file of the package that it is a copy of."""
PLOT_TEMPLATE = "candidates.json"
"""The template of a plot in dvc.yaml; DVC looks for it in its folder."""


def init_project(preset: Path) -> None:
    """Write a project with the params.yaml of a preset; set up git and DVC where they are not. Print what to do next.

    Raises `UserError` if a file is there already; then nothing is written.
    """
    _require_no_files()
    under_git = run_git("rev-parse", "--show-toplevel") is not None or run_git("init", "--quiet") is not None
    root = find_dvc_root()
    if root is None:
        is_root = under_git and run_git("rev-parse", "--show-prefix") == ""
        run_dvc("init", *([] if is_root else ["--subdir"] if under_git else ["--no-scm"]))
        run_dvc("config", "core.analytics", "false")
        # stages dvc.lock after a run; without it each run of DVC ends with a hint to set it
        run_dvc("config", "core.autostage", "true")
        run_git("reset", "--quiet", "--", str(DVC_FOLDER), ".dvcignore")  # DVC stages half of them
    template = (root or Path()) / DVC_FOLDER / "plots" / PLOT_TEMPLATE
    if not files.path_exists(template):
        files.write_bytes(template, files.read_bytes(find_package_file("scaffold", PLOT_TEMPLATE)))
    for name, source in CONTENTS.items():
        files.write_bytes(Path(name), files.read_bytes(find_package_file("scaffold", source)))
    write_params(files.read_bytes(preset).decode())
    print(f"a new project with the preset {preset.stem}: {PARAMS}, {PARAMS_SCHEMA}, {', '.join(CONTENTS)}")
    if not under_git:
        print(f"note: git {'is not installed' if run_git('version') is None else 'failed'}, so DVC works without it")
    if print_next_steps():
        print("`thalweg run` runs the study and writes reports/report.html; README.md says more")


def _require_no_files() -> None:
    existing = [name for name in (str(PARAMS), str(PARAMS_SCHEMA), *CONTENTS) if files.path_exists(Path(name))]
    if existing:
        advice = "Move them away, or start in an empty folder"
        raise files.UserError(f"init: it would overwrite {', '.join(existing)}. {advice}; nothing was written")
