"""Mistakes in the search space."""

from pathlib import Path

import pytest

from tests.helpers.params_messages import (
    TEXT,
    edit_experiment,
    list_message_lines,
)

SIZES = "  width: 12\n  depth: 3\n"
KINDS = "      high: 0.98\n    model.kind: {choices: [cnn, linear]}\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      high: 0.98", "      high: 0.98\n    optimizer.clip: {choices: [null, 1.0]}"),
        (
            "      high: 0.98",
            "      high: 0.98\n    optimizer.b2: {choices: [null, 0.9]}\n    optimizer.kind: {choices: [adam]}",
        ),
        (f"{SIZES}", ""),
        (f"{SIZES}", "  repeat: 1\n"),
    ],
)
def test_null_is_a_choice_of_optional_numbers(tmp_path: Path, old: str, new: str) -> None:
    assert list_message_lines(tmp_path, edit_experiment((old, new))) == []


@pytest.mark.parametrize("name", ["optimizer.learning_rate", "schedule.warmup", "model.depth", "schedule.final"])
def test_null_is_no_choice_of_other_values(tmp_path: Path, name: str) -> None:
    text = edit_experiment(
        ("    optimizer.momentum:\n      low: 0.0\n      high: 0.98", f"    {name}: {{choices: [null]}}")
    )
    lines = list_message_lines(
        tmp_path,
        text.replace("    optimizer.learning_rate:\n      low: 0.0003\n      high: 0.3\n      log: true\n", ""),
    )
    assert any(f": study.space.{name}.choices.0: must be " in line and "empty (null)" in line for line in lines), lines


def test_keys_of_one_kind_need_a_condition(tmp_path: Path) -> None:
    both = (SIZES, ""), ("  kind: cnn  ", "  kind: linear  ")
    assert list_message_lines(tmp_path, edit_experiment(*both, ("      high: 0.98\n", KINDS))) == []
    width = f"{KINDS}    model.width: {{choices: [4, 8], when: {{model.kind: cnn}}}}\n"
    assert list_message_lines(tmp_path, edit_experiment(*both, ("      high: 0.98\n", width))) == []
    (line,) = list_message_lines(
        tmp_path, edit_experiment(*both, ("      high: 0.98\n", width.replace(", when: {model.kind: cnn}", "")))
    )
    entry = "`model.width: {choices: [4, 8], when: {model.kind: [cnn]}}`"
    assert line.partition(": ")[2] == f"study.space.model.width: `linear` has no `width`; write {entry}"
    without = width.replace(", when: {model.kind: cnn}", "")
    (line,) = list_message_lines(tmp_path, edit_experiment((SIZES, ""), ("      high: 0.98\n", without)))
    assert line.endswith(f"; write {entry}")


def test_partly_wrong_parameter_is_checked(tmp_path: Path) -> None:
    text = edit_experiment(("role: scientific ", "role: science "), ("[l1, l2, huber, poisson]", "[focal, huber]"))
    lines = [line.partition(": ")[2] for line in list_message_lines(tmp_path, text)]
    kind = "study.space.loss.terms.count.kind"
    assert len(lines) == 2
    assert lines[0].startswith(f"{kind}.choices.0: `focal` does not suit this term; allowed: l1, l2,")
    assert lines[1].startswith(f'{kind}.role: "science" is not known; allowed: scientific, nuisance; did you mean')


def test_unknown_parameter_is_checked(tmp_path: Path) -> None:
    text = edit_experiment(
        ("    optimizer.momentum:\n", "    optimizer.momentom:\n"), ("      high: 0.98", "      high: -1")
    )
    lines = [line.partition(": ")[2] for line in list_message_lines(tmp_path, text)]
    assert lines[0] == "study.space.optimizer.momentom: `low` must be below `high`"
    assert lines[1].startswith("study.space.optimizer.momentom: is not in this file; allowed: optimizer.momentum,")
    assert lines[1].endswith("did you mean `optimizer.momentum`?")
    assert len(lines) == 2


@pytest.mark.parametrize(
    "other", [("seed: 0 ", "seed: -1 "), ("  clip: null ", "  clip: -1 "), ("  kind: heavy_ball ", "  kind: sgd ")]
)
def test_all_searchable_keys_are_named_beside_other_errors(tmp_path: Path, other: tuple[str, str]) -> None:
    text = edit_experiment(("    optimizer.momentum:\n", "    optimizer.weight_deca:\n"), other)
    (line,) = [line for line in list_message_lines(tmp_path, text) if "weight_deca" in line]
    keys = ["kind", "learning_rate", "clip", "momentum", "b2", "eps"]
    assert all(f"optimizer.{key}" in line for key in keys), line
    assert "allowed: optimizer.weight_decay, " in line
    assert line.endswith("did you mean `optimizer.weight_decay`?")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("lr", "optimizer.learning_rate"),
        ("momentum", "optimizer.momentum"),
        ("augment.cutout", "augment.online.cutout"),
        ("loss.terms.cuont.delta", "loss.terms.count.delta"),
        ("model.widht", "model.width"),
        ("optimizer.zzz", ""),  # alike in its section alone
        ("kind", ""),  # of several sections
        ("study.trials", ""),  # no other key does what was meant
        ("task.metrics", ""),  # a list
    ],
)
def test_nearest_searchable_key_is_suggested(tmp_path: Path, name: str, suggestion: str) -> None:
    text = edit_experiment(("    optimizer.momentum:\n", f"    {name}:\n"))
    (line,) = [
        line for line in list_message_lines(tmp_path, text) if f"study.space.{name}: " in line and "allowed" in line
    ]
    found = line.partition("; did you mean `")[2].removesuffix("`?")
    assert found == suggestion
    assert line.partition("allowed: ")[2].startswith(suggestion)


def test_grid_requires_value_counts(tmp_path: Path) -> None:
    lines = [
        line.partition(": ")[2]
        for line in list_message_lines(tmp_path, edit_experiment(("  sampler: tpe", "  sampler: grid")))
    ]
    ranges = ["loss.terms.count.delta", "optimizer.learning_rate", "optimizer.momentum"]
    ask = "needs `points`, the number of values that sampler grid takes from the range"
    assert lines == [f"study.space.{name}: {ask}" for name in ranges]


def test_circular_conditions_are_named(tmp_path: Path) -> None:
    three = "".join(
        f"    {name}: {{choices: [0.1, 0.2], when: {{{other}: 0.1}}}}\n"
        for name, other in [
            ("optimizer.momentum", "schedule.final"),
            ("schedule.final", "schedule.warmup"),
            ("schedule.warmup", "optimizer.momentum"),
        ]
    )
    head = TEXT.partition("    loss.terms.count.kind:\n      choices")[0]
    lines = list_message_lines(tmp_path, head + three + "confirm: {}\ndiagnose: {}\nreport: {}\n")
    assert len(lines) == 3
    assert all("circular condition" in line for line in lines)
