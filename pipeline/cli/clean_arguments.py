"""The arguments of `thalweg clean`, in a file without its imports: help must not wait for them."""

import argparse


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `thalweg clean`."""
    command.add_argument("--remove", action="store_true", help="remove it; without this option it is only shown")
    age = "only what was not written for so many days; also states that do not say whose they are"
    command.add_argument("--older-than", type=float, metavar="DAYS", help=age)
    compiled = "also the compiled programs of this JAX, on every processor; they are compiled again when needed"
    command.add_argument("--all-compiled", action="store_true", help=compiled)
    database = "also Optuna's database, which the dashboard shows; results stay"
    command.add_argument("--database", action="store_true", help=database)
