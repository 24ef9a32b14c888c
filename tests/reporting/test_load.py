"""The search space as the report reads it."""

import math

from tests.helpers.paths import ROOT
from thalweg.config.load import load_config
from thalweg.reporting.load import list_searched_parameters

SPACE = {
    "training.batch_size": {"low": 8.0, "high": 64.0, "log": True, "whole": True, "role": "scientific"},
    "optimizer.momentum": {"low": 0.0, "high": 0.9, "when": {"loss.clip": [None, 1.0]}},
    "loss.clip": {"choices": [None, 1.0]},
}


def test_space_is_listed_with_null_by_name() -> None:
    config = load_config(ROOT / "params.yaml").replace_values({"study.space": SPACE})
    listed = {parameter.name: parameter for parameter in list_searched_parameters(config)}
    assert list(listed).index("loss.clip") < list(listed).index("optimizer.momentum")
    size = listed["training.batch_size"]
    assert (size.low, size.high, size.log, size.whole, size.role) == (8, 64, True, True, "scientific")
    clip = listed["loss.clip"]
    assert clip.choices == ("null", 1.0)
    assert math.isnan(clip.low)
    assert listed["optimizer.momentum"].when == {"loss.clip": ("null", 1.0)}
