"""A project away from the repository, with the installed wheel and the real DVC: what runs after which change."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers.clone import ALL, SMALL, SMALLER, list_stages_run
from tests.helpers.small_study import set_values
from tests.helpers.wheel import Installed, install_wheel

pytestmark = pytest.mark.slow
AFTER_MODEL = ["train", "evaluate", "study", "confirm", "diagnose", "report"]
IMPORTED = "from own_parts.width import scale\n\n\nclass Model"


def edit(file: Path, old: str, new: str) -> None:
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


def read_epochs(project: Path) -> dict[str, int]:
    """Return the epochs that each stage trained when it last ran."""
    stages = json.loads((project / "reports" / "timing.json").read_text())["stages"]
    return {name: stage["epochs"] for name, stage in stages.items()}


@pytest.fixture(scope="module")
def project(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a model of its own, and folders that have the names of ours."""
    folder = tmp_path_factory.mktemp("study")
    installed.run(folder, "thalweg", "init")
    yaml, file = YAML(), folder / "params.yaml"
    tree = yaml.load(file.read_text())
    set_values(tree, SMALL | SMALLER | {"model.kind": "own_model.Model", "model.depth": 1, "confirm.runners_up": 0})
    yaml.dump(tree, file)
    for name in ("pipeline", "models", "tests", "benchmarks"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')\n")
    return folder


def test_only_what_changed_runs(project: Path, installed: Installed, tmp_path: Path) -> None:
    def run_stages(program: Installed = installed) -> list[str]:
        return list_stages_run(program.run(project, "thalweg", "run"))

    assert run_stages() == ALL
    assert (project / "reports" / "report.html").is_file()
    assert run_stages() == []
    own = project / "own_model.py"
    edit(own, "import itertools\n", "import itertools  # an edited comment\n")
    assert run_stages() == []
    (project / "own_parts").mkdir()
    (project / "own_parts" / "width.py").write_text("scale = 1\n")
    edit(own, "class Model", IMPORTED)
    assert run_stages() == AFTER_MODEL
    edit(project / "own_parts" / "width.py", "scale = 1", "scale = 2")
    assert run_stages() == AFTER_MODEL
    assert read_epochs(project)["train"] > 0
    assert run_stages() == []
    upgraded = install_wheel(tmp_path, version="99.0.0")
    assert upgraded.run(project, "thalweg", "--version") == "thalweg 99.0.0\n"
    assert run_stages(upgraded) == ALL
    # the code gives what it gave, so nothing is trained
    assert not any(read_epochs(project).values())
    assert run_stages(upgraded) == []


def test_vs_code_finds_experiments_and_plots(project: Path, installed: Installed) -> None:
    """By the commands that VS Code's extension DVC runs, on the project as it is and on a commit."""
    installed.run(project, "thalweg", "run")
    for command in (["add", "--all"], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "a"]):
        subprocess.run(["git", *command], cwd=project, check=True, capture_output=True)

    def read(*command: str) -> Any:
        done = installed.attempt(project, "python", "-m", "dvc", *command, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    rows = read("exp", "show", "-n", "3")
    assert [row["rev"] == "workspace" for row in rows] == [True, False]
    for row in rows:
        params, metrics = row["data"]["params"], row["data"]["metrics"]
        assert params["params.yaml"]["data"]["model"]["kind"] == "own_model.Model"
        assert "confirm_winner_mean" in metrics["reports/metrics.json"]["data"]
    plots = read("plots", "diff", "workspace", "HEAD", "-o", ".dvc/tmp/plots", "--split")
    assert plots.get("errors") is None
    assert plots["data"].keys() == {"reports/trials.csv", "Baseline", "Confirmed"}
    for (plot,) in plots["data"].values():
        assert plot["revisions"] == ["workspace", "HEAD"]
        assert plot["anchor_definitions"]["<DVC_METRIC_DATA>"]
    assert "reports/trials.csv" in read("data", "status", "--granular", "--unchanged")["unchanged"]
