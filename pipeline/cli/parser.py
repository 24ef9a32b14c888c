"""The arguments of each command of `thalweg`."""

import argparse
from collections.abc import Callable
from pathlib import Path

import thalweg
from thalweg.cli import (
    clean_arguments,
    compare_arguments,
    confirm_arguments,
    diff_arguments,
    foreign_report,
    submit_arguments,
)
from thalweg.cli.commands import (
    apply_step,
    check_params,
    clean_caches,
    compare_programs,
    confirm_objective,
    diff_studies,
    examine_machine,
    init_project,
    print_timing,
    run_dashboard,
    run_pipeline,
    run_predict,
    run_stage,
    run_study,
    show_report,
    show_running,
    stop_stage,
    submit_job,
    upgrade_params,
    use_preset,
    write_schema,
)
from thalweg.cli.completion import SHELLS, PrintCompletion
from thalweg.stages import STAGE_NAMES
from thalweg.system.paths import MODEL, PARAMS, PARAMS_SCHEMA

DEFAULT_PRESET = "scenes"
NEED_PROJECT = (
    *(
        run_pipeline,
        check_params,
        upgrade_params,
        run_stage,
        run_study,
        run_predict,
        show_report,
        print_timing,
    ),
    *(show_running, stop_stage, apply_step, clean_caches, submit_job),
)
"""Commands that can do nothing in a folder without a project."""
NEED_NO_TRAINING = (
    *(show_report, compare_programs, confirm_objective, print_timing),
    *(show_running, stop_stage, diff_studies),
)
"""Commands that run where JAX is not installed."""


def build_parser(offset: Path = Path()) -> argparse.ArgumentParser:
    """Build the parser of a user in the folder `offset` of the project: a path on the command line begins there."""
    description = "Declarative hyperparameter studies of neural networks."
    parser = argparse.ArgumentParser(prog="thalweg", description=description)
    parser.add_argument("--version", action="version", version=f"thalweg {thalweg.__version__}")
    completion = "print a script that completes the command in a shell"
    parser.add_argument("--print-completion", action=PrintCompletion, choices=SHELLS, help=completion)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    def add_command(
        name: str, run: Callable[[argparse.Namespace], int | None], summary: str
    ) -> argparse.ArgumentParser:
        command = subparsers.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        command.set_defaults(run=run, command=name)
        return command

    def add_json(command: argparse.ArgumentParser) -> None:
        command.add_argument("--json", action="store_true", help="print the answer as one line of JSON")

    command = add_command("init", init_project, "start a project in this folder, which runs as it is")
    default = f"name of a ready experiment, as `thalweg use` lists them (default: {DEFAULT_PRESET})"
    command.add_argument("preset", nargs="?", default=DEFAULT_PRESET, metavar="PRESET", help=default)
    command.set_defaults(folder=offset)
    command = add_command("run", run_pipeline, "run every stage whose inputs changed, as `dvc repro` does")
    command.usage = "thalweg run [ARGUMENTS OF dvc repro]"
    command = add_command("check", check_params, "list every error in a params file")
    command.add_argument(
        "file", nargs="?", type=offset.joinpath, default=PARAMS, metavar="FILE", help=f"default: {PARAMS}"
    )
    command.add_argument("--time", action="store_true", help="train for a moment, and say how long each stage takes")
    add_json(command)
    command = add_command("schema", write_schema, f"write the JSON Schema of {PARAMS}, which editors use")
    out = f"file to write; -: print it (default: {PARAMS_SCHEMA})"
    command.add_argument("--out", metavar="FILE", help=out)
    command.set_defaults(folder=offset)
    command = add_command("use", use_preset, f"replace {PARAMS} by a preset, unless it has uncommitted changes")
    preset = "name of a ready experiment; none: list them"
    command.add_argument("preset", nargs="?", metavar="PRESET", help=preset)
    minutes = "measure this machine; set trials, epochs and seeds so that `thalweg run` takes as long"
    command.add_argument("--minutes", type=float, metavar="N", help=minutes)
    command.add_argument("--force", action="store_true", help=f"replace uncommitted changes of {PARAMS}, too")
    add_json(command)
    command = add_command("apply", apply_step, f"write a next step of the report into {PARAMS}")
    command.add_argument("number", nargs="?", type=int, metavar="NUMBER", help="of the finding; none: list the steps")
    command.add_argument("--dry-run", action="store_true", help="print the changes, and write nothing")
    add_json(command)
    command = add_command("upgrade", upgrade_params, "rewrite a params file of an earlier version in today's form")
    command.add_argument(
        "file", nargs="?", type=offset.joinpath, default=PARAMS, metavar="FILE", help=f"default: {PARAMS}"
    )
    command.add_argument("--dry-run", action="store_true", help="print the changes, and write nothing")
    command = add_command("stage", run_stage, "run one stage of the pipeline, as `dvc repro` does")
    names = ("inputs", *STAGE_NAMES)
    command.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    command = add_command("study", run_study, "run, resume or extend the study, without the other stages")
    trials = "number of trials, a multiple of study.cohort (default: study.trials)"
    command.add_argument("--trials", type=int, metavar="N", help=trials)
    add_json(command)
    command = add_command("predict", run_predict, "predict images with the confirmed winner")
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
    command = add_command("report", show_report, summary)
    command.add_argument("--zip", action="store_true", help="write the report, its figures and tables as one ZIP file")
    foreign_report.add_arguments(command)
    command.set_defaults(folder=offset)
    command = add_command("compare", compare_programs, "run two programs in pairs of one seed until one is better")
    compare_arguments.add_arguments(command)
    command.set_defaults(folder=offset)
    command = add_command("diff", diff_studies, "compare two studies: whose winner is better, and what else differs")
    diff_arguments.add_arguments(command)
    command.set_defaults(folder=offset)
    command = add_command("confirm", confirm_objective, "run the best settings of an Optuna study on fresh seeds")
    confirm_arguments.add_arguments(command)
    command.set_defaults(folder=offset)
    command = add_command("dashboard", run_dashboard, "watch the studies in optuna-dashboard")
    command.add_argument("--port", type=int, default=8080, help="port on this machine (default: 8080)")
    add_json(add_command("ps", show_running, "say which stages run in this project, since when, and how far they are"))
    command = add_command("stop", stop_stage, "end a stage that trains after its segment; all is kept")
    command.add_argument("process", nargs="?", type=int, metavar="PROCESS", help="as `thalweg ps` lists it")
    command = add_command("clean", clean_caches, "show what caches hold and what needs it; remove what nothing needs")
    clean_arguments.add_arguments(command)
    add_json(command)
    command = add_command("submit", submit_job, f"write the file of a job that runs the study of {PARAMS} on a cluster")
    submit_arguments.add_arguments(command)
    command.set_defaults(folder=offset)
    add_json(add_command("doctor", examine_machine, "say what this machine computes with, and what JAX does not see"))
    add_json(add_command("timing", print_timing, "print how long each stage took when it last ran"))
    return parser
