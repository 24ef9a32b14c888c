"""`thalweg report --optuna` and `--csv`: the report of a study that another program ran."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from thalweg.system import files
from thalweg.system.files import UserError

if TYPE_CHECKING:
    from thalweg.foreign.study import ForeignStudy


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add what names a study of another program."""
    storage = "report on a study in Optuna's storage: sqlite:///FILE.db, a journal, postgresql+psycopg://…"
    command.add_argument("--optuna", metavar="URL", help=storage)
    command.add_argument("--study", metavar="NAME", help="its name, where the storage has several")
    table = "report on the trials of a table, one a row; docs/any-study.md describes its columns"
    command.add_argument("--csv", type=Path, metavar="FILE", help=table)
    command.add_argument("--value", metavar="COLUMN", help="its column of the value (default: value)")
    command.add_argument("--minimize", action="store_true", help="a smaller value is better")
    command.add_argument("--maximize", action="store_true", help="a larger value is better")
    command.add_argument("--out", type=Path, metavar="DIR", help="folder for the report of --optuna or --csv")


def is_foreign(arguments: argparse.Namespace) -> bool:
    """Return whether the command line names a study of another program, or a part of one."""
    given = arguments.optuna, arguments.study, arguments.csv, arguments.value, arguments.out
    return any(given) or bool(arguments.minimize or arguments.maximize)


def report_study(arguments: argparse.Namespace) -> Path:
    """Write the report of the study that the arguments name; return its page. Raises `UserError` with all faults."""
    if faults := list(_list_faults(arguments)):
        raise UserError("\n".join(faults))
    study = _read_study(arguments)
    from thalweg.foreign import report

    return report.write_report(study, arguments.out)


def _list_faults(arguments: argparse.Namespace) -> Iterator[str]:
    if (arguments.optuna is None) == (arguments.csv is None):
        yield "report: name one study, with --optuna URL or with --csv FILE"
    if arguments.out is None:
        yield "report: name a folder for the report, with --out DIR"
    elif files.path_exists(arguments.out) and not files.is_folder(arguments.out):
        yield f"report: {arguments.out} is no folder; name another one with --out"
    if arguments.zip:
        yield "report: --zip is of a project's own report; the folder of --out can be packed by any program"
    if arguments.csv is not None and arguments.minimize == arguments.maximize:
        yield "report: say which values are better, with --minimize or with --maximize"
    if arguments.csv is not None and arguments.study is not None:
        yield "report: --study names a study of --optuna; a table of --csv holds one study"
    if arguments.csv is None:
        given = {"--value": arguments.value, "--minimize": arguments.minimize, "--maximize": arguments.maximize}
        for name in (name for name, value in given.items() if value):
            yield f"report: {name} is for a table of --csv; Optuna's storage says it itself"


def _read_study(arguments: argparse.Namespace) -> "ForeignStudy":
    if arguments.csv is not None:
        from thalweg.foreign import csv_study

        return csv_study.read_study(arguments.csv, arguments.value or "value", "min" if arguments.minimize else "max")
    from thalweg.foreign import optuna_study

    return optuna_study.read_study(arguments.optuna, arguments.study)
