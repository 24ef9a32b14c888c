"""Who needs what the caches hold."""

from pathlib import Path

import pytest

from tests.helpers.tiny_pipeline import TREE, write_params
from thalweg.artifacts.state_card import open_state
from thalweg.cli import caches
from thalweg.config.load import load_config
from thalweg.system import files
from thalweg.system.dvc_command import EXPERIMENTS
from thalweg.system.paths import PARAMS, STATE_FOLDER, STUDIES
from thalweg.system.running import announce_stage


def list_needs_of_state() -> tuple[str, ...]:
    (state,) = [cache for cache in caches.list_caches() if cache.kind == "state"]
    return state.needed_by


@pytest.mark.usefixtures("empty_folder")
def test_state_is_needed_by_each_file_that_means_the_same() -> None:
    write_params(TREE)
    with open_state("study", load_config(PARAMS), "0" * 16) as folder:
        assert folder == STATE_FOLDER / ("0" * 16)
    refused = PARAMS.read_bytes() + b"gone: 1\n"  # as of a version that had another section
    files.write_bytes(STUDIES / "old" / PARAMS, refused)
    write_params({**TREE, "training": {**TREE["training"], "patience": 0}})
    assert list_needs_of_state() == (str(STUDIES / "old"), caches.WORKSPACE)
    write_params({**TREE, "training": {**TREE["training"], "patience": 1}})
    assert list_needs_of_state() == (str(STUDIES / "old"),)


def test_cache_of_dvc_is_used_by_stages_and_experiments(empty_folder: Path) -> None:
    for name in ("run/1", "celery", "standalone/run"):
        files.create_folder(EXPERIMENTS / name)
    assert caches.find_users() == ()
    with announce_stage("study"):
        assert caches.find_users() == (caches.BUSY,)
    for name in ("tmp1", "standalone/tmp2"):
        files.create_folder(empty_folder / EXPERIMENTS / name)
    assert caches.find_users() == tuple(
        f"an experiment of DVC in {EXPERIMENTS / name} (delete it if none runs)" for name in ("tmp1", "standalone/tmp2")
    )
