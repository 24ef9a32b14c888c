"""dvc.yaml against the code: DVC does not follow imports, so these tests do."""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import vl_convert
from dvc_render import VegaRenderer
from ruamel.yaml import YAML

from tests.helpers.modules import follow_imports, list_imported_files
from tests.helpers.paths import ROOT
from thalweg.artifacts.own_code import name_record
from thalweg.config.experiment import Config
from thalweg.stages import STAGE_NAMES
from thalweg.system.package_files import find_package_file
from thalweg.system.paths import INPUTS

PIPELINE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())
TEMPLATE = find_package_file("scaffold", "dvc.txt")
STAGES = {name: stage for name, stage in PIPELINE["stages"].items() if name != "inputs"}
"""All but the first, which always runs, and so depends on nothing."""
PINNED = {"pipeline/__init__.py", "pipeline/stages/__init__.py", "models/__init__.py"}
RUNNER = "runner"
FAMILIES = {
    ROOT / "pipeline/tasks": (),
    ROOT / "pipeline/data/sources": (),
    ROOT / "pipeline/reporting/sections": (),
    ROOT / "models": ("prepare", "augment"),
}
"""Packages whose files nothing imports by name, each with the stages that run none of them: they have no network."""


@cache
def list_reached_files(stage: str) -> set[str]:
    """Every file of the project that a stage may import, directly or not."""
    starts = [ROOT / "pipeline" / "stages" / f"{name}.py" for name in (RUNNER, stage)]
    reached = follow_imports(starts, [family for family, unused in FAMILIES.items() if stage not in unused])
    return {file.relative_to(ROOT).as_posix() for file in reached}


def lies_in(file: str, listed: str) -> bool:
    return file == listed or file.startswith(f"{listed}/")


@pytest.mark.parametrize("stage", STAGES)
def test_stage_lists_its_imports(stage: str) -> None:
    listed = STAGES[stage]["deps"]
    assert {
        file for file in list_reached_files(stage) if not any(lies_in(file, dependency) for dependency in listed)
    } <= PINNED


@pytest.mark.parametrize("stage", STAGES)
def test_stage_lists_only_imports(stage: str) -> None:
    code = [dep for dep in STAGES[stage]["deps"] if dep.startswith("pipeline/")]
    assert [dep for dep in code if not any(lies_in(file, dep) for file in list_reached_files(stage))] == []


def test_unlisted_modules_are_trivial() -> None:
    assert list_imported_files(ROOT / "pipeline/__init__.py") == {
        ROOT / "pipeline/system" / f"{name}.py" for name in ("__init__", "runtime", "version")
    } | {ROOT / "pipeline/__init__.py"}
    assert (
        list_imported_files(ROOT / "pipeline/stages/__init__.py") | list_imported_files(ROOT / "models/__init__.py")
        == set()
    )


def test_missing_environment_is_named(tmp_path: Path) -> None:
    """DVC may be installed for all, and thalweg only in an environment that is not active."""
    command = ["/bin/sh", "-c", PIPELINE["stages"]["inputs"]["cmd"]]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == ["Activate the environment of thalweg first."]


def test_no_other_file_is_a_pipeline() -> None:
    """DVC reads every dvc.yaml of the repository, so a template must have another name."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [file for file in tracked.splitlines() if Path(file).name == "dvc.yaml"] == ["dvc.yaml"]


def test_dvc_yaml_fits_a_page() -> None:
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 120
    assert len(TEMPLATE.read_text().splitlines()) <= 60


def test_project_has_the_same_stages() -> None:
    """The template of a project's dvc.yaml, and the code folders in `deps`: no more, no less, and in this order."""
    expected = YAML(typ="safe").load(TEMPLATE.read_text())
    for name, stage in expected["stages"].items():
        listed = PIPELINE["stages"][name].get("deps", [])
        code = [dep for dep in listed if dep == "models" or dep.startswith("pipeline/")]
        assert ("deps" in stage) == bool(code)
        if code:
            stage["deps"] = [*stage["deps"], *code]
    assert expected == PIPELINE


@pytest.mark.parametrize("stage", STAGES)
def test_stage_depends_on_its_record(stage: str) -> None:
    records = [dep for dep in STAGES[stage]["deps"] if dep.startswith(INPUTS.as_posix())]
    assert records == [name_record(stage).as_posix()]


def test_stages_are_those_of_the_code() -> None:
    assert tuple(STAGES) == STAGE_NAMES


def test_training_stages_depend_on_models() -> None:
    for stage in ("train", "evaluate", "study", "confirm"):
        assert "models" in STAGES[stage]["deps"]


def test_params_are_config_keys() -> None:
    default = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    for stage in STAGES.values():
        for path in stage["params"]:
            part = default
            for name in path.split("."):
                part = part[name]
            assert path.split(".")[0] in Config.model_fields


def test_optional_keys_are_not_listed() -> None:
    """DVC ends where a key that a stage names is not in params.yaml, so a key below a part is one that is required."""
    for stage in STAGES.values():
        for path in stage["params"]:
            part: Any = Config
            for name in path.split("."):
                assert part.model_fields[name].is_required() or "." not in path, path
                part = part.model_fields[name].annotation


def test_inputs_are_earlier_outputs() -> None:
    written = {*PIPELINE["stages"]["inputs"]["outs"]}
    for stage in STAGES.values():
        inputs = {dep for dep in stage["deps"] if dep.startswith(("artifacts", "reports"))}
        assert {dep for dep in inputs if not any(lies_in(dep, out) for out in written)} == set()
        written |= set(stage["outs"]) | set(stage.get("metrics", ()))


SHOWN = {
    "Value by trial": ("value", [{"number": str(n), "value": str(2.0 - n / 9)} for n in range(5)]),
    "Losses of the baseline": ("train_loss", [{"epoch": str(n), "train_loss": str(4.0 - n)} for n in range(4)]),
    "Candidates on fresh seeds": (
        "validation_mae",
        [{"candidate": who, "validation_mae": str(seed / 9)} for who in ("baseline", "winner") for seed in range(3)],
    ),
}
"""Of each plot what stands upwards, and rows as DVC reads them."""


@pytest.mark.parametrize("plot", PIPELINE["plots"], ids=lambda plot: next(iter(plot)))
def test_plots_draw_both_revisions(plot: dict[str, dict[str, Any]]) -> None:
    """As `dvc plots diff` does: by DVC's own templates, which do not draw names along a scale of numbers."""
    ((_, settings),) = plot.items()
    y, samples = SHOWN[settings["title"]]
    rows = [{"rev": rev, **row} for rev in ("HEAD", "workspace") for row in samples]
    places = {"template": settings["template"], "template_dir": str(ROOT / ".dvc" / "plots")}
    renderer = VegaRenderer(rows, "plot", x=settings["x"], y=y, title=settings["title"], **places)
    svg = vl_convert.vegalite_to_svg(renderer.get_filled_template())
    assert "NaN" not in svg
    what, least = ("line mark", 2) if settings["template"] == "linear" else ("point", len(rows))
    assert len(re.findall(rf'aria-roledescription="{what}"[^>]*\bd="M', svg)) >= least
