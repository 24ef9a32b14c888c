"""Sizes that only some of the searched networks have: each message, followed to the letter, ends in a good file."""

import re
from io import StringIO
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.helpers.params_messages import edit_experiment, list_message_lines

SIZES = "  width: 12\n  depth: 3\n"
LAST = "      high: 0.98\n"


def follow_message(text: str, message: str) -> str:
    """Do what a message says."""
    yaml, written = YAML(), StringIO()
    tree = yaml.load(text)
    space = tree["study"]["space"]
    space["model.kind"]["choices"] += re.findall(r"add `(\w+)` to the choices", message)
    for entry in re.findall(r"`(model\.\w+: \{choices: .*?\}\})`", message):
        space.update(yaml.load(entry))
    if "remove it here" in message or "move it to study.space" in message:
        del tree["model"][message.split(": ")[1].removeprefix("model.")]
    yaml.dump(tree, written)
    return written.getvalue()


@pytest.mark.parametrize(
    ("model", "kinds", "width"),
    [
        ("cnn\n  width: 12", "cnn, linear", ""),
        ("cnn\n  width: 12\n  depth: 3", "linear, mlp", ""),
        ("cnn\n  width: 12\n  norm: true", "linear, mlp", ""),
        ("cnn\n  width: 12", "linear", ""),
        ("cnn", "linear", "[4, 8]"),
        ("cnn", "cnn, linear", "[4, 8], role: scientific"),
        ("linear", "cnn, linear", "[4, 8]"),
        ("linear", "cnn, mlp, linear", "[4, 8], when: {model.kind: [mlp, linear]}"),
        ("linear\n  width: 12", "cnn, linear", ""),
        ("linear\n  width: 12", "cnn, linear", "[4, 8], when: {model.kind: cnn}"),
    ],
)
def test_messages_end_in_a_good_file(tmp_path: Path, model: str, kinds: str, width: str) -> None:
    space = f"    model.kind: {{choices: [{kinds}]}}\n" + (f"    model.width: {{choices: {width}}}\n" if width else "")
    text = edit_experiment((SIZES, ""), ("  kind: cnn  ", f"  kind: {model}  "), (LAST, LAST + space))
    lines = list_message_lines(tmp_path, text)
    assert len(lines) == 1
    assert list_message_lines(tmp_path, follow_message(text, lines[0])) == []


def test_condition_on_what_depends_on_the_kind_is_enough(tmp_path: Path) -> None:
    space = (
        "    model.kind: {choices: [cnn, linear]}\n"
        "    model.depth: {choices: [2, 3], when: {model.kind: cnn}}\n"
        "    model.width: {choices: [4, 8], when: {model.depth: 2}}\n"
    )
    assert list_message_lines(tmp_path, edit_experiment((SIZES, ""), (LAST, LAST + space))) == []


def test_broken_network_is_no_network_without_sizes(tmp_path: Path) -> None:
    space = "    model.kind: {choices: [cnn, no_such_file_of_test.Model]}\n"
    (line,) = list_message_lines(tmp_path, edit_experiment((LAST, LAST + space)))
    assert "`no_such_file_of_test.Model` is not there" in line
