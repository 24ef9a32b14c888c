"""The experiment as typed parts: replacing, sizes of models, losses' numbers."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.helpers.paths import ROOT
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.config.model import MODEL_KINDS, ModelConfig
from thalweg.config.tree import flatten_tree

CONFIG = load_config(ROOT / "params.yaml")

MINE = """
from flax import nnx

class Mine(nnx.Module):
    def __init__(self, inputs, outputs, *, widths: tuple[int, ...] = (8, 4), depth: int, free=None, rngs): ...

def function(inputs): ...

class Text(nnx.Module):
    def __init__(self, inputs, outputs, *, width: "int" = 3, rngs): ...

class Taken(nnx.Module):
    def __init__(self, inputs, outputs, *, gain: float = 3.0, rngs): ...
"""


@pytest.fixture
def user_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with a person's own models."""
    (tmp_path / "persons_own.py").write_text(MINE)
    (tmp_path / "persons_broken.py").write_text("def (")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "persons_own", raising=False)
    return "persons_own"


def test_replace_values_with_nothing() -> None:
    assert CONFIG.replace_values({}) == CONFIG


def test_replace_values_at_their_paths() -> None:
    changed = CONFIG.replace_values({"optimizer.momentum": 0.25, "loss.terms.count.kind": "huber"})
    before, after = (dict(flatten_tree(config.model_dump())) for config in (CONFIG, changed))
    assert {path for path in before if before[path] != after[path]} == {"optimizer.momentum", "loss.terms.count.kind"}
    assert (after["optimizer.momentum"], after["loss.terms.count.kind"]) == (0.25, "huber")


@pytest.mark.parametrize("kind", MODEL_KINDS)
def test_drawn_kind_has_its_own_defaults(kind: str) -> None:
    for first in MODEL_KINDS:
        config = CONFIG.replace_values({"model": {"kind": first}})
        for again in (config, Config.model_validate_json(json.dumps(config.dump_written()))):
            assert again == config
            assert again.replace_values({"model.kind": kind}).model == ModelConfig.model_validate({"kind": kind})
    written = CONFIG.replace_values({"model": {"kind": "mlp", "width": 3}})
    assert dict(written.replace_values({"model.kind": "cnn"}).model.sizes)["width"] == 3


@pytest.mark.parametrize("values", [{"optimizer.momentum": 1.0}, {"optimizer.momentun": 0.5}, {"study.trials": "6"}])
def test_replace_values_validates(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CONFIG.replace_values(values)


def test_flatten_tree_uses_dotted_paths() -> None:
    assert dict(flatten_tree({"a": {"b": 1, "c": {"d": [2]}}, "e": None})) == {"a.b": 1, "a.c.d": [2], "e": None}


def test_model_sizes_have_defaults() -> None:
    short = ModelConfig.model_validate({"kind": "mlp", "depth": 1})
    assert dict(short.sizes)["depth"] == 1
    assert short == ModelConfig.model_validate({"kind": "mlp", **dict(short.sizes)})


def test_shipped_models_load() -> None:
    assert {"linear", "mlp", "cnn", "resnet"} <= set(MODEL_KINDS)
    for kind in MODEL_KINDS:
        assert hash(ModelConfig.model_validate({"kind": kind}).sizes)


def test_user_model_lists_to_tuples(user_module: str) -> None:
    part = ModelConfig.model_validate({"kind": f"{user_module}.Mine", "widths": [3, 2], "depth": 1})
    assert part.sizes == (("depth", 1), ("free", None), ("widths", (3, 2)))
    assert ModelConfig.model_validate({"kind": f"{user_module}.Text"}).sizes == (("width", 3),)


@pytest.mark.parametrize(
    "sizes", [{}, {"depth": "1"}, {"depth": 1, "widths": [1.5]}, {"depth": 1, "widths": 3}, {"depth": 1, "wide": 2}]
)
def test_wrong_user_model_sizes_are_errors(user_module: str, sizes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModelConfig.model_validate({"kind": f"{user_module}.Mine", **sizes})


def test_scales_of_initial_weights_are_no_sizes(user_module: str) -> None:
    part = ModelConfig.model_validate({"kind": f"{user_module}.Text", "gain": 0.5, "last_gain": 0.0})
    assert (part.gain, part.last_gain, part.sizes) == (0.5, 0.0, (("width", 3),))
    assert part == ModelConfig.model_validate(part.model_dump())
    with pytest.raises(ValidationError, match=r"has a size `gain`; give it another name"):
        ModelConfig.model_validate({"kind": f"{user_module}.Taken"})
    with pytest.raises(ValidationError):
        ModelConfig.model_validate({"kind": "mlp", "gain": 0.0})


@pytest.mark.parametrize("kind", ["persons_own.function", "persons_own.Nobody", "persons_broken.Mine", "layers", ""])
@pytest.mark.usefixtures("user_module")
def test_invalid_model_is_an_error(kind: str) -> None:
    with pytest.raises(ValidationError):
        ModelConfig.model_validate({"kind": kind})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schedule.every", 0.0),
        ("schedule.period", 0.0),
        ("schedule.peak_at", 1.5),
        ("schedule.final", 2.0),
        ("loss.terms.count.delta", 0.0),
        ("optimizer.learning_rate", 0.0),
        ("optimizer.learning_rate", float("inf")),
        ("confirm.seeds", 1),
        ("seed", -1),
    ],
)
def test_invalid_numbers_are_refused(path: str, value: float) -> None:
    with pytest.raises(ValidationError):
        CONFIG.replace_values({path: value})


def test_config_matches_params_file() -> None:
    assert set(Config.model_fields) == set(CONFIG.model_dump())


def test_old_section_names_still_work() -> None:
    config = CONFIG.replace_values({"report.sections": ["made", "result", "worst", "slices", "terms"]})
    assert config.report.sections == ("provenance", "result", "errors", "parameters", "loss_terms")
