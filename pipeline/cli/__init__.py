"""The `thalweg` command: check, use, stage, study, predict, dashboard, timing."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import thalweg
from thalweg.config.load import ParamsError, load_config
from thalweg.config.study import cohort_multiple_error
from thalweg.stages import STAGE_NAMES
from thalweg.system import files
from thalweg.system.paths import COPIES, MODEL, PARAMS, TIMING

PRESET_FOLDER = Path("presets")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 2 where a person has something to mend."""
    sys.path.insert(0, "")  # a person's own model lies where they work, as it does for the stages
    chosen = _build_parser().parse_args(arguments)
    if arguments is None:
        _run_checkout()
    try:
        chosen.run(chosen)
    except files.UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on where it was", file=sys.stderr)
        return 130
    return 0


def _run_checkout() -> None:
    """Start again with the code of the checkout that this runs in, where another one's is installed.

    `dvc exp run --temp` and git worktrees have code of their own, which DVC has recorded as what the stages ran.
    """
    own = Path("thalweg", "__init__.py")
    if own.exists() and not own.samefile(str(thalweg.__file__)):
        os.execv(sys.executable, [sys.executable, "-m", "thalweg", *sys.argv[1:]])


def _build_parser() -> argparse.ArgumentParser:
    what = "Declarative hyperparameter studies of neural networks."
    parser = argparse.ArgumentParser(prog="thalweg", description=what)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], None], told: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=told)
        one.set_defaults(run=run)
        return one

    one = add("check", _check_params, "name everything that is wrong with a params file")
    one.add_argument("file", nargs="?", type=Path, default=PARAMS, metavar="FILE")
    one = add("use", _use_preset, "put a preset into params.yaml")
    one.add_argument("preset", metavar="PRESET", help=", ".join(_list_presets()) or "a file in presets/")
    one = add("stage", _run_stage, "run one stage of the pipeline, as `dvc repro` does")
    one.add_argument("name", choices=STAGE_NAMES, metavar="NAME", help=", ".join(STAGE_NAMES))
    one = add("study", _run_study, "run, resume or extend the study outside DVC")
    one.add_argument("--trials", type=int, metavar="N", help="so many trials instead of study.trials")
    one = add("predict", _run_predict, "predict images with the confirmed winner")
    one.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="images, or folders of images")
    out = "a table image,prediction; images that are predicted go into a folder FILE"
    one.add_argument("--out", required=True, type=Path, metavar="FILE.csv", help=out)
    one.add_argument("--model", type=Path, default=MODEL, metavar="FOLDER", help=f"a model's folder ({MODEL})")
    one = add("dashboard", _run_dashboard, "watch the studies in optuna-dashboard")
    one.add_argument("--port", type=int, default=8080)
    add("timing", _print_timing, "print how long the stages of the last run took")
    return parser


def _list_presets() -> list[str]:
    return sorted(file.stem for file in PRESET_FOLDER.glob("*.yaml"))


def _check_params(arguments: argparse.Namespace) -> None:
    from thalweg.cli import preflight
    from thalweg.config import spaces

    config = load_config(arguments.file, preflight.find_data_problems)
    programs, study = len(spaces.list_program_variants(config)), config.study
    compiled = "one program" if programs == 1 else f"up to {programs} programs"
    print(f"{arguments.file}: good")
    print(f"{study.trials} trials in {study.trials // study.cohort} cohorts of {study.cohort}, {compiled} to compile")
    for note in spaces.list_notes(config):
        print(f"note: {note}")


def _use_preset(arguments: argparse.Namespace) -> None:
    from thalweg.cli import preflight

    preset = PRESET_FOLDER / f"{arguments.preset}.yaml"
    if not preset.exists():
        raise files.UserError(
            f"{arguments.preset}: no such preset; there are {', '.join(_list_presets()) or 'none here'}"
        )
    load_config(preset)
    status = ["git", "status", "--porcelain", "--", str(PARAMS)]
    changed = subprocess.run(status, capture_output=True, text=True, check=False)
    mine = [files.read_bytes(PRESET_FOLDER / f"{name}.yaml") for name in _list_presets()]
    # a preset put there by this command, and nothing added since, is no one's work to lose
    unsaved = changed.stdout.strip() or changed.returncode  # outside a repository nothing is committed
    if unsaved and PARAMS.exists() and files.read_bytes(PARAMS) not in mine:
        raise files.UserError(f"{PARAMS} has changes that are not committed; commit them, or `git restore {PARAMS}`")
    files.write_bytes(PARAMS, files.read_bytes(preset))
    print(f"{PARAMS} is now {preset}; `git restore {PARAMS}` brings the committed one back")
    try:
        load_config(PARAMS, preflight.find_data_problems)
    except ParamsError as missing:
        print(f"note: {missing}")


def _run_stage(arguments: argparse.Namespace) -> None:
    from thalweg.stages import runner

    runner.run_stage(arguments.name)


def _run_study(arguments: argparse.Namespace) -> None:
    from thalweg.artifacts import prepared
    from thalweg.search.run import build_trials_table, run_study
    from thalweg.search.trials import rank_trials
    from thalweg.training import build

    config = load_config(PARAMS)
    if arguments.trials is not None:
        if arguments.trials < 1:
            told = f"{arguments.trials} is not a number of trials; give {config.study.cohort} or more"
            raise files.UserError(f"--trials: {told}")
        if odd := cohort_multiple_error(arguments.trials, config.study.cohort):
            raise files.UserError(f"--trials: {odd}")
        config = config.replace_values({"study.trials": arguments.trials})
    if not COPIES.exists():
        raise files.UserError("the data is not prepared yet; run `dvc repro augment` first")
    if not prepared.is_prepared(config):
        raise files.UserError(f"the prepared data is not that of {PARAMS}; run `dvc repro augment` first")
    loaded = prepared.load_prepared_data()
    data = build.build_data(config, loaded.examples, loaded.splits, loaded.copy_origins)
    trials = run_study(config, loaded, data)[0].trials
    best = [trial.outcome.number for trial in rank_trials(config, trials)[:10]]
    table = build_trials_table(config, trials).set_index("number").loc[best]
    shown = table.to_string(float_format=lambda value: f"{value:.4g}", na_rep="")
    print(shown if len(table) else "no trial is complete")
    if arguments.trials is not None:
        print(
            f"set study.trials: {arguments.trials} in {PARAMS} and run `dvc repro` to confirm and report what was found"
        )


def _run_predict(arguments: argparse.Namespace) -> None:
    from thalweg.cli import predict

    written = predict.predict_images(arguments.model, arguments.paths, arguments.out)
    for told in (*written.failures, *([written.note] if written.note else [])):
        print(told, file=sys.stderr)
    print(f"{written.count} predictions in {written.output}")
    if written.failures:
        total = written.count + len(written.failures)
        raise files.UserError(f"{len(written.failures)} of {total} images could not be read")


def _run_dashboard(arguments: argparse.Namespace) -> None:
    from thalweg.engine.state_folder import STATE_FOLDER
    from thalweg.search.optuna_storage import get_storage_url

    if not os.environ.get("THALWEG_STORAGE") and not (STATE_FOLDER / "studies.db").exists():
        raise files.UserError("no study yet; `dvc repro` or `thalweg study` makes one")
    from optuna_dashboard import run_server

    print(f"http://127.0.0.1:{arguments.port}/ until Ctrl-C", flush=True)
    run_server(get_storage_url(), host="127.0.0.1", port=arguments.port)


def _print_timing(_chosen: argparse.Namespace) -> None:
    if not TIMING.exists():
        raise files.UserError(f"{TIMING}: nothing has run yet")
    timing = files.read_json(TIMING)
    for name, part in timing["stages"].items():
        print(f"{name:10} {part['seconds']:8.1f} s   {part['compiles']} compiled in {part['compile_seconds']:.1f} s")
