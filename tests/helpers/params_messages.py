"""Messages about a params file, and mistakes written into one."""

import re
from pathlib import Path

from tests.helpers.paths import EXPERIMENT
from thalweg.config.load import load_config
from thalweg.config.params_file import ParamsError
from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.core.hyperparameters import list_defaults
from thalweg.schema.section import find_members

TEXT = EXPERIMENT.read_text()


def list_message_lines(folder: Path, text: str | bytes) -> list[str]:
    """The lines of the message about a params file, without the file's name; none where it is good."""
    file = folder / "params.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        load_config(file)
    except ParamsError as error:
        *lines, count = str(error).split("\n")
        if "not valid YAML" in str(error) or not lines:
            return [str(error).removeprefix(f"{file}:")]
        assert count == f"{len(lines)} error{'s' if len(lines) > 1 else ''} in {file}"
        return [line.removeprefix(f"{file}:") for line in lines]
    return []


def edit_experiment(*edits: tuple[str, str]) -> str:
    """The experiment's text with pieces replaced; each piece stands in it once."""
    text = TEXT
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def find_line(text: str, piece: str) -> int:
    assert text.count(piece) == 1, piece
    return text[: text.index(piece)].count("\n") + 1


ALLOWED = {
    family: ", ".join(dict.fromkeys(names))
    for family, names in {
        "augmentations": augmentations.list_augmentations(),
        "moving no one": augmentations.list_augmentations(augmentations.Change.OBJECTS),
        "losses": [name for family in losses.FAMILIES for name in losses.list_losses(family)],
        "regression": losses.list_losses("regression"),
        "numbers of classification": [
            name for member in losses.FAMILIES["classification"] for name in list_defaults(member)
        ],
        "optimizers": optimizers.list_optimizers(),
        "numbers of optimizers": [name for member in optimizers.KINDS for name in list_defaults(member)],
        "schedules": schedules.list_schedules(),
        "sources": find_members("thalweg.data.sources"),
        "tasks": find_members("thalweg.tasks"),
    }.items()
}
"""What a message names as allowed, where that is a family, so that a new member needs no edit here."""


def fill_in_families(message: str) -> str:
    """A message with the members of each family that it names as `<family>`."""
    return re.sub(r"<([a-z ]+)>", lambda match: ALLOWED[match.group(1)], message)
