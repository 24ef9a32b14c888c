"""What each command of `thalweg` does with its arguments.

A command imports what it needs when it runs: JAX and Flax take a second, and help, a wrong argument or `timing` must
not wait for them.
"""

import os
from argparse import Namespace as Arguments

from thalweg.cli import foreign_report
from thalweg.system import files, progress


def init_project(arguments: Arguments) -> None:
    from thalweg.cli import presets

    os.chdir(arguments.folder)  # not the project around it
    preset = presets.require_preset(arguments.preset)
    from thalweg.cli.init import init_project

    init_project(preset)


def run_pipeline(arguments: Arguments) -> None:
    from thalweg.cli import run

    run.run_pipeline(arguments.rest)


def check_params(arguments: Arguments) -> int:
    from thalweg.cli import check

    return check.check_params(arguments.file, measures_time=arguments.time, as_json=arguments.json)


def write_schema(arguments: Arguments) -> None:
    from thalweg.cli import schema_file

    schema_file.show_schema(arguments.out, arguments.folder)


def use_preset(arguments: Arguments) -> None:
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


def apply_step(arguments: Arguments) -> None:
    from thalweg.cli import apply

    apply.apply_step(arguments.number, dry_run=arguments.dry_run, as_json=arguments.json)


def upgrade_params(arguments: Arguments) -> None:
    from thalweg.cli.upgrade import upgrade_params

    upgrade_params(arguments.file, dry_run=arguments.dry_run)


def run_stage(arguments: Arguments) -> None:
    if arguments.name == "inputs":  # without what takes the other stages a second to import
        from thalweg.stages import inputs

        progress.print_line(f"inputs: {inputs.main()}")
        return
    from thalweg.cli import start_line
    from thalweg.stages import runner

    start_line.announce_run(arguments.name)
    runner.run_stage(arguments.name)


def run_study(arguments: Arguments) -> None:
    from thalweg.cli import study

    study.extend_study(arguments.trials, as_json=arguments.json)


def run_predict(arguments: Arguments) -> None:
    from thalweg.cli import predict

    predict.run_predict(arguments)


def show_report(arguments: Arguments) -> None:
    if foreign_report.is_foreign(arguments):
        os.chdir(arguments.folder)  # where the paths on the command line begin
        print(foreign_report.report_study(arguments))
        return
    from thalweg.cli import report_file

    print(report_file.pack_report() if arguments.zip else report_file.require_report())


def compare_programs(arguments: Arguments) -> int:
    from thalweg.cli import compare

    os.chdir(arguments.folder)  # where the commands would run without it
    return compare.compare_programs(arguments)


def diff_studies(arguments: Arguments) -> int:
    from thalweg.cli import diff

    return diff.diff_studies(arguments)


def confirm_objective(arguments: Arguments) -> None:
    from thalweg.cli import confirm

    os.chdir(arguments.folder)  # where the objective's module lies
    confirm.confirm_objective(arguments)


def run_dashboard(arguments: Arguments) -> None:
    from thalweg.cli import dashboard

    dashboard.run_dashboard(arguments.port)


def show_running(arguments: Arguments) -> None:
    from thalweg.cli import processes

    processes.show_running(as_json=arguments.json)


def stop_stage(arguments: Arguments) -> None:
    from thalweg.cli import processes

    processes.stop_stage(arguments.process)


def clean_caches(arguments: Arguments) -> None:
    from thalweg.cli import clean

    choice = clean.Choice(arguments.older_than, arguments.all_compiled, arguments.database)
    clean.clean_caches(choice, removes=arguments.remove, as_json=arguments.json)


def submit_job(arguments: Arguments) -> None:
    from thalweg.cli import submit

    submit.submit_job(arguments)


def examine_machine(arguments: Arguments) -> int:
    from thalweg.cli import doctor

    return doctor.examine_machine(as_json=arguments.json)


def print_timing(arguments: Arguments) -> None:
    from thalweg.cli import timing_table

    timing_table.print_timing(as_json=arguments.json)
