"""What a stage depends on must not change while it runs; anything else may."""

import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import thalweg
from tests.helpers.paths import ROOT
from tests.helpers.small_study import set_values
from thalweg.artifacts.inputs import read_loaded_params, require_unchanged_inputs
from thalweg.stages import inputs, runner
from thalweg.system import files
from thalweg.system.paths import PARAMS

STAGES = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
STAGES.pop("inputs")
CASES = [(stage, dep) for stage, record in STAGES.items() for dep in record["deps"]]
SECTIONS = sorted({key for record in STAGES.values() for key in record["params"]})
Edit = Callable[[], object]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which each dependency of each stage is a small file, or a folder with two."""
    for name in ("params.yaml", "dvc.yaml", ".dvcignore"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for _, dep in CASES:
        path = tmp_path / dep.replace("${data.path}", "data")
        for file in [path] if path.suffix else [path / "a.py", path / "deep" / "b.py"]:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"in {dep}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@cache
def edit_params(text: str, path: str, value: Any) -> str:
    """Return the text of params.yaml with another value at a dotted path."""
    yaml, edited = YAML(), StringIO()
    tree = yaml.load(text)
    set_values(tree, {path: value})
    yaml.dump(tree, edited)
    return edited.getvalue()


def run_with(monkeypatch: pytest.MonkeyPatch, stage: str, edit: Edit) -> None:
    """Run a stage during which something is edited, instead of its work."""
    monkeypatch.setattr(importlib.import_module(f"thalweg.stages.{stage}"), "main", lambda _config: edit())
    monkeypatch.setattr(runner, "record_stage_time", lambda *_: None)  # it asks git and the processor
    runner.run_stage(stage)


def find_leaf(section: str) -> tuple[str, Any]:
    """The dotted path of a value below a key that a stage lists, and another value that it may have."""
    values: dict[str, tuple[str, Any]] = {
        "seed": ("seed", 5),
        "data": ("data.split.test", 0.25),
        "task": ("task.density", 8),
        "augment": ("augment.online.flip", 0.25),
        "augment.online": ("augment.online.flip", 0.25),
        "model": ("model.width", 7),
        "loss": ("loss.terms.count.weight", 2.0),
        "optimizer": ("optimizer.learning_rate", 0.05),
        "schedule": ("schedule.final", 0.5),
        "training": ("training.epochs", 9),
        "study": ("study.trials", 12),
        "study.objective": ("study.objective", "rmse"),
        "confirm": ("confirm.seeds", 5),
        "diagnose": ("diagnose.seeds", 3),
        "report": ("report.title", "Other"),
    }
    return values[section]


def find_message() -> str:
    """What the running stage would end with; empty if it would end well."""
    try:
        require_unchanged_inputs()
    except files.UserError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.usefixtures("project")
def test_own_keys_stop_a_stage_and_no_others(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    sections = STAGES[stage]["params"]
    before, messages = PARAMS.read_text(), dict[str, str]()

    def edit() -> None:
        for section in {*SECTIONS, *sections}:
            PARAMS.write_text(edit_params(before, *find_leaf(section)))
            messages[section] = find_message()
            PARAMS.write_text(before)

    run_with(monkeypatch, stage, edit)
    for section, message in messages.items():
        path, value = find_leaf(section)
        if any(f"{path}.".startswith(f"{key}.") for key in sections):
            first, last = message.splitlines()
            assert first.startswith(f"params.yaml: {path}: was ")
            assert first.endswith(f", now {json.dumps(value)}")
            assert f"while the stage {stage} ran" in last
            assert "The next `thalweg run` goes on from there." in last
        else:
            assert message == "", section
    assert stage == "report" or messages["report"] == ""


def change_file(file: Path, kind: str) -> Path:
    """Change a file or the folder that it is in, and return the path of what changed."""
    target = file.with_name("new.py") if kind == "added" else file
    if kind == "removed":
        file.unlink()
    else:
        target.write_bytes({"same size": file.read_bytes().upper(), "added": b"new"}.get(kind, b"other"))
    return target


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.usefixtures("project")
def test_every_dependency_is_watched(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    is_reported = {}

    def edit() -> None:
        for dep in STAGES[stage]["deps"]:
            path = Path(dep.replace("${data.path}", "data"))
            file = path if path.suffix else path / "deep" / "b.py"
            before = file.read_bytes()
            for kind in ("edited", "same size", "removed", *(() if path.suffix else ("added",))):
                target = change_file(file, kind)
                word = "edited" if kind == "same size" else kind
                is_reported[dep, kind] = find_message().splitlines()[:1] == [f"{target}: {word}"]
                target.unlink(missing_ok=True)
                file.write_bytes(before)

    run_with(monkeypatch, stage, edit)
    assert len(is_reported) >= 3 * len(STAGES[stage]["deps"])
    assert [case for case, was_reported in is_reported.items() if not was_reported] == []


def touch(file: Path) -> None:
    os.utime(file, (1, 1))


def rewrite(file: Path) -> None:
    """As an editor does that writes beside a file and renames."""
    other = file.with_name(".swap")
    other.write_bytes(file.read_bytes())
    other.replace(file)


def edit_and_undo(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(b"other")
    file.write_bytes(content)


def compile_modules(_file: Path) -> None:
    files.write_bytes(Path("pipeline/system/__pycache__/a.cpython-313.pyc"), b"1")
    files.write_bytes(Path("models/__pycache__/a.cpython-313.pyc"), b"1")


HARMLESS: list[Callable[[Path], object]] = [
    touch,
    rewrite,
    edit_and_undo,
    compile_modules,
    lambda _file: Path("pipeline/engine/README.md").write_text("new\n"),
    lambda _file: Path("notes.txt").write_text("new\n"),
    lambda _file: PARAMS.write_text("# a comment\n" + PARAMS.read_text().replace("seed: 0 ", "seed:   0 ")),
    lambda _file: Path("dvc.yaml").write_text("stages: {}\n"),
]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.usefixtures("project")
def test_same_contents_are_no_change(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    run_with(monkeypatch, stage, lambda: [edit(Path("pipeline/system/deep/b.py")) for edit in HARMLESS])


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.usefixtures("project")
def test_changed_input_ends_the_stage(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    with pytest.raises(files.UserError, match=r"pipeline/core/a\.py: edited"):
        run_with(monkeypatch, stage, lambda: Path("pipeline/core/a.py").write_text("other"))


@pytest.mark.parametrize("link", ["models", "data", "pipeline/system"])
def test_linked_folder_is_followed(project: Path, monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    shutil.move(link, project / "elsewhere")
    Path(link).symlink_to(project / "elsewhere")
    stage = "prepare" if link == "data" else "train"
    run_with(monkeypatch, stage, lambda: None)
    with pytest.raises(files.UserError, match=f"{link}/a.py: edited"):
        run_with(monkeypatch, stage, lambda: (project / "elsewhere" / "a.py").write_text("other"))


@pytest.mark.parametrize("text", ["", "seed: [", "\xff", "- 1\n"])
@pytest.mark.usefixtures("project")
def test_broken_params_are_a_change(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(files.UserError, match=r"params\.yaml:1:.*\n.*while the stage train ran"):
        run_with(monkeypatch, "train", lambda: PARAMS.write_bytes(text.encode("latin-1")))
    PARAMS.unlink()
    shutil.copyfile(ROOT / PARAMS, PARAMS)
    with pytest.raises(files.UserError, match=r"params\.yaml: cannot be read"):
        run_with(monkeypatch, "train", PARAMS.unlink)


@pytest.mark.parametrize("text", ["seed: [", "", "seed: 5\n"])
@pytest.mark.usefixtures("project")
def test_stage_keeps_the_params_it_loaded(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    before, loaded = PARAMS.read_text(), []

    def edit() -> None:
        PARAMS.write_text(text)
        loaded.append(read_loaded_params())
        PARAMS.write_text(before)

    run_with(monkeypatch, "study", edit)
    assert loaded == [before]


@pytest.mark.usefixtures("project")
def test_many_changes_fit_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    def edit() -> None:
        for number in range(40):
            Path("data", f"{number:02}.png").write_bytes(b"new")

    with pytest.raises(files.UserError) as ended:
        run_with(monkeypatch, "prepare", edit)
    lines = str(ended.value).splitlines()
    assert lines[0] == "data/00.png: added"
    assert lines[-2] == "and 30 more"
    assert len(lines) == 12


def test_file_in_empty_folder_is_added(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree("data")
    Path("data").mkdir()
    run_with(monkeypatch, "prepare", lambda: None)
    with pytest.raises(files.UserError) as ended:
        run_with(monkeypatch, "prepare", lambda: (project / "data" / "a.png").write_text("new"))
    assert str(ended.value).splitlines()[:-1] == ["data/a.png: added"]


@pytest.mark.usefixtures("project")
def test_odd_files_do_not_stop_a_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo("data/pipe")
    Path("data/broken").symlink_to("nowhere")
    Path("data/circle").symlink_to("circle")
    run_with(monkeypatch, "prepare", lambda: None)


@pytest.mark.usefixtures("project")
def test_change_is_found_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fingerprint is of the files on disk; the code and the data in memory must be the same."""
    edits = []

    def edit() -> None:
        Path("models/a.py").write_text("other")
        with pytest.raises(files.UserError, match=r"models/a\.py: edited"):
            require_unchanged_inputs()
        Path("models/a.py").write_text("in models\n")
        edits.append(True)

    run_with(monkeypatch, "study", edit)
    assert edits
    require_unchanged_inputs()  # nothing runs, so nothing is watched


def test_without_dvc_nothing_is_recorded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "dvc.yaml").unlink()
    run_with(monkeypatch, "train", lambda: PARAMS.write_text(edit_params(PARAMS.read_text(), "seed", 5)))


@pytest.fixture
def own_code(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of own code, recorded, in a project whose stages DVC runs."""
    monkeypatch.syspath_prepend("")
    monkeypatch.setenv("DVC_STAGE", "train")
    file = project / "own_recorded.py"
    file.write_text("from thalweg.models.cnn import Model\n")
    PARAMS.write_text(edit_params(PARAMS.read_text(), "model.kind", "own_recorded.Model"))
    inputs.main()
    return file


def test_own_code_must_be_as_recorded(own_code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_with(monkeypatch, "train", lambda: own_code.write_text(own_code.read_text() + "# a comment\n"))
    own_code.write_text(own_code.read_text() + "WIDE = 1\n")  # after `inputs` and before `train`
    with pytest.raises(files.UserError, match=r"own_recorded, own code that params\.yaml names: edited"):
        run_with(monkeypatch, "train", lambda: None)
    run_with(monkeypatch, "augment", lambda: None)
    inputs.main()
    run_with(monkeypatch, "train", lambda: None)


def test_own_code_may_change_the_search_path(own_code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [*sys.path])
    added = own_code.with_name("lib") / "own_in_lib.py"
    added.parent.mkdir()
    added.write_text("from thalweg.models.cnn import Model\n")
    own_code.write_text("import sys\nsys.path.insert(0, 'lib')\nfrom own_in_lib import Model\n")
    for module in ("own_recorded", "own_in_lib"):
        monkeypatch.setitem(sys.modules, module, sys)  # so that it is taken out afterwards
        del sys.modules[module]
    inputs.main()
    run_with(monkeypatch, "train", lambda: None)
    assert "own_in_lib" in sys.modules
    with pytest.raises(files.UserError, match=r"^own_in_lib, own code that params\.yaml names: edited"):
        run_with(monkeypatch, "train", lambda: added.write_text("from thalweg.models.cnn import Model\nWIDE = 1\n"))
    with pytest.raises(files.UserError, match=r"^own_in_lib, own code that params\.yaml names: removed"):
        run_with(monkeypatch, "train", added.unlink)


def test_stage_by_hand_needs_no_record(own_code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_code.write_text(own_code.read_text() + "WIDE = 1\n")
    monkeypatch.delenv("DVC_STAGE")
    run_with(monkeypatch, "train", lambda: None)


def test_library_must_be_as_recorded(own_code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_code.write_text("import jax\n" + own_code.read_text())
    inputs.main()
    run_with(monkeypatch, "train", lambda: None)
    monkeypatch.setattr("thalweg.system.source_files.version", lambda _name: "99.0.0")
    with pytest.raises(files.UserError, match=r"^jax, a library of own code: was .*, now 99\.0\.0"):
        run_with(monkeypatch, "train", lambda: None)


@pytest.mark.usefixtures("own_code")
def test_version_must_be_as_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thalweg, "__version__", "99.0.0")
    with pytest.raises(files.UserError, match=r"^thalweg: was .*, now 99\.0\.0"):
        run_with(monkeypatch, "train", lambda: None)
