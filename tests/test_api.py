"""docs/api.md: it is up to date, its examples run, and what it promises does not change unseen."""

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import pytest

import thalweg
from docs import api
from tests.helpers.paths import ROOT
from thalweg.api import HOMES

PROMISED = {
    "run": "run(params: str | Path | Mapping[str, Any], changes: Mapping[str, Any] | None = None, *, "
    "data: Data | None = None, folder: str | Path | None = None) -> Study",
    "Data": "Data(images: Any, labels: Any = None, classes: Sequence[str] = ())",
    "Study": "Study(folder: Path, trials: pd.DataFrame, best: Best | None, findings: list[Finding], "
    "summary: dict[str, Any])",
    "Study.predict": "Study.predict(images: Any) -> pd.DataFrame | NDArray[np.uint8]",
    "Study.report": "Study.report() -> Report",
    "Best": "Best(trial: int | None, settings: dict[str, Any], metric: str, value: float, low: float, high: float)",
    "Finding": "Finding(verdict: str, evidence: str, next_step: str = '', trials: tuple[int, ...] = (), "
    "tone: Tone = 'plain', section: str = '', number: int = 0, "
    "numbers: Mapping[str, float] = field(default_factory=dict), "
    "interval: NumberInterval | None = None, confidence: float | None = None, patch: Mapping[str, Any] | None = None, "
    "replaces: Mapping[str, Any] = field(default_factory=dict), commands: tuple[str, ...] = ())",
    "load": "load(folder: str | Path) -> Study",
    "Report": "Report(path: Path)",
    "Report.open": "Report.open() -> None",
    "UserError": "UserError(Exception)",
}
"""What users rely on. A line that goes or changes needs an entry in CHANGELOG.md and a version that still takes the old
form, with a warning."""


def test_promises_are_kept() -> None:
    assert {name: api.format_signature(name) for name in api.NAMES} == PROMISED


def test_page_is_up_to_date() -> None:
    assert api.PAGE.read_text() == api.build_page(), "run `python -m docs.api`"


def test_page_has_every_public_name() -> None:
    assert {name.partition(".")[0] for name in api.NAMES} == {*HOMES}
    methods = {
        f"{name}.{method}"
        for name in HOMES
        for method, member in vars(getattr(thalweg, name)).items()
        if callable(member) and not method.startswith("_")
    }
    assert methods == {name for name in api.NAMES if "." in name}


def test_types_have_every_public_name() -> None:
    stub = (ROOT / "pipeline" / "__init__.pyi").read_text()
    imported = re.findall(r"^from (\S+) import (\w+) as \w+$", stub, re.MULTILINE)
    assert {name: module for module, name in imported} == HOMES


@pytest.mark.parametrize("name", api.NAMES)
def test_every_name_has_an_example(name: str) -> None:
    assert len(api.list_examples(name)) == 1


@pytest.mark.slow
def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, as on the page: they share their names."""
    monkeypatch.setenv("BROWSER", "true")  # a program that opens nothing
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    scope: dict[str, Any] = {}
    with contextlib.chdir(tmp_path):
        for name in api.NAMES:
            for example in api.list_examples(name):
                exec(compile(example, name, "exec"), scope)
    study = scope["study"]
    assert isinstance(study, thalweg.Study)
    assert study.best is not None
    assert len(scope["predictions"]) == 10
    assert "study.trials: 7 is not a multiple of study.cohort, 4" in scope["mistakes"]
    assert "training.epochs" in scope["mistakes"]
    assert f"{study.best.value}" in capsys.readouterr().out


def test_names_are_those_of_the_package() -> None:
    assert {*HOMES, "__version__"} <= {*dir(thalweg)}
    with pytest.raises(AttributeError, match="module 'thalweg' has no attribute 'nothing'"):
        thalweg.nothing  # type: ignore[attr-defined]  # noqa: B018
