"""How large an experiment is, before any data is read."""

from typing import Any

import pytest

from tests.helpers.paths import ROOT
from thalweg.cli import preflight, programs
from thalweg.config.experiment import Config
from thalweg.config.load import load_config

SMALL = {
    "data.source": {"kind": "scenes", "examples": 60, "size": [24, 24], "places": 12},
    "model": {"kind": "linear"},
    "training.epochs": 2,
    "training.batch_size": 8,
    "study.trials": 8,
    "study.cohort": 4,
}
CONFIG = load_config(ROOT / "params.yaml").replace_values(SMALL)
LINEAR_PARAMETERS = 24 * 24 * 3 + 1


def describe(config: Config) -> str:
    outline = preflight.build_outline(config.data, config.seed)
    assert outline is not None
    return programs.describe_size(config, outline, programs.list_programs(config, outline))


def test_size_in_words() -> None:
    text = describe(CONFIG)
    assert text.startswith(f"{LINEAR_PARAMETERS:,} parameters; 4 lanes train at once, ")
    assert text.endswith(" kB")  # 60 images of 24 x 24 x 3 bytes, and their labels


@pytest.mark.parametrize(
    ("values", "lanes"),
    [
        ({"study.seeds": 2, "study.in_flight": 2}, 16),
        ({"data.split": {"by": "folds", "folds": 3, "test": 0.2}}, 12),
        ({"study.trials": 1, "study.cohort": 1}, 1),
    ],
)
def test_lanes_at_once(values: dict[str, Any], lanes: int) -> None:
    assert programs.count_lanes(CONFIG.replace_values(values)) == lanes


def test_searched_size_gives_a_range() -> None:
    space = {"model.width": {"choices": [4, 8]}}
    config = CONFIG.replace_values({"model": {"kind": "mlp", "depth": 1}, "study.space": space})
    assert " to " in describe(config).partition(" parameters")[0]


@pytest.mark.parametrize(
    ("choices", "count", "notes"),
    [
        (["float32"], 1, 0),
        (["float32", "tf32"], 1, 1),
        (["bfloat16", "float32", "tf32"], 2, 2),
    ],
)
def test_precisions_of_a_cpu(choices: list[str], count: int, notes: int) -> None:
    """A CPU has no tf32: it needs no program of its own, and a note says so."""
    config = CONFIG.replace_values({"study.space": {"training.precision": {"choices": choices}}})
    outline = preflight.build_outline(config.data, config.seed)
    assert outline is not None
    assert programs.count_programs(config) == len(programs.list_programs(config, outline)) == count
    assert len(list(programs.list_precision_notes(config))) == notes


@pytest.mark.parametrize(
    ("batch_size", "epochs", "note"),
    [
        (
            32,
            10,
            "training.batch_size: 32 gives 1 mini-batch an epoch and 10 steps in all, ",
        ),
        (
            4,
            10,
            "training.batch_size: 4 gives 9 mini-batches an epoch and 90 steps in all, ",
        ),
        (2, 10, ""),
        (1, 2, ""),
    ],
)
def test_few_steps_are_named(batch_size: int, epochs: int, note: str) -> None:
    """60 images leave 36 to train on; nothing is smaller than a batch of one."""
    config = CONFIG.replace_values({"training.batch_size": batch_size, "training.epochs": epochs})
    outline = preflight.build_outline(config.data, config.seed)
    assert outline is not None
    notes = list(programs.list_batch_notes(programs.list_programs(config, outline)))
    assert (notes[0] if notes else "").startswith(note)
    assert bool(notes) == bool(note)


def test_program_counts_once() -> None:
    outline = preflight.build_outline(CONFIG.data, CONFIG.seed)
    assert outline is not None
    searched = CONFIG.replace_values({"study.space": {"training.batch_size": {"choices": [4, 8]}}})
    assert [len(programs.list_programs(config, outline)) for config in (CONFIG, searched)] == [1, 2]
