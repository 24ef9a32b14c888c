"""One importable name: in a wheel, in a stage, in a worker."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.helpers.paths import ROOT

MODULES = """
import json, sys
from pathlib import Path

def modules(_data):
    return [(name, str(Path(module.__file__).resolve())) for name, module in list(sys.modules.items())
            if getattr(module, "__file__", None)]

if __name__ == "__main__":
    from thalweg.cli import main
    from thalweg.engine import workers
    assert main(["stage", "prepare"]) == 0
    import thalweg.engine.population, thalweg.models.cnn
    with workers.start_worker_pool({"data": 0}, 2) as two:
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
def test_wheel_has_one_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    copy = tmp_path / "project"  # setuptools leaves a `build` folder behind
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for file in filter(None, listed.split("\0")):
        if file.startswith(("pipeline/", "models/", "thalweg", "pyproject", "README", "LICENSE")):
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / file).is_symlink():
                (copy / file).symlink_to((ROOT / file).readlink())
            else:
                (copy / file).write_bytes((ROOT / file).read_bytes())
    subprocess.run([*command, str(copy)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"thalweg"}
    assert {"thalweg/models/cnn.py", "thalweg/py.typed"} <= set(names)
    page = {f"thalweg/reporting/page/{name}" for name in ("page.css", "page.js", "templates/page.html")}
    assert page <= set(names)
