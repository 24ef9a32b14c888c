"""What the stage `inputs` records for the others."""

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import thalweg
from tests.helpers.paths import ROOT
from thalweg.stages import STAGE_NAMES, inputs
from thalweg.system import files

MODEL = "from own_watched.layers import width\n\nclass Model:\n    pass\n"
AFTER_MODEL = {"train", "evaluate", "study", "confirm", "diagnose", "report"}


@pytest.fixture
def project(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose model and one of whose losses are its own."""
    monkeypatch.syspath_prepend("")
    text = (ROOT / "params.yaml").read_text().replace("kind: cnn ", "kind: own_watched.net.Model ")
    assert "choices: [l1, l2, huber, poisson]" in text
    (empty_folder / "params.yaml").write_text(text.replace("l2, huber, poisson]", "l2, huber, own_watched.cost.far]"))
    shutil.copyfile(ROOT / "dvc.yaml", empty_folder / "dvc.yaml")
    (empty_folder / "own_watched").mkdir()
    for name, code in {"net": MODEL, "layers": "width = 3\n", "cost": "def far(): ...\n", "other": ""}.items():
        (empty_folder / "own_watched" / f"{name}.py").write_text(code)
    return empty_folder


def read_records() -> dict[str, str]:
    inputs.main()
    return {file.stem: file.read_text() for file in Path("artifacts/inputs").iterdir()}


@pytest.mark.usefixtures("project")
def test_each_stage_has_the_code_that_its_keys_reach() -> None:
    records = {stage: json.loads(text) for stage, text in read_records().items()}
    assert records.keys() == set(STAGE_NAMES)
    assert {record["thalweg"] for record in records.values()} == {thalweg.__version__}
    model, loss = {"own_watched.net", "own_watched.layers"}, {"own_watched.cost"}
    searching = {"study", "confirm", "diagnose", "report"}
    for stage, record in records.items():
        expected = (model if stage in AFTER_MODEL else set()) | (loss if stage in searching else set())
        assert record["code"].keys() == expected, stage


@pytest.mark.parametrize(
    ("file", "text", "changed"),
    [
        ("net", MODEL + "# a comment\n", set()),
        ("net", MODEL.replace("Model:", "Model(object):"), AFTER_MODEL),
        ("layers", "width = 4\n", AFTER_MODEL),
        ("cost", "def far(): return 1\n", {"study", "confirm", "diagnose", "report"}),
        ("other", "x = 1\n", set()),
    ],
)
def test_edit_changes_the_records_of_its_stages(project: Path, file: str, text: str, changed: set[str]) -> None:
    before = read_records()
    (project / "own_watched" / f"{file}.py").write_text(text)
    after = read_records()
    assert {stage for stage in after if after[stage] != before[stage]} == changed


@pytest.mark.usefixtures("project")
def test_new_version_changes_every_record(monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_records()
    monkeypatch.setattr(thalweg, "__version__", "99.0.0")
    after = read_records()
    assert all(after[stage] != before[stage] for stage in STAGE_NAMES)


ADDS_FOLDER = """import os, sys
print("not what is asked for")
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from thalweg.models.linear import Model as Linear
import own_added
class Model(Linear): ...
"""


def test_folder_that_own_code_adds_is_watched(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [*sys.path])
    (project / "own_watched" / "net.py").write_text(ADDS_FOLDER)
    (project / "own_watched" / "lib").mkdir()
    (project / "own_watched" / "lib" / "own_added.py").write_text("width = 3\n")
    before = read_records()
    assert json.loads(before["train"])["code"].keys() == {"own_watched.net", "own_added"}
    assert read_records() == before
    assert "own_watched" not in sys.modules  # another process imported it
    (project / "own_watched" / "lib" / "own_added.py").write_text("width = 4\n")
    after = read_records()
    assert {stage for stage in after if after[stage] != before[stage]} == AFTER_MODEL


@pytest.mark.parametrize(
    "text",
    ["import sys\nsys.path.append('a')\nraise SystemExit", "import sys.path(", "import os, sys\nsys.path\nos._exit(0)"],
)
def test_broken_own_code_is_recorded(project: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [*sys.path])
    (project / "own_watched" / "net.py").write_text(text)
    assert json.loads(read_records()["train"])["code"].keys() == {"own_watched.net"}


def test_upgrade_of_a_library_changes_the_records_of_its_stages(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend("site-packages")
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("own_watched.cost.far", "quiet_costs.far"))
    (project / "own_watched" / "layers.py").write_text("import jax\nwidth = 3\n")
    facts = project / "site-packages" / "quiet_costs-1.0.dist-info" / "METADATA"
    facts.parent.mkdir(parents=True)
    facts.write_text("Name: quiet-costs\nVersion: 1.0\n")
    (project / "site-packages" / "quiet_costs.py").write_text("")
    before = read_records()
    assert json.loads(before["study"])["libraries"] == {"jax": version("jax"), "quiet-costs": "1.0"}
    assert json.loads(before["train"])["libraries"] == {"jax": version("jax")}
    assert json.loads(before["prepare"])["libraries"] == {}
    facts.write_text("Name: quiet-costs\nVersion: 1.1\n")
    after = read_records()
    assert {stage for stage in after if after[stage] != before[stage]} == {"study", "confirm", "diagnose", "report"}


@pytest.mark.usefixtures("project")
def test_line_names_the_code() -> None:
    listed = "own_watched.cost, own_watched.layers, own_watched.net"
    assert inputs.main() == f"thalweg {thalweg.__version__}; own code: {listed}"


def test_module_imported_by_a_call_is_watched(project: Path) -> None:
    (project / "own_watched" / "net.py").write_text(
        "import importlib\n"
        + MODEL.replace("from own_watched.layers import width", "importlib.import_module('own_called')")
    )
    (project / "own_called.py").write_text("width = 3\n")
    before = read_records()
    assert json.loads(before["train"])["code"].keys() == {"own_watched.net", "own_called"}
    (project / "own_called.py").write_text("width = 4\n")
    after = read_records()
    assert {stage for stage in after if after[stage] != before[stage]} == AFTER_MODEL


def test_line_names_imports_that_nothing_can_follow(project: Path) -> None:
    net = project / "own_watched" / "net.py"
    net.write_text(f"import importlib\n{MODEL}\nimportlib.import_module('own_' + 'called')\n")
    assert inputs.main().splitlines()[1:] == [
        "note: own code imports a module by a name that is made at run time (net.py:7); "
        "no edit of that module is noticed, so import it by its name in quotes"
    ]


def test_broken_params_are_named(project: Path) -> None:
    (project / "params.yaml").write_text("seed: [")
    with pytest.raises(files.UserError, match=r"params\.yaml:1"):
        inputs.main()
