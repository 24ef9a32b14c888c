"""The README's examples, run as they stand there."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from tests.helpers.clone import Clone
from tests.helpers.paths import ROOT
from thalweg.data.sources import idx

pytestmark = pytest.mark.slow


def example(name: str, language: str) -> str:
    """The first block of a language after an example's mark."""
    after = (ROOT / "README.md").read_text().split(f"<!-- example: {name} -->")[1]
    found = re.search(rf"```{language}\n(.*?)```", after, re.DOTALL)
    assert found
    return found.group(1)


def params(name: str) -> dict[str, Any]:
    tree: dict[str, Any] = YAML(typ="safe").load(example(name, "yaml"))
    return tree


def test_your_own_data(clone: Callable[[], Clone]) -> None:
    one = clone()
    rows = example("data", "").split("labels.csv")[1].split()
    header = rows[0]
    assert header == "image,count,group"
    images = one.folder / "photos" / "images"
    images.mkdir(parents=True)
    table = [header]
    for index in range(40):
        pixels = np.random.default_rng(index).integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(pixels).save(images / f"{index}.{'jpg' if index % 2 else 'png'}")
        table.append(f"{index}.{'jpg' if index % 2 else 'png'},{index % 5},day{index % 8}")
    (one.folder / "photos" / "labels.csv").write_text("\n".join(table) + "\n")
    data = params("data")["data"]
    one.set({"data": data, "training.epochs": 2})  # the whole part, as it stands there
    one.run("dvc", "repro", "evaluate")
    assert '"examples"' in (one.folder / "artifacts/prepared/manifest.json").read_text()


def test_your_own_model_loss_and_search(clone: Callable[[], Clone]) -> None:
    one = clone()
    (one.folder / "mymodels.py").write_text(example("model", "python"))
    losses = one.folder / "pipeline/core/losses.py"
    text = losses.read_text().replace("FAMILIES: dict", f"{example('loss', 'python')}\n\nFAMILIES: dict", 1)
    losses.write_text(text.replace("poisson, charbonnier)", "poisson, charbonnier, quantile)"))
    space = params("space")["study"]["space"]
    space["loss.terms.count.kind"]["choices"].append("quantile")
    one.set(
        {
            "model": params("model")["model"],
            "loss.terms.count.kind": "quantile",
            "loss.terms.count.share": 0.5,
            "study.space": {**space, "model.width": {"choices": [8, 64]}},
        }
    )
    assert "2 programs" in one.run("thalweg", "check")
    one.run("dvc", "repro", "study")
    header = (one.folder / "reports/trials.csv").read_text().splitlines()[0]
    assert set(space) <= set(header.split(","))


def test_the_commands_it_names_exist(clone: Callable[[], Clone]) -> None:
    one = clone()
    told = one.run("thalweg", "--help")
    for command in re.findall(r"`thalweg (\w+)", (ROOT / "README.md").read_text()):
        assert command in told


def test_the_presets_it_names_are_good(clone: Callable[[], Clone]) -> None:
    """As they stand, but for data that lies elsewhere on this machine, or nowhere: only its files' names are here."""
    one = clone()
    for name in ("labels.csv", *idx.FILE_NAMES):
        (one.folder / "data" / name).touch()
    table = (ROOT / "README.md").read_text().split("## Presets")[1]
    named = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    assert sorted(named) == sorted(file.stem for file in (ROOT / "presets").glob("*.yaml"))
    for name in named:
        preset = one.folder / "presets" / f"{name}.yaml"
        preset.write_text(re.sub(r"^  path: \S+", "  path: data", preset.read_text(), count=1, flags=re.MULTILINE))
        one.run("thalweg", "check", f"presets/{name}.yaml")
