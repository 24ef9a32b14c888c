"""Completion of the command in a shell: presets, files and folders where they are meant. shtab writes the script."""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")
FILES = ("FILE", "FILE.csv", "PATH")
"""How the help calls an argument that is a file."""
FOLDERS = ("FOLDER",)


class PrintCompletion(argparse.Action):
    """Print the script that completes a parser's commands in a shell, and exit."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002
        shell: str | Sequence[Any] | None,
        option: str | None = None,  # noqa: ARG002
    ) -> None:
        print(build_completion(parser, str(shell)))
        parser.exit()


def build_completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """Build the script that completes a parser's commands in a shell. It changes the parser."""
    import shtab  # only here: help must not wait for it

    from thalweg.cli.presets import list_presets

    presets = [preset.stem for preset in list_presets()]
    for argument in _list_arguments(parser):
        if argument.metavar == "PRESET":
            argument.choices = presets
        elif argument.metavar in FILES:
            argument.complete = shtab.FILE  # type: ignore[attr-defined]
        elif argument.metavar in FOLDERS:
            argument.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    script: str = shtab.complete(parser, shell)
    return script


def _list_arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _list_arguments(command)
        yield action
