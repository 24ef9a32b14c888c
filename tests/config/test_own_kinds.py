"""Own losses, schedules and optimizers in params.yaml: their numbers, and the lines of their faults."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from ruamel.yaml import YAML

from tests.helpers.params_messages import edit_experiment, find_line, list_message_lines
from tests.helpers.paths import EXPERIMENT
from thalweg.config.checks import find_problems
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.config.tree import replace_values
from thalweg.core import losses
from thalweg.training.build import build_hyper

OWN = """
from thalweg.core.hyperparameters import Share
from thalweg.core.metrics import Metric
from thalweg.tasks.count import Count


def quantile(prediction, target, *, share: Share = 0.4, delta=7.0):
    return abs(prediction - target)


def fall(epoch, epochs, *, every=4.0):
    return epoch / every


def narrow(prediction):
    return prediction


def worst(prediction, truth, weight):
    return abs(prediction - truth).max()


train_loss = Metric("min", function=worst)


class Named(Count):
    METRIC_DIRECTIONS = {"mae": "min", "value": "min"}
"""
CHOICES = ("choices: [l1, l2, huber, poisson]", "choices: [l1, l2, huber, own_kinds_of_test.quantile]")
SHARE = "    loss.terms.count.share: {low: 0.1, high: 0.9}\n    optimizer.momentum:\n"


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_kinds_of_test.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def load_edited(folder: Path, *edits: tuple[str, str]) -> Config:
    file = folder / "params.yaml"
    file.write_text(edit_experiment(*edits))
    return load_config(file)


def test_numbers_of_searched_own_kinds_are_keys(tmp_path: Path) -> None:
    config = load_edited(tmp_path, CHOICES, ("    optimizer.momentum:\n", SHARE))
    term = config.loss.terms["count"]
    assert (term.share, term.delta) == (0.4, 1.0)  # delta is huber's, as the kind is l2
    own = config.replace_values({"loss.terms.count.kind": "own_kinds_of_test.quantile"})
    assert (own.loss.terms["count"].share, own.loss.terms["count"].delta) == (0.4, 1.0)  # as written
    changed = own.replace_values({"loss.terms.count": {"kind": "own_kinds_of_test.quantile"}})
    assert changed.loss.terms["count"].delta == 7.0


def test_every_trial_has_the_same_structure(tmp_path: Path) -> None:
    config = load_edited(tmp_path, CHOICES)
    kinds = ("l1", "huber", "own_kinds_of_test.quantile")
    hypers = [build_hyper(config.replace_values({"loss.terms.count.kind": kind})) for kind in kinds]
    assert len({jax.tree.structure(hyper) for hyper in hypers}) == 1
    assert [int(hyper.loss["count"]["kind"]) for hyper in hypers] == [
        losses.number_loss("regression", kind) for kind in kinds
    ]
    assert hypers[0].loss["count"]["share"] == np.float32(0.4)


@pytest.mark.parametrize(
    ("edits", "piece", "message"),
    [
        (
            [("      kind: l2 ", "      kind: own_kinds_of_test.narrow ")],
            "own_kinds_of_test.narrow",
            "loss.terms.count.kind: `own_kinds_of_test.narrow` takes (prediction); a loss takes (prediction, target)",
        ),
        (
            [("  kind: cosine ", "  kind: own_kinds_of_test.fell ")],
            "own_kinds_of_test.fell",
            "schedule.kind: `own_kinds_of_test.fell` is not there: `own_kinds_of_test` has no `fell`; did you mean "
            "`own_kinds_of_test.fall`?",
        ),
        (
            [("  kind: heavy_ball ", "  kind: no_such_file_of_test.step ")],
            "no_such_file_of_test",
            "optimizer.kind: `no_such_file_of_test.step` is not there: no file `no_such_file_of_test.py` lies beside "
            "params.yaml, and no package `no_such_file_of_test` is installed",
        ),
        (
            [("choices: [l1, l2, huber, poisson]", "choices: [l1, own_kinds_of_test.narrow, huber]")],
            "own_kinds_of_test.narrow",
            "study.space.loss.terms.count.kind.choices.1: `own_kinds_of_test.narrow` takes (prediction); a loss takes "
            "(prediction, target)",
        ),
        (
            [("  kind: count ", "  metrics: [own_kinds_of_test.train_loss]\n  kind: count ")],
            "own_kinds_of_test.train_loss",
            "task.metrics.0: `own_kinds_of_test.train_loss` has the name of a column of our tables, `train_loss`; give "
            "it another one",
        ),
        (
            [("  kind: count ", "  kind: own_kinds_of_test.Named ")],
            "own_kinds_of_test.Named",
            "task.kind: a metric of `own_kinds_of_test.Named` has the name of a column of our tables, `value`; give it "
            "another one",
        ),
        (
            [("      kind: l2 ", "      share: 2.0\n      kind: own_kinds_of_test.quantile "), CHOICES],
            "share: 2.0",
            "loss.terms.count.share: must be at most 1, not 2.0",
        ),
        (
            [("      kind: l2 ", "      share: 0.2\n      kind: own_kinds_of_test.quantile ")],
            "    loss.terms.count.kind:",
            "study.space.loss.terms.count.kind: has `choices` without the key `share`, which belongs to the "
            "`own_kinds_of_test.quantile` of this file; add `own_kinds_of_test.quantile` to the choices, or remove the "
            "key",
        ),
    ],
)
def test_fault_has_the_line_of_its_name(edits: list[tuple[str, str]], piece: str, message: str, tmp_path: Path) -> None:
    text = edit_experiment(*edits)
    assert list_message_lines(tmp_path, text) == [f"{find_line(text, piece)}: {message}"]


def test_searched_number_of_no_kind_is_unused(tmp_path: Path) -> None:
    searched = "    loss.terms.count.epsilon: {low: 0.1, high: 0.9}\n    optimizer.momentum:\n"
    for choices in ("[l1, huber]", "[huber, own_kinds_of_test.quantile]"):
        text = edit_experiment((CHOICES[0], f"choices: {choices}"), ("    optimizer.momentum:\n", searched))
        (line,) = list_message_lines(tmp_path, text)
        named = " and ".join(f"`{kind}`" for kind in choices.strip("[]").split(", "))
        assert f"is never used: {named} have no parameter `epsilon`" in line


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.source.kind", "sceens"),
        ("task.kind", "regress"),
        ("model.kind", "vit"),
        ("loss.terms.count.kind", "mse"),
        ("loss.terms.count.kind", "focal"),  # known, but unsuitable
        ("loss.terms.count.schedule", {"kind": "step"}),
        ("optimizer.kind", "sgd"),
        ("schedule.kind", "step"),
        ("study.sampler", "bayes"),
        ("augment.online.blur", 0.1),
        ("augment.offline.blur", 0.1),
        ("report.sections", ["mine"]),
        ("study.space", {"optimizer.kind": {"choices": ["sgd"]}}),
        ("study.space", {"loss.terms.count.kind": {"choices": ["mse"]}}),
        ("study.space", {"augment.online.blur": {"low": 0.0, "high": 0.1}}),
    ],
)
def test_unknown_member_may_be_own_code(path: str, value: Any) -> None:
    tree = YAML(typ="safe").load(EXPERIMENT)
    lines = [problem.describe_problem() for problem in find_problems(replace_values(tree, {path: value}))]
    assert any(", or your own as `package.module.name`" in line for line in lines), lines


@pytest.mark.parametrize(
    ("path", "value"),
    [("study.objective", "r2"), ("study.also", ["r2"]), ("study.constraints", {"r2": {"low": 0.5}})],
)
def test_unknown_metric_may_be_own_code(path: str, value: Any) -> None:
    tree = YAML(typ="safe").load(EXPERIMENT)
    (problem,) = find_problems(replace_values(tree, {path: value}))
    assert problem.describe_problem().endswith(", or your own, listed in task.metrics")


def test_unknown_key_and_value_are_no_own_code() -> None:
    tree = YAML(typ="safe").load(EXPERIMENT)
    changes = {"training.batch": 1, "study.randomness": "pair", "study.space": {"optimizer.lr": {"low": 1, "high": 2}}}
    lines = [problem.describe_problem() for problem in find_problems(replace_values(tree, changes))]
    assert len(lines) == 3
    assert not any("your own" in line for line in lines)
