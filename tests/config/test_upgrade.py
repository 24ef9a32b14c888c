"""Old forms of params.yaml: each rule, and whole files of earlier versions."""

import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers.params_messages import edit_experiment, list_message_lines
from tests.helpers.paths import ROOT
from thalweg.config import upgrade
from thalweg.config.load import load_config
from thalweg.config.upgrade import Change

OLD_FILES = sorted((ROOT / "tests" / "helpers").glob("version-*.yaml"))
"""Files as earlier versions accepted them, written by hand: each old form is in one of them."""
NEW_FILES = [ROOT / "params.yaml", *sorted((ROOT / "presets").glob("*.yaml"))]


def load_tree(text: str) -> Any:
    return YAML(typ="safe").load(text)


def test_sections_get_their_new_names() -> None:
    tree = {"report": {"sections": ["result", "made", "worst"]}}
    assert list(upgrade.rename_report_sections(tree)) == [
        Change(("report", "sections", 1), "made", "provenance"),
        Change(("report", "sections", 2), "worst", "errors"),
    ]


@pytest.mark.parametrize("report", [None, [], {}, {"sections": None}, {"sections": "made"}, {"sections": [1, None]}])
def test_wrong_sections_have_no_new_names(report: Any) -> None:
    assert list(upgrade.rename_report_sections({"report": report})) == []


def test_modules_get_their_new_names() -> None:
    space = {
        "model.kind": {"choices": ["models.cnn.Model", "mlp"]},
        "model.norm": {"choices": [True], "when": {"model.kind": "models.cnn.Model"}},
    }
    enqueue = [{"model.kind": "models.cnn.Model"}]
    tree = {"model": {"kind": "models.cnn.Model"}, "study": {"space": space, "enqueue": enqueue}}
    assert list(upgrade.rename_modules(tree)) == [
        Change(path, "models.cnn.Model", "cnn")
        for path in (
            ("model", "kind"),
            ("study", "space", "model.kind", "choices", 0),
            ("study", "space", "model.norm", "when", "model.kind"),
            ("study", "enqueue", 0, "model.kind"),
        )
    ]


def test_classes_of_our_modules_keep_their_names() -> None:
    tree = {"model": {"kind": "pipeline.core.layers.Conv"}}
    assert [change.new for change in upgrade.rename_modules(tree)] == ["thalweg.core.layers.Conv"]


@pytest.mark.parametrize("kind", ["cnn", "thalweg.models.cnn.Model", "models.none.Model", "my.Model", 3, None])
def test_other_kinds_keep_their_names(kind: Any) -> None:
    assert list(upgrade.rename_modules({"model": {"kind": kind}})) == []


def test_text_keeps_a_name_that_a_kind_has() -> None:
    name = "models.cnn.Model"
    study = {"name": name, "enqueue": [{"model.title": name}]}
    tree = {"model": {"kind": name}, "study": study, "report": {"title": name}, "data": {"columns": [name]}}
    assert list(upgrade.rename_modules(tree)) == [Change(("model", "kind"), name, "cnn")]


def test_own_package_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project may have a package `models` of its own, whose module has the name of one of ours."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("")
    (tmp_path / "models" / "cnn.py").write_text("class Model:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert list(upgrade.rename_modules({"model": {"kind": "models.cnn.Model"}})) == []
    finally:
        for name in ("models.cnn", "models"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize("file", NEW_FILES, ids=lambda file: file.stem)
def test_nothing_of_today_is_old(file: Path) -> None:
    assert upgrade.find_changes(load_tree(file.read_text())) == []


@pytest.mark.parametrize("file", OLD_FILES, ids=lambda file: file.stem)
def test_upgraded_files_are_good(file: Path, tmp_path: Path) -> None:
    text = file.read_text()
    changes = upgrade.find_changes(load_tree(text))
    (tmp_path / "params.yaml").write_text(upgraded := upgrade.apply_changes(text, changes))
    load_config(tmp_path / "params.yaml")
    assert upgrade.find_changes(load_tree(upgraded)) == []
    # comments stay, and so do all lines without an old name
    old_lines, new_lines = text.splitlines(), upgraded.removesuffix("diagnose: {}\n").splitlines()
    changed = [old for old, new in zip(old_lines, new_lines, strict=True) if old != new]
    assert all(any(str(change.old) in line for change in changes) for line in changed)
    assert [line.partition("#")[2] for line in old_lines] == [line.partition("#")[2] for line in new_lines]


def test_every_rule_has_an_old_file() -> None:
    trees = [load_tree(file.read_text()) for file in OLD_FILES]
    assert all(any(list(rule(tree)) for tree in trees) for rule in upgrade.RULES)


def test_check_names_the_upgrade(tmp_path: Path) -> None:
    text = edit_experiment(("  kind: cnn ", "  kind: models.cnn.Model "), ("  depth: 3\n", "  depth: 3\n  x: 1\n"))
    (line,) = list_message_lines(tmp_path, text)
    assert line.endswith(f"; `thalweg upgrade {tmp_path / 'params.yaml'}` writes `cnn`")
    assert not any("upgrade" in line for line in list_message_lines(tmp_path, edit_experiment(("seed: 0", "seed: -1"))))
