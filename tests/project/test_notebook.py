"""docs/notebook.ipynb in a real kernel."""

import os
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from tests.helpers.paths import ROOT

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
HAS_JAX = "import sys; 'jax' in sys.modules"


def read_notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def list_code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_notebook_is_stored_without_outputs() -> None:
    for cell in list_code_cells(read_notebook()):
        assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.slow
def test_every_cell_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = read_notebook()
    notebook.cells.append(nbformat.v4.new_code_cell(HAS_JAX))  # type: ignore[no-untyped-call]
    client = nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    cells = {cell.source.splitlines()[-1]: cell.outputs for cell in list_code_cells(notebook)}
    # of all lines that the stages print, the last one is left, and below it the result
    progress, result = cells["study"]
    assert progress.data["text/plain"].startswith("report (")
    assert result.data["text/plain"].startswith(f"Study of 8 trials in {tmp_path}/studies/digits-")
    assert "<iframe" in cells["study.report()"][0].data["text/html"]
    assert cells["predictions.assign(truth=digits.target[:8])"][0].data["text/plain"].count("\n") == 8
    assert cells[HAS_JAX][0].data["text/plain"] == "False"
