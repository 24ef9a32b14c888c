"""A torn dvc.lock, under the real DVC: the run cache brings finished stages back."""

from collections.abc import Callable

import pytest

from tests.helpers.clone import Clone

pytestmark = pytest.mark.slow


def test_finished_stages_come_back(clone: Callable[[], Clone]) -> None:
    made = clone()
    made.run("dvc", "repro", "augment")
    lock, examples = made.folder / "dvc.lock", made.folder / "artifacts/prepared/examples.npz"
    whole, before = lock.read_bytes(), examples.read_bytes()
    for cut in (0, len(whole) // 2, len(whole) - 40):
        lock.write_bytes(whole[:cut])
        made.run("thalweg", "check")
        told = made.run("dvc", "repro", "augment")
        assert lock.read_bytes() == whole
        assert "Running stage" not in told
        assert examples.read_bytes() == before
