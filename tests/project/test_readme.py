"""Examples of README and docs/ that need a project, run as they stand there."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from tests.helpers.clone import Clone
from tests.helpers.doc_examples import find_example
from tests.helpers.paths import ROOT
from thalweg.data.sources import idx

pytestmark = pytest.mark.slow


def read_params(name: str) -> dict[str, Any]:
    tree: dict[str, Any] = YAML(typ="safe").load(find_example(name).text)
    return tree


def test_readme_own_data(clone: Callable[[], Clone]) -> None:
    project = clone()
    header = find_example("labels").text.split()[0]
    assert header == "image,count,group"
    images = project.folder / "photos" / "images"
    images.mkdir(parents=True)
    table = [header]
    for index in range(40):
        pixels = np.random.default_rng(index).integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(pixels).save(images / f"{index}.{'jpg' if index % 2 else 'png'}")
        table.append(f"{index}.{'jpg' if index % 2 else 'png'},{index % 5},day{index % 8}")
    (project.folder / "photos" / "labels.csv").write_text("\n".join(table) + "\n")
    data = read_params("data")["data"]
    project.set({"data": data, "training.epochs": 2})  # the whole part, as it stands there
    project.run("dvc", "repro", "evaluate")
    assert '"examples"' in (project.folder / "artifacts/prepared/manifest.json").read_text()


def test_readme_own_model_and_search(clone: Callable[[], Clone]) -> None:
    project = clone()
    model = read_params("own-model")["model"]
    (project.folder / f"{model['kind'].split('.')[0]}.py").write_text(find_example("model").text)
    losses = project.folder / "pipeline/core/losses.py"
    text = losses.read_text().replace("FAMILIES: dict", f"{find_example('loss').text}\n\nFAMILIES: dict", 1)
    losses.write_text(text.replace("poisson, charbonnier)", "poisson, charbonnier, quantile)"))
    space = read_params("space")["study"]["space"]
    space["loss.terms.count.kind"]["choices"].append("quantile")
    project.set(
        {
            "model": model,
            "loss.terms.count.kind": "quantile",
            "loss.terms.count.share": 0.5,
            "study.space": {**space, "model.width": {"choices": [8, 64]}},
        }
    )
    assert "2 programs" in project.run("thalweg", "check")
    project.run("dvc", "repro", "study")
    header = (project.folder / "reports/trials.csv").read_text().splitlines()[0]
    assert set(space) <= set(header.split(","))


def test_own_task_trains(clone: Callable[[], Clone]) -> None:
    project = clone()
    (project.folder / "pipeline/tasks/tally.py").write_text(find_example("task").text)
    example = read_params("own-task")
    project.set({"task": example["task"], "loss": example["loss"], "study.space": example["study"]["space"]})
    project.run("dvc", "repro", "evaluate")
    assert '"mae"' in (project.folder / "artifacts/evaluation/metrics.json").read_text()


def test_results_lie_where_page_says_and_clean_up(clone: Callable[[], Clone]) -> None:
    project = clone()
    project.set({"confirm.runners_up": 0, "diagnose.seeds": 0, "diagnose.landscape.points": 0})
    project.repro()
    page = (ROOT / "docs" / "results.md").read_text()
    for folder in ("reports", "artifacts"):
        table = page.split(f"## In {folder}/")[1].split("\n## ")[0]
        for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
            for name in re.findall(r"`(.*?)`", cell):
                requested = name != "diagnosis/terrain/"
                assert (project.folder / folder / name).exists() == requested, name
    project.run("bash", "-ec", find_example("clean").text)
    assert len([*project.folder.glob(".thalweg/*/made-for.json")]) == 4, "each stage that trains needs its own"
    assert (project.folder / "reports" / "report.html").exists()
    assert project.repro() == []


def test_readme_commands_exist(clone: Callable[[], Clone]) -> None:
    project = clone()
    help_text = project.run("thalweg", "--help")
    for command in re.findall(r"`thalweg (\w+)", (ROOT / "README.md").read_text()):
        assert command in help_text


def test_readme_presets_are_valid(clone: Callable[[], Clone]) -> None:
    """As they stand, but for data that lies elsewhere on this machine, or nowhere: only its files' names are here."""
    project = clone()
    for name in ("labels.csv", *idx.FILE_NAMES):
        (project.folder / "data" / name).touch()
    table = (ROOT / "README.md").read_text().split("Start from a preset")[1]
    named = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    assert sorted(named) == sorted(file.stem for file in (ROOT / "presets").glob("*.yaml"))
    for name in named:
        preset = project.folder / "presets" / f"{name}.yaml"
        preset.write_text(re.sub(r"^  path: \S+", "  path: data", preset.read_text(), count=1, flags=re.MULTILINE))
        project.run("thalweg", "check", f"presets/{name}.yaml")
