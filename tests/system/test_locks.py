"""Which lock file the installed packages are those of."""

from importlib.metadata import version
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.system.drivers import PLUGINS
from thalweg.system.locks import LOCKS, find_matching_lock, list_pinned

NUMPY = version("numpy")


def write_lock(folder: Path, name: str, *lines: str) -> None:
    text = "\n".join(f"{line} \\\n    --hash=sha256:{64 * '0'}\n    # via thalweg" for line in lines)
    (folder / name).write_text(f"{text}\n")


def test_no_lock(tmp_path: Path) -> None:
    assert find_matching_lock(tmp_path) == ("", [])


def test_lines_for_other_systems_do_not_count(tmp_path: Path) -> None:
    write_lock(tmp_path, "requirements.lock", "jax==9.9 ; python_full_version < '3.0'", f"numpy=={NUMPY}")
    assert list_pinned((tmp_path / "requirements.lock").read_text()) == {"numpy": NUMPY}
    assert find_matching_lock(tmp_path) == ("requirements.lock", [])


def test_lock_that_fits_best_and_holds_most(tmp_path: Path) -> None:
    write_lock(tmp_path, "requirements.lock", f"numpy=={NUMPY}")
    write_lock(tmp_path, "requirements-dev.lock", f"numpy=={NUMPY}", f"pytest=={version('pytest')}")
    write_lock(tmp_path, "requirements-cuda13.lock", f"numpy=={NUMPY}", "jax-cuda13-plugin==0.10.2")
    assert find_matching_lock(tmp_path) == ("requirements-dev.lock", [])


def test_differences_are_named(tmp_path: Path) -> None:
    write_lock(tmp_path, "requirements.lock", "numpy==1.0", "no-such-package==2.0")
    differences = [f"numpy {NUMPY}, not 1.0", "no-such-package is missing"]
    assert find_matching_lock(tmp_path) == ("requirements.lock", differences)


@pytest.mark.parametrize("extra", sorted(PLUGINS))
def test_lock_of_an_accelerator_adds_its_plugin(extra: str) -> None:
    """All else has the versions of a processor's lock."""
    name = f"requirements-{extra}.lock"
    assert name in LOCKS
    pinned, base = (list_pinned((ROOT / file).read_text()) for file in (name, "requirements.lock"))
    assert PLUGINS[extra] in pinned
    assert base.items() <= pinned.items()
