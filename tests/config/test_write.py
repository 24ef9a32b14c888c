"""A params file with other values, its comments kept."""

from pathlib import Path

from ruamel.yaml import YAML

from tests.helpers.paths import ROOT
from thalweg.config import write
from thalweg.config.load import load_config


def test_rewrite_without_values_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(write.rewrite_params((ROOT / "params.yaml").read_text(), {}))
    assert load_config(file) == load_config(ROOT / "params.yaml")


def test_rewrite_keeps_comments(tmp_path: Path) -> None:
    values = {"optimizer.learning_rate": 0.22312086033329206, "loss.terms.count.kind": "poisson"}
    file = tmp_path / "params.yaml"
    file.write_text(write.rewrite_params((ROOT / "params.yaml").read_text(), values))
    config = load_config(file)
    assert config.optimizer.learning_rate == values["optimizer.learning_rate"]
    assert config.loss.terms["count"].kind == "poisson"
    assert config == load_config(ROOT / "params.yaml").replace_values(values)
    assert "# all random numbers follow from it" in file.read_text()


def test_rewrite_adds_omitted_value(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(write.rewrite_params((ROOT / "params.yaml").read_text(), {"augment.online.cutout": 0.0}))
    assert "cutout: 0.0" in file.read_text()


def test_aliased_section_changes_in_one_place(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("first: &one\n  rate: 1\n  size: 2\nsecond: *one\n")
    file.write_text(write.rewrite_params(file.read_text(), {"second.rate": 5}))
    content = YAML(typ="safe").load(file)
    assert content == {"first": {"rate": 1, "size": 2}, "second": {"rate": 5, "size": 2}}
