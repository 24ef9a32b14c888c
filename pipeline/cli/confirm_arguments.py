"""The arguments of `thalweg confirm`, in a file without its imports: help must not wait for them."""

import argparse


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `thalweg confirm`."""
    objective = "the function that Optuna optimizes; it takes a trial, and may take `seed`"
    command.add_argument("--objective", required=True, metavar="MODULE:FUNCTION", help=objective)
    storage = "Optuna's storage: sqlite:///FILE.db, a database's URL, or the path of a journal"
    command.add_argument("--optuna", required=True, metavar="URL", help=storage)
    command.add_argument("--study", metavar="NAME", help="the study (default: the only one in the storage)")
    command.add_argument(
        "--seeds", type=int, default=8, metavar="N", help="fresh seeds for each candidate (default: 8)"
    )
    runners_up = "candidates beside the best setting and the default (default: 2)"
    command.add_argument("--runners-up", type=int, default=2, metavar="N", help=runners_up)
    default = "parameters to compare with, as a JSON object (default: those of the first enqueued trial)"
    command.add_argument("--default", metavar="JSON", help=default)
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at once (default: 1)")
    command.add_argument("--timeout", type=float, metavar="SECONDS", help="end a run that takes longer: it has failed")
    command.add_argument("--retry-failed", action="store_true", help="run again what failed")
    command.add_argument("--anew", action="store_true", help="run all again, as after a change of the objective")
    command.add_argument("--json", action="store_true", help="print the result as one line of JSON")
