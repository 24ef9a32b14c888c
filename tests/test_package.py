"""One importable name: in a wheel, in a stage, in a worker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.helpers.paths import ROOT
from tests.helpers.wheel import Installed, list_tracked_files

MODULES = """
import json, sys
from pathlib import Path

def modules(_data):
    return [(name, str(Path(module.__file__).resolve())) for name, module in list(sys.modules.items())
            if getattr(module, "__file__", None)]

if __name__ == "__main__":
    from thalweg.cli import main
    from thalweg.engine.launchers.local import start_local_workers
    assert main(["stage", "prepare"]) == 0
    import thalweg.engine.population, thalweg.models.cnn
    with start_local_workers({"data": 0}, 2) as two:
        print(json.dumps({"stage": modules(None), "worker": two.submit(modules).result()}))
"""


@pytest.mark.slow
def test_modules_load_once(tmp_path: Path) -> None:
    yaml = YAML()
    params = yaml.load((ROOT / "params.yaml").read_text())
    params["data"]["source"] |= {"examples": 60, "size": [24, 24]}
    yaml.dump(params, tmp_path / "params.yaml")
    (tmp_path / "data").mkdir()
    (tmp_path / "modules.py").write_text(MODULES)
    done = subprocess.run(
        [sys.executable, "modules.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    for process, modules in json.loads(done.stdout.splitlines()[-1]).items():
        by_name = {name: file for name, file in modules if Path(file).is_relative_to(ROOT) and ".venv" not in file}
        assert {name.partition(".")[0] for name in by_name} == {"thalweg"}, process
        assert len(set(by_name.values())) == len(by_name), process


@pytest.mark.parametrize("name", ["pipeline", "models"])
def test_folders_are_not_importable(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "ImportError: import thalweg" in done.stderr


@pytest.mark.slow
def test_wheel_has_one_package(installed: Installed) -> None:
    assert {name.partition("/")[0] for name in installed.names if ".dist-info/" not in name} == {"thalweg"}
    assert {"thalweg/models/cnn.py", "thalweg/py.typed"} <= installed.names


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "inside"), [("pipeline", ""), ("models", "models/"), ("presets", "presets/")])
def test_wheel_has_every_tracked_file(installed: Installed, folder: str, inside: str) -> None:
    tracked = [name for name in list_tracked_files() if name.startswith(f"{folder}/") and not name.endswith(".md")]
    wanted = {f"thalweg/{inside}{name.removeprefix(folder)[1:]}" for name in tracked if not (ROOT / name).is_symlink()}
    assert wanted - installed.names == set()


@pytest.mark.slow
def test_folders_of_a_user_hide_nothing(installed: Installed, tmp_path: Path) -> None:
    """Folders named as those of the repository, each a package that ends the process if it is imported."""
    for name in ("pipeline", "models", "data", "tests", "presets", "docs", "benchmarks"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')\n")
    assert "digits" in installed.run(tmp_path, "thalweg", "use")
    installed.run(tmp_path, "thalweg", "use", "digits")
    assert "params.yaml: no errors" in installed.run(tmp_path, "thalweg", "check")
    for stage in ("prepare", "augment", "train"):
        installed.run(tmp_path, "thalweg", "stage", stage)
    printed = installed.run(tmp_path, "python", "-c", "import thalweg.models.cnn; print(thalweg.__file__)")
    assert Path(printed.strip()).is_relative_to(installed.bin.parent)
