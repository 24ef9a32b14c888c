"""The `thalweg` command.

A command imports what it needs when it runs: JAX and Flax take a second, and help, a wrong argument or `timing` must
not wait for them.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import thalweg
from thalweg.cli import compare_arguments, confirm_arguments, dvc_lock, foreign_report
from thalweg.cli.completion import SHELLS, PrintCompletion
from thalweg.stages import STAGE_NAMES
from thalweg.system import (
    compiled,
    files,
    guarded,
    installed,
    interrupts,
    machine,
    progress,
    project_folder,
    running,
)
from thalweg.system.counts import format_count
from thalweg.system.paths import MODEL, PARAMS, PARAMS_SCHEMA

DEFAULT_PRESET = "scenes"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code: 2 for an error that the user can correct; `compare` has its own."""
    offset = project_folder.enter_project()
    if argv is None:
        _run_checkout(offset)
    arguments = _parse_arguments(offset, argv)
    sys.path.insert(0, "")  # finds the user's models in the project, as the stages do
    try:
        sys.path += project_folder.list_code_folders()
        if arguments.run is not _run_stage:  # DVC starts it, with a dvc.lock that it has read
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
    if arguments.run not in NEED_NO_TRAINING:
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
    is_elsewhere |= arguments.run is _show_report and foreign_report.is_foreign(arguments)
    if is_elsewhere or files.path_exists(PARAMS) or arguments.run not in NEED_PROJECT:
        return ""
    return f"\nThere is no project in this folder: `thalweg init` starts one, and writes {PARAMS}"


def _parse_arguments(offset: Path, argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _build_parser(offset)
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.run is not _run_pipeline:  # which hands them on to DVC
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
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


def _build_parser(offset: Path = Path()) -> argparse.ArgumentParser:
    """Build the parser of a user in the folder `offset` of the project: a path on the command line begins there."""
    description = "Declarative hyperparameter studies of neural networks."
    parser = argparse.ArgumentParser(prog="thalweg", description=description)
    parser.add_argument("--version", action="version", version=f"thalweg {thalweg.__version__}")
    completion = "print a script that completes the command in a shell"
    parser.add_argument("--print-completion", action=PrintCompletion, choices=SHELLS, help=completion)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add_command(
        name: str, run: Callable[[argparse.Namespace], int | None], summary: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        command.set_defaults(run=run, command=name)
        return command

    def add_json(command: argparse.ArgumentParser) -> None:
        command.add_argument("--json", action="store_true", help="print the answer as one line of JSON")

    command = add_command("init", _init_project, "start a project in this folder, which runs as it is")
    default = f"name of a ready experiment, as `thalweg use` lists them (default: {DEFAULT_PRESET})"
    command.add_argument("preset", nargs="?", default=DEFAULT_PRESET, metavar="PRESET", help=default)
    command.set_defaults(folder=offset)
    command = add_command("run", _run_pipeline, "run every stage whose inputs changed, as `dvc repro` does")
    command.usage = "thalweg run [ARGUMENTS OF dvc repro]"
    command = add_command("check", _check_params, "list every error in a params file")
    command.add_argument(
        "file", nargs="?", type=offset.joinpath, default=PARAMS, metavar="FILE", help=f"default: {PARAMS}"
    )
    command.add_argument("--time", action="store_true", help="train for a moment, and say how long each stage takes")
    add_json(command)
    command = add_command("schema", _write_schema, f"write the JSON Schema of {PARAMS}, which editors use")
    out = f"file to write; -: print it (default: {PARAMS_SCHEMA})"
    command.add_argument("--out", metavar="FILE", help=out)
    command.set_defaults(folder=offset)
    command = add_command("use", _use_preset, f"replace {PARAMS} by a preset, unless it has uncommitted changes")
    preset = "name of a ready experiment; none: list them"
    command.add_argument("preset", nargs="?", metavar="PRESET", help=preset)
    minutes = "measure this machine; set trials, epochs and seeds so that `thalweg run` takes as long"
    command.add_argument("--minutes", type=float, metavar="N", help=minutes)
    command.add_argument("--force", action="store_true", help=f"replace uncommitted changes of {PARAMS}, too")
    add_json(command)
    command = add_command("apply", _apply_step, f"write a next step of the report into {PARAMS}")
    command.add_argument("number", nargs="?", type=int, metavar="NUMBER", help="of the finding; none: list the steps")
    command.add_argument("--dry-run", action="store_true", help="print the changes, and write nothing")
    add_json(command)
    command = add_command("upgrade", _upgrade_params, "rewrite a params file of an earlier version in today's form")
    command.add_argument(
        "file", nargs="?", type=offset.joinpath, default=PARAMS, metavar="FILE", help=f"default: {PARAMS}"
    )
    command.add_argument("--dry-run", action="store_true", help="print the changes, and write nothing")
    command = add_command("stage", _run_stage, "run one stage of the pipeline, as `dvc repro` does")
    names = ("inputs", *STAGE_NAMES)
    command.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    command = add_command("study", _run_study, "run, resume or extend the study, without the other stages")
    trials = "number of trials, a multiple of study.cohort (default: study.trials)"
    command.add_argument("--trials", type=int, metavar="N", help=trials)
    add_json(command)
    command = add_command("predict", _run_predict, "predict images with the confirmed winner")
    command.add_argument("paths", nargs="+", type=offset.joinpath, metavar="PATH", help="images or folders of images")
    out = "table to write, with the columns image and prediction; predicted images go into the folder FILE"
    command.add_argument("--out", required=True, type=offset.joinpath, metavar="FILE.csv", help=out)
    form = "also write the predictions in the format of a data source, into the folder FILE: coco, yolo, voc, …"
    command.add_argument("--format", default="", metavar="KIND", help=form)
    forced = "overwrite files that predict did not make, and remove old copies"
    command.add_argument("--force", action="store_true", help=forced)
    model = f"folder of the model (default: {MODEL})"
    trust = "allow the code of a model that params.yaml does not name"
    command.add_argument("--trust", action="append", default=[], metavar="DOTTED.PATH", help=trust)
    command.add_argument("--model", type=offset.joinpath, default=MODEL, metavar="FOLDER", help=model)
    summary = "print where the report is, pack it into one file, or write that of another program's study"
    command = add_command("report", _show_report, summary)
    command.add_argument("--zip", action="store_true", help="write the report, its figures and tables as one ZIP file")
    foreign_report.add_arguments(command)
    command.set_defaults(folder=offset)
    command = add_command("compare", _compare_programs, "run two programs in pairs of one seed until one is better")
    compare_arguments.add_arguments(command)
    command.set_defaults(folder=offset)
    command = add_command("confirm", _confirm_objective, "run the best settings of an Optuna study on fresh seeds")
    confirm_arguments.add_arguments(command)
    command.set_defaults(folder=offset)
    command = add_command("dashboard", _run_dashboard, "watch the studies in optuna-dashboard")
    command.add_argument("--port", type=int, default=8080, help="port on this machine (default: 8080)")
    add_json(add_command("ps", _show_running, "say which stages run in this project, since when, and how far they are"))
    command = add_command("stop", _stop_stage, "end a stage that trains after its segment; all is kept")
    command.add_argument("process", nargs="?", type=int, metavar="PROCESS", help="as `thalweg ps` lists it")
    add_json(add_command("doctor", _examine_machine, "say what this machine computes with, and what JAX does not see"))
    add_json(add_command("timing", _print_timing, "print how long each stage took when it last ran"))
    return parser


def _init_project(arguments: argparse.Namespace) -> None:
    from thalweg.cli import presets

    os.chdir(arguments.folder)  # not the project around it
    preset = presets.require_preset(arguments.preset)
    from thalweg.cli.init import init_project

    init_project(preset)


def _run_pipeline(arguments: argparse.Namespace) -> None:
    from thalweg.cli import run

    run.run_pipeline(arguments.rest)


def _check_params(arguments: argparse.Namespace) -> int:
    from thalweg.cli import check

    return check.check_params(arguments.file, measures_time=arguments.time, as_json=arguments.json)


def _write_schema(arguments: argparse.Namespace) -> None:
    from thalweg.cli import schema_file

    if arguments.out == "-":
        print(schema_file.build_schema_text(), end="")
        return
    file = PARAMS_SCHEMA if arguments.out is None else arguments.folder / arguments.out
    schema_file.write_schema(file)
    print(f"{file}: the JSON Schema of {PARAMS}")


def _use_preset(arguments: argparse.Namespace) -> None:
    from thalweg.cli import answers, presets

    if arguments.preset is not None:
        preset = presets.require_preset(arguments.preset)
        from thalweg.cli import use

        answer = use.use_preset(preset, arguments.minutes, force=arguments.force)
        print(answers.format_answer(answer) if arguments.json else use.describe_use(answer))
    elif arguments.minutes is not None or arguments.force:
        raise files.UserError(f"use: name the preset, one of {', '.join(file.stem for file in presets.list_presets())}")
    else:
        listed = presets.describe_presets()
        print(answers.format_answer(listed) if arguments.json else presets.format_presets(listed))


def _apply_step(arguments: argparse.Namespace) -> None:
    from thalweg.cli import apply

    apply.apply_step(arguments.number, dry_run=arguments.dry_run, as_json=arguments.json)


def _upgrade_params(arguments: argparse.Namespace) -> None:
    from thalweg.cli.upgrade import upgrade_params

    upgrade_params(arguments.file, dry_run=arguments.dry_run)


def _run_stage(arguments: argparse.Namespace) -> None:
    if arguments.name == "inputs":  # without what takes the other stages a second to import
        from thalweg.stages import inputs

        progress.print_line(f"inputs: {inputs.main()}")
        return
    from thalweg.cli import start_line
    from thalweg.stages import runner

    start_line.announce_run(arguments.name)
    runner.run_stage(arguments.name)


def _run_study(arguments: argparse.Namespace) -> None:
    from thalweg.cli import study

    study.extend_study(arguments.trials, as_json=arguments.json)


def _run_predict(arguments: argparse.Namespace) -> None:
    from thalweg.cli import predict

    compiled.guard_compiled_programs()
    with progress.show_stage("predict"):
        result = predict.predict_images(
            arguments.model,
            arguments.paths,
            arguments.out,
            form=arguments.format,
            force=arguments.force,
            trusted=arguments.trust,
        )
    for message in (*result.failures, *result.notes):
        print(message, file=sys.stderr)
    print(f"{format_count(result.count, 'prediction')} in {result.output}")
    if result.failures:
        total = result.count + len(result.failures)
        raise files.UserError(f"{len(result.failures)} of {format_count(total, 'image')} could not be read")


def _show_report(arguments: argparse.Namespace) -> None:
    if foreign_report.is_foreign(arguments):
        os.chdir(arguments.folder)  # where the paths on the command line begin
        print(foreign_report.report_study(arguments))
        return
    from thalweg.cli import report_file

    print(report_file.pack_report() if arguments.zip else report_file.require_report())


def _compare_programs(arguments: argparse.Namespace) -> int:
    from thalweg.cli import compare

    os.chdir(arguments.folder)  # where the commands would run without it
    return compare.compare_programs(arguments)


def _confirm_objective(arguments: argparse.Namespace) -> None:
    from thalweg.cli import confirm

    os.chdir(arguments.folder)  # where the objective's module lies
    confirm.confirm_objective(arguments)


def _run_dashboard(arguments: argparse.Namespace) -> None:
    from thalweg.cli import dashboard

    dashboard.run_dashboard(arguments.port)


def _show_running(arguments: argparse.Namespace) -> None:
    from thalweg.cli import processes

    processes.show_running(as_json=arguments.json)


def _stop_stage(arguments: argparse.Namespace) -> None:
    from thalweg.cli import processes

    processes.stop_stage(arguments.process)


def _examine_machine(arguments: argparse.Namespace) -> int:
    from thalweg.cli import doctor

    return doctor.examine_machine(as_json=arguments.json)


def _print_timing(arguments: argparse.Namespace) -> None:
    from thalweg.cli import timing_table

    timing_table.print_timing(as_json=arguments.json)


NEED_PROJECT = (
    *(_run_pipeline, _check_params, _upgrade_params, _run_stage, _run_study, _run_predict, _show_report, _print_timing),
    *(_show_running, _stop_stage, _apply_step),
)
"""Commands that can do nothing in a folder without a project."""
NEED_NO_TRAINING = (_show_report, _compare_programs, _confirm_objective, _print_timing)
"""Commands that run where JAX is not installed."""
