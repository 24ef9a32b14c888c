"""A torn dvc.lock, under the real DVC: the run cache brings finished stages back."""

from collections.abc import Callable

import pytest

from tests.helpers.clone import Clone, list_stages_run

pytestmark = pytest.mark.slow


def test_finished_stages_come_back(clone: Callable[[], Clone]) -> None:
    project = clone()
    project.run("dvc", "repro", "augment")
    lock, examples = project.folder / "dvc.lock", project.folder / "artifacts/prepared/examples.npz"
    content, before = lock.read_bytes(), examples.read_bytes()
    for cut in (0, len(content) // 2, len(content) - 40):
        lock.write_bytes(content[:cut])
        project.run("thalweg", "check")
        output = project.run("dvc", "repro", "augment")
        assert lock.read_bytes() == content
        assert list_stages_run(output) == []
        assert examples.read_bytes() == before
