"""Names in the search space, as the JSON Schema of params.yaml accepts and refuses them."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.helpers.params_messages import edit_experiment, list_message_lines
from tests.helpers.params_schema import list_schema_errors

MOMENTUM = "    optimizer.momentum:\n"
MISSPELT = [
    (MOMENTUM, "    optimizer.momentun:\n"),
    (MOMENTUM, "    model.widht: {choices: [4]}\n    optimizer.momentum:\n"),
    (MOMENTUM, "    task.desnity: {choices: [0]}\n    optimizer.momentum:\n"),
    (MOMENTUM, "    loss.terms.cuont.weight:\n"),
    (MOMENTUM, "    loss.terms.count.wieght:\n"),
    (MOMENTUM, "    augment.online.filp:\n"),
    ("      when: {loss.terms.count.kind: huber}\n", "      when: {loss.terms.count.kid: huber}\n"),
    ("      when: {loss.terms.count.kind: huber}\n", "      when: {model.kid: cnn}\n"),
    ("  trials: 48 ", "  enqueue: [{model.kid: cnn}]\n  trials: 48 "),
    ("  trials: 48 ", "  enqueue: [{loss.terms.count.kid: l1}]\n  trials: 48 "),
]


@pytest.mark.parametrize("edit", MISSPELT, ids=lambda edit: edit[1].strip().replace("\n", " "))
def test_misspelt_names_are_refused(edit: tuple[str, str], tmp_path: Path) -> None:
    text = edit_experiment(edit)
    assert list_message_lines(tmp_path, text)
    assert list_schema_errors(YAML(typ="safe").load(text))


SEARCHED = [
    "loss.terms.count.schedule.final: {low: 0.0, high: 0.5}",
    "loss.terms.count.schedule.kind: {choices: [constant, cosine]}",
    "loss.terms.count.weight: {low: 0.5, high: 2.0}",
    "augment.online.flip: {low: 0.0, high: 0.5}",
    "model.last_gain: {low: 0.5, high: 1.0}",
    "task.kind: {choices: [count]}",
]


@pytest.mark.parametrize("parameter", SEARCHED)
def test_searched_places_are_valid(parameter: str, tmp_path: Path) -> None:
    scheduled = ("      delta: 1.0  ", "      schedule: {kind: cosine}\n      delta: 1.0  ")
    text = edit_experiment((MOMENTUM, f"    {parameter}\n{MOMENTUM}"), scheduled)
    assert list_message_lines(tmp_path, text) == []
    assert list_schema_errors(YAML(typ="safe").load(text)) == []
