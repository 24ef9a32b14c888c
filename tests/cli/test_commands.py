"""The functions behind the commands."""

import argparse
import inspect

from thalweg.cli import commands
from thalweg.cli.parser import build_parser


def test_every_function_is_a_command() -> None:
    (choices,) = [action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)]
    run = [command.get_default("run") for command in choices.choices.values()]
    functions = [each for _, each in inspect.getmembers(commands, inspect.isfunction)]
    own = [each for each in functions if each.__module__ == commands.__name__]
    assert sorted(each.__name__ for each in run) == sorted(each.__name__ for each in own)
