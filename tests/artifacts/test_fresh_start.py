"""A study that starts from nothing says how the one before differs."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.paths import EXPERIMENT
from tests.helpers.small_study import set_values
from thalweg.artifacts import fingerprint
from thalweg.artifacts.fresh_start import FACTS_FILE, JOURNAL, explain_fresh_start, find_differences
from thalweg.config.load import load_config
from thalweg.search import study
from thalweg.system import files

CONFIG = load_config(EXPERIMENT)
FACTS: dict[str, Any] = {
    "code": {"thalweg.core.losses": "1", "models.cnn": "2"},
    "data": "d1",
    "flags": ["--xla_a=1"],
    "more": [],
    "environment": {"JAX_ENABLE_X64": None, "NPROC": "2"},
    "params": {"seed": 0, "study": {"space": {"optimizer.learning_rate": {"low": 0.1, "high": 0.3}}}},
    "processor": "Fast (x86_64, 1a)",
    "versions": {"jax": "0.12.0", "python": "3.13.1"},
}
HIGH = ("params", "study", "space", "optimizer.learning_rate", "high")
CASES = [
    (("params", "seed"), 1, "seed (0, now 1)"),
    (HIGH, 0.5, "study.space.optimizer.learning_rate.high (0.3, now 0.5)"),
    (("processor",), "Slow", "the processor (Fast (x86_64, 1a), now Slow)"),
    (("versions", "jax"), "0.13.0", 'jax ("0.12.0", now "0.13.0")'),
    (("code", "thalweg.core.losses"), "3", "the code of thalweg.core.losses"),
    (("code", "models.mlp"), "3", "the code of models.mlp"),
    (("environment", "NPROC"), "1", 'NPROC ("2", now "1")'),
    (("flags",), [], 'XLA_FLAGS (["--xla_a=1"], now [])'),
    (("environment", "JAX_ENABLE_X64"), "1", 'JAX_ENABLE_X64 (null, now "1")'),
    (("data",), "d2", "the prepared examples"),
]


def change(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    facts = deepcopy(FACTS)
    part = facts
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return facts


def begin(folder: Path, name: str, facts: dict[str, Any]) -> str:
    explanation = explain_fresh_start(folder / name, facts)
    files.write_text(folder / name / JOURNAL, "a line\n")
    return explanation


@pytest.mark.parametrize(("path", "value", "difference"), CASES)
def test_each_part_is_named(tmp_path: Path, path: tuple[str, ...], value: Any, difference: str) -> None:
    assert begin(tmp_path, "first", FACTS) == ""
    line = begin(tmp_path, "second", change(path, value))
    assert line == f"This study starts from nothing. The one in {tmp_path / 'first'} differs in {difference}."
    assert begin(tmp_path, "first", FACTS) == ""  # it goes on


def test_params_come_first_and_few_are_shown(tmp_path: Path) -> None:
    begin(tmp_path, "first", FACTS)
    facts = FACTS
    for path, value, _ in CASES:
        facts = deepcopy(facts)
        part = facts
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = value
    line = begin(tmp_path, "second", facts)
    assert "differs in seed (0, now 1); study.space.optimizer.learning_rate.high (0.3, now 0.5); " in line
    assert line.endswith("; 5 more.")
    assert "\n" not in line


def test_most_similar_study_is_named(tmp_path: Path) -> None:
    begin(tmp_path, "far", change(("params",), {"seed": 7}))
    begin(tmp_path, "near", change(HIGH, 0.4))
    assert "near differs in study.space.optimizer.learning_rate.high (0.4, now 0.3)." in begin(tmp_path, "now", FACTS)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff"])
def test_damaged_facts_stop_nothing(tmp_path: Path, content: bytes) -> None:
    begin(tmp_path, "first", FACTS)
    (tmp_path / "first" / FACTS_FILE).write_bytes(content)
    assert begin(tmp_path, "second", change(("environment", "NPROC"), "1")) == ""


def test_study_without_trials_is_not_named(tmp_path: Path) -> None:
    explain_fresh_start(tmp_path / "first", FACTS)
    assert begin(tmp_path, "second", change(("environment", "NPROC"), "1")) == ""


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"model.width": 13}, ["model.width (12, now 13)"]),
        ({"study.space": {}}, None),
        ({"study.trials": 96, "report.title": "other"}, []),
    ],
)
def test_facts_name_the_params_of_a_study(values: dict[str, Any], wanted: list[str] | None) -> None:
    tree = CONFIG.model_dump()
    set_values(tree, values)
    first = fingerprint.describe_study(CONFIG, "data", study)
    differences = find_differences(first, fingerprint.describe_study(CONFIG.replace_values(values), "data", study))
    assert differences == wanted or (wanted is None and all(name.startswith("study.space.") for name in differences))
    assert find_differences(first, json.loads(json.dumps(first))) == []
