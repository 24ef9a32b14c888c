"""Tests mirror the code: the tests of a module or package lie at its own path below tests/."""

from collections.abc import Iterable
from pathlib import PurePath

import pytest

from tests.helpers.modules import MODULES
from tests.helpers.paths import ROOT

LONG = 150
"""The lines from which a module needs a test file of its own; a shorter one may be tested by its users alone."""
WHOLE = {"project"}
"""Folders whose tests run whole projects, with every package."""
TOPICS = {
    "cli/test_mutated_params": "random edits of a file, through `check`",
    "cli/test_own_faults": "one mistake in own code of each kind, through `check` and a stage",
    "config/test_bounds": "every number of a file, whatever module declares it",
    "config/test_causes": "one mistake in a whole file, through all checks",
    "config/json_schema/test_own_code": "own code of every kind, through the whole package",
    "config/test_every_error": "many mistakes in a whole file, through all checks",
    "confirm/test_calibration": "thousands of studies, through candidates and compare",
    "data/sources/folder/test_bad_kinds": "a hundred kinds of files, through the whole package",
    "data/sources/folder/test_odd_folders": "odd names and links, through the whole package",
    "diagnose/test_batch_losses": "the gradients of every loss, model and task",
    "diagnose/test_toy_landscape": "a model whose landscape NumPy knows, through the whole package",
    "engine/test_best_weights": "fit.py: which weights a lane keeps, and when it stops",
    "engine/test_fit_lanes": "fit.py: lanes side by side",
    "engine/test_widths": "population.py: the lanes that an accelerator trains at once",
    "foreign/test_own_studies": "studies of ours, through Optuna and back",
    "reporting/page/test_browser": "the whole page in a browser",
    "reporting/sections/result/test_verdict": "the first finding of the section",
    "reporting/sections/test_failed_trials": "one fault, as several sections and the advice see it",
    "reporting/sections/test_repeats": "one kind of study, as several sections and the advice see it",
    "reporting/test_agreement": "steps of a whole report against each other",
    "reporting/test_pathologies": "faults planted in a study, found by a whole report",
    "search/test_damage": "a study whose files are damaged",
    "search/test_kills": "a study in a process of its own",
    "search/test_pruning": "a study that stops trials early",
    "search/test_repeats": "a study that repeats settings",
    "search/test_resume": "a study that is stopped and goes on",
    "search/test_shared_storage": "studies of several machines in one database",
    "stages/test_bad_rows": "data with faults, through the first stages",
    "stages/test_detect": "one task, through all stages",
    "stages/test_full_disk": "errors at each write of each stage",
    "stages/test_last_lines": "what each stage found, in its last line",
    "stages/test_leftovers": "temporary files of a killed stage",
    "stages/test_own_code": "own code of every kind, through all stages",
    "stages/test_notebook": "a study where JAX is loaded already",
    "stats/test_calibration": "how often intervals cover the truth, over thousands of draws",
    "system/test_surroundings": "every command in odd surroundings",
    "system/test_unwritable": "what stands in the way of a file, for every module that writes",
}
"""Test files that match no module, with what they are about."""


def list_mirrors(module: str, is_package: bool) -> set[str]:
    """List where the tests of a module may lie; those of a package may lie within its folder, or beside it."""
    *above, last = module.split(".")
    inside = {"/".join((*above, last, f"test_{last}"))} if is_package else set()
    return {"/".join((*above, f"test_{last}"))} | inside


def list_unmatched_tests(tests: Iterable[str], mirrors: set[str]) -> list[str]:
    return sorted(test for test in tests if PurePath(test).parts[0] not in WHOLE and test not in mirrors)


TESTS = {
    path.relative_to(ROOT / "tests").with_suffix("").as_posix() for path in (ROOT / "tests").glob("*/**/test_*.py")
}
MIRRORS = {name: list_mirrors(name, file.name == "__init__.py") for name, file in MODULES.items()}


def test_test_files_match_modules() -> None:
    assert list_unmatched_tests(TESTS, set().union(*MIRRORS.values())) == sorted(TOPICS)


def test_long_modules_have_a_test_file() -> None:
    long = {name for name, file in MODULES.items() if len(file.read_text().splitlines()) > LONG}
    assert [name for name in sorted(long) if not MIRRORS[name] & TESTS] == []


@pytest.mark.parametrize(
    ("test", "is_matched"), [("a/test_b", True), ("a/b/test_b", True), ("a/test_c", False), ("project/test_c", True)]
)
def test_strays_are_found(test: str, is_matched: bool) -> None:
    assert (list_unmatched_tests([test], list_mirrors("a.b", True)) == []) == is_matched


def test_module_has_no_folder_of_tests() -> None:
    assert list_mirrors("a.b", False) == {"a/test_b"}
