"""The arguments of the commands: each is explained, and paths begin where the user is."""

import argparse
from pathlib import Path

import pytest

from thalweg.cli.parser import build_parser


def list_parsers() -> list[argparse.ArgumentParser]:
    (action,) = (action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction))
    return list(action.choices.values())


def test_every_argument_is_explained() -> None:
    silent = [
        f"{parser.prog} {action.dest}" for parser in list_parsers() for action in parser._actions if not action.help
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("line", "name", "path"),
    [
        ("check a.yaml", "file", "sub/a.yaml"),
        ("check", "file", "params.yaml"),
        ("check /a.yaml", "file", "/a.yaml"),
        ("upgrade a.yaml", "file", "sub/a.yaml"),
        ("predict a.png --out b.csv", "out", "sub/b.csv"),
        ("predict a.png --out b.csv", "model", "artifacts/model"),
        ("submit slurm --out job", "folder", "sub"),
    ],
)
def test_paths_begin_where_the_user_is(line: str, name: str, path: str) -> None:
    assert getattr(build_parser(Path("sub")).parse_args(line.split()), name) == Path(path)
