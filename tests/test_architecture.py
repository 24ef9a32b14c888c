"""Imports go down only: the floors of the project, and no circle between its modules."""

import graphlib
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tests.helpers.disk_uses import find_disk_uses
from tests.helpers.modules import MODULES, list_imported_names, list_imports
from tests.helpers.paths import ROOT

FLOORS = (
    ("api", "cli"),
    ("stages",),
    ("foreign", "diff"),
    ("reporting",),
    ("diagnose",),
    ("search", "confirm", "duel"),
    ("artifacts",),
    ("training",),
    ("config",),
    ("tasks",),
    ("data",),
    ("engine", "models"),
    ("schema", "core", "stats"),
    ("system",),
)
"""The packages, from the top down. A package imports from floors below its own, never from its own floor or above."""
REPORTING = (
    ("load", "render"),
    ("head",),
    ("sections",),
    ("rewording",),
    ("advice",),
    ("page",),
    ("analysis", "sentences"),
    ("tables", "finding"),
    ("space",),
    ("parameter",),
    ("text",),
)
"""The floors within reporting."""

Graph = Mapping[str, set[str]]
"""Each module, by its dotted name, with the modules that it imports."""
Floors = Sequence[tuple[str, ...]]


def list_wrong_arrows(graph: Graph, floors: Floors, part: int) -> list[str]:
    """Return the imports between packages that go up or sideways; `part` is where names say the package."""
    height = {name: -number for number, floor in enumerate(floors) for name in floor}
    arrows = []
    for module, imported in sorted(graph.items()):
        for other in sorted(imported):
            above, below = module.split(".")[part], other.split(".")[part]
            if above != below and height[below] >= height[above]:
                arrows.append(f"{module} -> {other}")
    return arrows


@cache
def build_graph() -> Graph:
    return {name: list_imports(file.read_text(), MODULES) - {name} for name, file in MODULES.items()}


def test_every_package_has_a_floor() -> None:
    assert sorted({name.split(".")[0] for name in MODULES}) == sorted(name for floor in FLOORS for name in floor)


def test_imports_go_down() -> None:
    assert list_wrong_arrows(build_graph(), FLOORS, 0) == []


def test_reporting_imports_go_down() -> None:
    graph = build_graph().items()
    inner = {name: {other for other in imported if other.startswith("reporting.")} for name, imported in graph}
    inner = {name: imported for name, imported in inner.items() if name.startswith("reporting.")}
    assert list_wrong_arrows(inner, REPORTING, 1) == []


def test_no_circular_imports() -> None:
    tuple(graphlib.TopologicalSorter(build_graph()).static_order())  # raises CycleError, which names the circle


def test_engine_knows_no_networks() -> None:
    imported = set().union(*(others for name, others in build_graph().items() if name.startswith("engine.")))
    assert {name for name in imported if name.split(".")[0] not in ("engine", "system")} == {"core.rng"}


def test_every_import_form_counts() -> None:
    modules = {"core", "core.losses", "data.splits"}
    source = "from thalweg.core import losses, rng\ndef f():\n    import thalweg.data.splits\n    import json"
    assert list_imports(source, modules) == {"core", "core.losses", "data.splits"}


@pytest.mark.parametrize("arrow", [("core.a", "cli.b"), ("core.a", "stats.b"), ("engine.a", "data.b")])
def test_wrong_imports_are_found(arrow: tuple[str, str]) -> None:
    assert list_wrong_arrows({arrow[0]: {arrow[1]}}, FLOORS, 0) == [" -> ".join(arrow)]
    assert list_wrong_arrows({"cli.a": {"core.b"}, "core.a": {"core.b"}}, FLOORS, 0) == []


@pytest.mark.parametrize(("title", "floors"), [("pipeline", FLOORS), ("reporting", REPORTING)])
def test_page_lists_the_floors(title: str, floors: Floors) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    match = re.search(rf"<!-- floors: {title} -->\n```\n(.*?)```", page, re.DOTALL)
    assert match
    listed = [tuple(line.split("  ")[0].split()) for line in match.group(1).splitlines()]
    assert listed == list(floors)


PARTS_OF_OTHERS = {
    "dvc-data": "DVC raises its errors",
    "pydantic-core": "pydantic pins its version",
    "voluptuous": "DVC raises its errors",
}
"""Packages that the code imports and pyproject.toml does not declare, because a declared one decides their version."""


def normalise_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_imports_are_declared() -> None:
    imported = set().union(*(list_imported_names(file.read_text()) for file in MODULES.values()))
    roots = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - {"thalweg"}
    distributions = packages_distributions()
    needed = {normalise_name(name) for root in roots for name in distributions[root]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + extras["train"] + extras["ray"]
    declared = {normalise_name(re.split(r"[^\w.-]", line)[0]) for line in lines}
    assert needed - declared == set(PARTS_OF_OTHERS)


PRINTERS = {
    "system.progress": "the one way of a stage to say something",
    "api": "relays what commands print; examples print",
    "cli": "commands answer",
    "artifacts.stage_times": "damage is reported on standard error",
    "duel.objective.call": "answers the process that started it",
    "search.database": "damage is reported on standard error",
    "search.optuna_storage": "outages are reported on standard error",
    "search.publisher": "outages are reported on standard error",
    "system.interrupts": "says that the command was stopped",
    "system.sealed": "damage is reported on standard error",
    "system.search_path": "answers the process that started it",
}
"""Modules and packages that print, each with the reason."""


def test_stages_do_not_print_by_hand() -> None:
    printers = {name for name, file in MODULES.items() if re.search(r"(?<![\w.])print\(", file.read_text())}
    assert {name for name in printers if not any(f"{name}.".startswith(f"{known}.") for known in PRINTERS)} == set()


DISK_USES = {
    "api.report": {".open"},  # the web browser
    "cli": {".cwd", "os.chdir", "os.execv"},  # restarts with the code of the checkout
    "cli.commands": {"os.chdir"},  # the folder of the user
    "cli.measure": {"subprocess"},  # the start of a process takes time
    "cli.run": {"os.execve"},  # becomes DVC
    "cli.start_line": {"os.getpgrp"},  # tells one run of DVC from the next
    "search.database": {"sqlite3"},  # the file is Optuna's
    "search.run": {"subprocess"},  # a study in a process of its own
    "system.dvc_command": {"subprocess"},
    "system.data_files": {".open", "np.load", "np.memmap", "np.savez"},  # bytes in memory, or a map
    "system.drivers": {"subprocess"},
    "system.git": {"subprocess"},
    "system.guarded": {"os.killpg", "os.read", "subprocess"},  # a command, and its end with this process
    "system.images": {"Image.open"},  # from bytes in memory
    "system.interrupts": {"os.O_WRONLY", "os.dup2", "os.open"},  # the null device
    "system.project_folder": {".cwd", "os.chdir"},
    "system.sqlite_copy": {"sqlite3"},  # the file is Optuna's
    "system.search_path": {"subprocess"},  # imports own code elsewhere
    "system.table_files": {"pd.read_csv"},  # from bytes in memory
}
"""What touches the disk, or seems to, outside `thalweg.system.files`."""


def test_one_module_touches_disk() -> None:
    uses_by_module = {name: uses for name, file in MODULES.items() if (uses := find_disk_uses(file.read_text()))}
    assert uses_by_module.pop("system.files")
    assert uses_by_module == DISK_USES


@pytest.mark.parametrize(
    ("source", "use"),
    [
        ("from shutil import rmtree", "shutil"),
        ("import os\nos.path.getsize('a')", "os.path.getsize"),
        ("from os import remove", "os.remove"),
        ("def f(path):\n    return path.parent.mkdir()", ".mkdir"),
        ("f = (FOLDER / 'a').exists", ".exists"),
        ("open('a')", "open"),
        ("import numpy as np\nnp.load('a')", "np.load"),
    ],
)
def test_disk_uses_are_found(source: str, use: str) -> None:
    assert find_disk_uses(source) == {use}
    assert find_disk_uses("import os\nfiles.read_bytes(os.environ['A'])\nast.walk(tree)\ntable.rename(x)") == set()
