"""Commands in processes of their own: what they raise, and where they work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import thalweg
from tests.helpers.paths import ROOT
from thalweg import cli
from thalweg.api.commands import _build_environment, run_thalweg


def test_error_has_the_sentence_of_the_command(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["timing"]) == 2
    printed = capsys.readouterr().err
    with pytest.raises(thalweg.UserError) as caught:
        run_thalweg(empty_folder, "timing")
    assert f"{caught.value}\n" == printed
    assert capsys.readouterr() == ("", "")


def test_unforeseen_end_has_the_last_lines(empty_folder: Path) -> None:
    with pytest.raises(thalweg.UserError, match=r"(?s)unrecognized arguments: --no-such.*thalweg timing: ended with"):
        run_thalweg(empty_folder, "timing", "--no-such")


def test_programs_are_kept_with_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "/elsewhere/.thalweg/compiled/abc")
    assert _build_environment(tmp_path) == {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / ".thalweg/compiled/abc")}
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "/a/folder/of/the/user")
    assert _build_environment(tmp_path) == {}


def test_import_needs_no_library_that_takes_long() -> None:
    """`run` is there at once, and JAX is imported only by processes of its own."""
    code = (
        "import sys, thalweg; assert not {'numpy', 'pandas', 'jax'} & sys.modules.keys()\n"
        "thalweg.run, thalweg.load, thalweg.Data, thalweg.Finding, thalweg.Report\n"
        "sys.exit('jax' in sys.modules or 'optuna' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
