"""The JSON Schema of params.yaml and own code: a dotted path in the place of each kind, with further keys."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.helpers.params_messages import TEXT, edit_experiment, list_message_lines
from tests.helpers.params_schema import list_schema_errors

OWN = """
from typing import Literal

from flax import nnx
from optax import scale_by_learning_rate

from thalweg.core.augmentations import Change, declare_change
from thalweg.core.metrics import Metric
from thalweg.data.examples import DataSource
from thalweg.tasks.count import Count


class Source(DataSource):
    kind: Literal["own_for_schema.Source"]
    depth: int = 3

    def read_examples(self, path, seed):
        raise NotImplementedError


class Task(Count):
    kind: Literal["own_for_schema.Task"]
    margin: float = 0.1


class Model(nnx.Module):
    def __init__(self, inputs, outputs, *, width: str = "wide", rngs):
        pass


def loss(prediction, target, *, share=0.4, delta=-7.0):
    return abs(prediction - target)


def schedule(epoch, epochs, *, every=-4.0):
    return epoch / every


def optimizer(*, learning_rate, momentum=5.0, pull=0.1):
    return scale_by_learning_rate(learning_rate)


@declare_change(Change.NOTHING)
def blur(key, batch, strength):
    return batch


worst = Metric("min", low=0.0, function=lambda prediction, truth, weight: abs(prediction - truth).max())
"""
SCENES = re.search(r"    kind: scenes.*?(?=  on_bad)", TEXT, re.DOTALL)[0]  # type: ignore[index]
SPACE = "    optimizer.momentum:\n      low: 0.0\n      high: 0.98\n"
LOSS_CHOICES = ("choices: [l1, l2, huber, poisson]", "choices: [l2, huber, own_for_schema.loss]")
GOOD = {
    "source": [(SCENES, "    kind: own_for_schema.Source\n    depth: 2\n")],
    "task": [("kind: count ", "kind: own_for_schema.Task "), ("  density: 0 ", "  margin: 0.2 ")],
    "model": [("kind: cnn ", "kind: own_for_schema.Model "), ("  width: 12\n  depth: 3\n", "  width: narrow\n")],
    "searched model": [
        (SPACE, "    model.kind: {choices: [linear, own_for_schema.Model]}\n"),
        ("  width: 12\n  depth: 3\n", ""),
        ("kind: cnn ", "kind: linear "),
    ],
    "size of an own model": [
        ("kind: cnn ", "kind: own_for_schema.Model "),
        ("  width: 12\n  depth: 3\n", ""),
        (SPACE, "    model.width: {choices: [wide, narrow]}\n"),
    ],
    "loss": [
        ("kind: l2 ", "kind: own_for_schema.loss "),
        ("      delta: 1.0 ", "      delta: -1.0 "),
        ("[l1, l2, huber, poisson]", "[own_for_schema.loss]"),
        ("      when: {loss.terms.count.kind: huber}\n", ""),
    ],
    "searched loss": [LOSS_CHOICES, ("      delta: 1.0 ", "      share: 0.3\n      delta: 1.0 ")],
    "number of a searched loss": [
        LOSS_CHOICES,
        (
            SPACE,
            "    loss.terms.count.share: {low: 0.1, high: 0.9, when: {loss.terms.count.kind: own_for_schema.loss}}\n",
        ),
    ],
    "condition on an own number": [
        LOSS_CHOICES,
        (
            SPACE,
            "    loss.terms.count.share: {choices: [0.1, 0.9], when: {loss.terms.count.kind: own_for_schema.loss}}\n"
            "    optimizer.momentum: {low: 0.0, high: 0.9, when: {loss.terms.count.share: 0.1}}\n",
        ),
        ("  trials: 48 ", "  enqueue: [{loss.terms.count.share: 0.9}]\n  trials: 48 "),
    ],
    "searched option of an own task": [
        ("kind: count ", "kind: own_for_schema.Task "),
        ("  density: 0 ", "  margin: 0.2 "),
        (SPACE, "    task.margin: {choices: [0.1, 0.2]}\n"),
        ("  trials: 48 ", "  enqueue: [{task.margin: 0.1}]\n  trials: 48 "),
    ],
    "schedule": [("kind: cosine ", "kind: own_for_schema.schedule "), ("  final: 0.0 ", "  every: -1 ")],
    "searched schedule": [
        (SPACE, "    schedule.kind: {choices: [cosine, own_for_schema.schedule]}\n"),
        ("  final: 0.0 ", "  every: 3 "),
    ],
    "schedule of a term": [
        ("      delta: 1.0 ", "      schedule: {kind: own_for_schema.schedule, every: -2}\n      delta: 1.0 ")
    ],
    "optimizer": [
        ("kind: heavy_ball ", "kind: own_for_schema.optimizer "),
        ("  momentum: 0.9\n", "  momentum: 5\n  pull: 1\n"),
    ],
    "range of an own number": [
        ("kind: heavy_ball ", "kind: own_for_schema.optimizer "),
        ("      low: 0.0\n      high: 0.98\n", "      low: 2.0\n      high: 6.0\n"),
    ],
    "searched optimizer": [
        (SPACE, "    optimizer.kind: {choices: [heavy_ball, own_for_schema.optimizer]}\n"),
        ("  momentum: 0.9\n", "  momentum: 0.9\n  pull: 1\n"),
    ],
    "augmentation": [("    noise: 0.0 ", "    own_for_schema.blur: 0.5\n    noise: 0.0 ")],
    "nested augmentation": [("    noise: 0.0 ", "    own_for_schema: {blur: 0.5}\n    noise: 0.0 ")],
    "searched augmentation": [(SPACE, "    augment.online.own_for_schema.blur: {low: 0.0, high: 1.0}\n")],
    "metric": [
        ("  density: 0 ", "  metrics: [own_for_schema.worst]\n  density: 0 "),
        ("objective: mae ", "objective: worst "),
    ],
    "section": [("sections: [] ", "sections: [own_for_schema.section] ")],
    "sampler": [("sampler: tpe ", "sampler: own_for_schema.sampler ")],
}
"""Edits of a good file that use own code; the file stays good."""
WRONG = {
    "no dotted path": [("kind: cnn ", "kind: own for.Model ")],
    "strength": [("    noise: 0.0 ", "    own_for_schema.blur: 1.5\n    noise: 0.0 ")],
    "rate": [
        ("kind: heavy_ball ", "kind: own_for_schema.optimizer "),
        ("  learning_rate: 0.001\n", "  learning_rate: 0\n"),
    ],
    "weight": [("kind: l2 ", "kind: own_for_schema.loss "), ("      weight: 1.0\n", "      weight: -1\n")],
    "own scale": [("kind: cnn ", "kind: own_for_schema.Model "), ("  width: 12\n  depth: 3\n", "  gain: 0\n")],
    "another section": [LOSS_CHOICES, ("  width: 12\n", "  widht: 12\n")],
    "unsearched kind": [("kind: l2 ", "kind: own_for_schema.loss "), ("  clip: null ", "  clp: null ")],
}


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_for_schema.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("name", GOOD)
def test_own_code_is_valid(name: str, tmp_path: Path) -> None:
    text = edit_experiment(*GOOD[name])
    assert list_message_lines(tmp_path, text) == []
    assert list_schema_errors(YAML(typ="safe").load(text)) == []


@pytest.mark.parametrize("name", WRONG)
def test_keys_beside_own_code_are_checked(name: str, tmp_path: Path) -> None:
    text = edit_experiment(*WRONG[name])
    assert list_message_lines(tmp_path, text)
    assert list_schema_errors(YAML(typ="safe").load(text))
