"""The code that a result follows from: all of it, and nothing else."""

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.helpers.modules import follow_imports
from tests.helpers.paths import ROOT
from thalweg.artifacts.fingerprint import study_fingerprint
from thalweg.artifacts.sources import LEFT_OUT, digest_sources, list_sources
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.confirm import candidates
from thalweg.core.network import import_model_class
from thalweg.diagnose import ablations, landscape
from thalweg.search import study
from thalweg.stages import STAGE_NAMES
from thalweg.system import files
from thalweg.training import baseline

CONFIG = load_config(ROOT / "params.yaml")
ENTRIES = {"train": [baseline], "study": [study], "confirm": [candidates], "diagnose": [ablations, landscape]}
"""The modules that train for each stage. What they give is kept in a folder, and replayed."""
AROUND_TRAINING = {
    "stages": "hand what is hashed on to the training",
    "search.run": "hands what is hashed on to the training",
    "config.checks": "check params.yaml, whose values are hashed",
    "config.covering": "checks params.yaml, whose values are hashed",
    "config.params_file": "reads params.yaml, whose values are hashed",
    "config.spaces": "lists what a study searches; the baseline is no study",
    "config.yaml_errors": "reads params.yaml, whose values are hashed",
    "config.notes": "prints notes",
    "config.write": "writes the values of a finished trial",
    "confirm.judged": "keeps what the trained candidates predicted",
    "artifacts": "writes and reads finished results, but for `prepared`",
    "search.database": "publishes finished trials",
    "search.optuna_storage": "publishes finished trials",
    "search.publisher": "publishes finished trials",
    "search.storage_place": "publishes finished trials",
    "search.progress_bar": "shows progress",
    "search.workload": "shows progress",
    "confirm.compare": "compares networks that are trained",
    "confirm.outputs": "writes results of networks that are trained",
    "confirm.questions": "compares networks that are trained",
    "confirm.selection": "names trials to retrain, which are hashed",
    "config.levels": "as `confirm.selection`; a study's own levels are covered",
    "config.settings": "as `config.levels`",
    "diagnose.gradient_check": "trains nothing, and keeps nothing",
    "diagnose.gradient_table": "trains nothing, and keeps nothing",
    "stats": "sums up finished results",
}
"""Modules and packages that a stage which trains imports, but whose code no kept result depends on; and why."""


def digest_code(config: Config) -> str:
    return digest_sources(list_sources(config, study))


def name_module(file: Path) -> str:
    """Return a module's dotted name."""
    path = file.relative_to(ROOT).with_suffix("")
    path = path.relative_to("pipeline") if path.parts[0] == "pipeline" else path
    return ".".join(("thalweg", *path.parts)).removesuffix(".__init__")


def lies_in(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


@pytest.mark.parametrize("stage", ENTRIES)
def test_all_code_of_a_training_stage_is_covered(stage: str) -> None:
    reached = set(map(name_module, follow_imports([ROOT / "pipeline" / "stages" / f"{stage}.py"])))
    covered = set().union(*(list_sources(CONFIG, entry) for entry in ENTRIES[stage]))
    reasons = [*LEFT_OUT, *(f"thalweg.{name}" for name in AROUND_TRAINING)]
    assert {name for name in reached - covered if not any(lies_in(name, reason) for reason in reasons)} == set()


@pytest.mark.parametrize("entry", [baseline, study, candidates, ablations, landscape])
def test_all_code_that_trains_is_covered(entry: ModuleType) -> None:
    assert entry.__file__
    reached = set(map(name_module, follow_imports([Path(entry.__file__).resolve()])))
    covered = list_sources(CONFIG, entry)
    assert {name for name in reached - covered.keys() if not any(lies_in(name, left) for left in LEFT_OUT)} == set()
    assert all(file.is_file() for file in covered.values())


@pytest.mark.parametrize("stage", ENTRIES)
def test_each_folder_is_named_by_the_code_that_trains(stage: str) -> None:
    modules = [importlib.import_module(f"thalweg.{name}") for name in (f"stages.{stage}", "search.run")]
    given = []
    for module in modules[: 2 if stage == "study" else 1]:
        assert module.__file__
        for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
            match node:
                case ast.Call(ast.Name("study_fingerprint" | "baseline_fingerprint"), [_, _, ast.Name(entry), *_]):
                    given.append(vars(module)[entry])
    assert given == ENTRIES[stage]


def test_every_stage_that_keeps_results_is_listed() -> None:
    keeper = ROOT / "pipeline" / "engine" / "state_folder.py"
    starts = {stage: ROOT / "pipeline" / "stages" / f"{stage}.py" for stage in STAGE_NAMES}
    assert [stage for stage, file in starts.items() if keeper in follow_imports([file])] == list(ENTRIES)


def test_every_exception_is_needed() -> None:
    starts = [ROOT / "pipeline" / "stages" / f"{stage}.py" for stage in ENTRIES]
    reached = set(map(name_module, follow_imports(starts, [ROOT / "pipeline/tasks"])))
    for name in (*LEFT_OUT, *(f"thalweg.{name}" for name in AROUND_TRAINING)):
        assert any(lies_in(module, name) for module in reached), name


@pytest.mark.parametrize(
    ("entry", "module", "counts"),
    [
        (ablations, "diagnose.ablations", True),
        (ablations, "confirm.candidates", True),
        (ablations, "diagnose.landscape", False),
        (landscape, "diagnose.loss_surface", True),
        (landscape, "diagnose.ablations", False),
        (candidates, "confirm.candidates", True),
        (candidates, "confirm.outputs", False),
        (candidates, "search.study", False),
        (baseline, "search.study", False),
        (baseline, "stats.verdicts", False),
        *((entry, "artifacts.prepared", True) for entry in (baseline, study, candidates, ablations, landscape)),
        *((study, f"search.{name}", True) for name in ("study", "cohorts", "distributions", "samplers", "tpe")),
        *((study, name, True) for name in ("data.examples", "training.build", "core.layers", "models.cnn")),
        *((study, name, False) for name in ("models.mlp", "search.stopping", "training.trace", "training.inference")),
        *((study, name, False) for name in ("diagnose.ablations", "confirm.candidates", "config.checks.file")),
        *((study, f"tasks.{name}", name == "count") for name in ("count", "classify", "detect", "enhance")),
    ],
)
def test_edit_changes_fingerprint(
    entry: ModuleType, module: str, counts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, read_bytes = study_fingerprint(CONFIG, "data", entry), files.read_bytes
    file = importlib.import_module(f"thalweg.{module}").__file__
    assert file

    def read_edited(path: Path) -> bytes:
        return read_bytes(path) + (b"\nEDITED = 1\n" if path.resolve() == Path(file).resolve() else b"")

    monkeypatch.setattr(files, "read_bytes", read_edited)
    assert (study_fingerprint(CONFIG, "data", entry) != before) == counts


@pytest.mark.parametrize(
    ("preset", "covered", "not_covered"),
    [
        ("detect", {"tasks.detect", "core.boxes"}, {"tasks.detect.draw_boxes", "tasks.count"}),
        ("enhance", {"tasks.enhance", "core.ssim"}, {"tasks.enhance.classical_filters", "tasks.count"}),
    ],
)
def test_only_the_task_in_use_counts(preset: str, covered: set[str], not_covered: set[str]) -> None:
    names = list_sources(load_config(ROOT / "presets" / f"{preset}.yaml"), study).keys()
    assert {f"thalweg.{name}" for name in covered} <= names
    assert not {f"thalweg.{name}" for name in not_covered} & names


def test_models_of_one_file_name_are_all_covered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    text = (
        "from {}.parts import WIDE\nfrom thalweg.models.linear import Model as M\n\nclass Mine(M):\n    wide = WIDE\n"
    )
    for package in ("first_of_two", "second_of_two"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "net.py").write_text(text.format(package))
        (tmp_path / package / "parts.py").write_text("WIDE = object\n\n\ndef helper():\n    pass\n")
    kinds = [f"{package}.net.Mine" for package in ("first_of_two", "second_of_two")]
    assert import_model_class(kinds[0]) is not import_model_class(kinds[1])
    searched = CONFIG.replace_values({"model": {"kind": kinds[0]}, "study.space": {"model.kind": {"choices": kinds}}})
    before = digest_code(searched)
    assert digest_code(searched) == before
    for package in ("first_of_two", "second_of_two"):
        file = tmp_path / package / "net.py"
        file.write_text(file.read_text() + "CHANGED = 1\n")
        after = digest_code(searched)
        assert after != before
        before = after


def test_user_model_imports_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_parts.py").write_text("def helper(x):\n    return x\n")
    (tmp_path / "own_net.py").write_text(
        "from own_parts import helper\nfrom thalweg.models import linear\n\n\n"
        "class Mine(linear.Model):\n    helper = helper\n"
    )
    config = CONFIG.replace_values({"model": {"kind": "own_net.Mine"}})
    before = digest_code(config)
    (tmp_path / "own_parts.py").write_text("def helper(x):\n    return 2 * x\n")
    assert digest_code(config) != before


def test_module_that_defines_own_code_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that names it follows no import of it, as a plug-in loader does."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_named.py").write_text("import importlib\nfall = importlib.import_module('own_' + 'made').fall\n")
    (tmp_path / "own_made.py").write_text("def fall(epoch, epochs):\n    return epoch * 0.0\n")
    config = CONFIG.replace_values({"schedule": {"kind": "own_named.fall"}})
    assert {"own_named", "own_made"} < list_sources(config, study).keys()


SOURCE = '''"""A module."""

LIMIT = 3
"""Of something."""


def double(x):
    """Say what it does."""
    return 2 * x  # why
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("A module", "Another", True),
        ("Of something", "Of much", True),
        ("Say what it does", "Say more", True),
        ("  # why", "", True),
        ("2 * x", "(2 * x)", True),
        ("2 * x", "3 * x", False),
        ("LIMIT = 3", "LIMIT = 4", False),
        ("return 2 * x", "return '2 * x'", False),
    ],
)
def test_code_digest_ignores_comments(tmp_path: Path, old: str, new: str, same: bool) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    (tmp_path / "b.py").write_text(SOURCE.replace(old, new))
    first, second = (digest_sources({"module": tmp_path / name}) for name in ("a.py", "b.py"))
    assert (first == second) is same


def write_own_model(folder: Path, imports: str, files_below: dict[str, str]) -> Config:
    """Write the user's model `own.net.Mine`, with the imports given, and more files of its package."""
    net = f"from thalweg.models import linear\n{imports}\n\nclass Mine(linear.Model):\n    pass\n"
    for name, text in {"__init__.py": "", "net.py": net, **files_below}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return CONFIG.replace_values({"model": {"kind": f"{folder.name}.net.Mine"}})


@pytest.mark.parametrize(
    ("package", "imports"),
    [
        ("own_absolute", "import own_absolute.deep.part"),
        ("own_relative", "from .deep import part"),
        ("own_called", "import importlib\npart = importlib.import_module('.deep.part', __package__)"),
        ("own_later", "def build():\n    from .deep.part import SIZE"),
        ("own_missing", "def build():\n    import no_such_package.part\n    from .deep import part"),
        ("own_outside", "def build():\n    from ....outside import part\n    from .deep import part"),
    ],
)
def test_every_import_of_a_user_model_counts(
    package: str, imports: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    more = {"deep/__init__.py": "", "deep/part.py": "SIZE = 1\n"}
    names = set(list_sources(write_own_model(tmp_path / package, imports, more), study))
    assert {name for name in names if not name.startswith("thalweg")} == {
        package,
        *(f"{package}.{name}" for name in ("net", "deep", "deep.part")),
    }
    assert "thalweg.models.linear" in names


@pytest.mark.parametrize("content", ["print 'an old Python'\n", "raise OSError\n", "\0"])
def test_broken_file_of_a_user_stops_nothing(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    package = f"own_broken_{len(content)}"
    imports = f"def build():\n    import {package}.old.part"
    config = write_own_model(tmp_path / package, imports, {"old/__init__.py": content, "old/part.py": ""})
    before = digest_code(config)
    (tmp_path / package / "old" / "__init__.py").write_text(f"{content}\n1 = 2")
    assert digest_code(config) != before


def test_libraries_do_not_count(config: Any) -> None:
    own = {name.partition(".")[0] for name in list_sources(config, study)}
    assert own == {"thalweg"}
