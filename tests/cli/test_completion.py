"""thalweg --print-completion: what a shell offers."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg import cli
from thalweg.cli.completion import SHELLS

PRESETS = sorted(file.stem for file in (ROOT / "presets").glob("*.yaml"))
COMPLETE = """
source completion.bash
read -ra COMP_WORDS <<< "$1"
[[ "$1" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_shtab_thalweg
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""What bash does at a tab after the words of its first argument."""


def print_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--print-completion", shell])
    assert exit_.value.code == 0
    return capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("thalweg use ", PRESETS),
        ("thalweg use d", ["detect", "digits"]),
        ("thalweg init sc", ["scenes"]),
        ("thalweg sche", ["schema"]),
        ("thalweg stage pre", ["prepare"]),
        ("thalweg check pa", ["params.yaml"]),
        ("thalweg predict im", ["images"]),
        ("thalweg predict images --out pr", ["predictions.csv"]),
        ("thalweg predict images --model m", ["model"]),
        ("thalweg check --ti", ["--time"]),
    ],
)
def test_bash_offers(line: str, offered: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "completion.bash").write_text(print_completion("bash", capsys))
    for name in ("params.yaml", "predictions.csv", "model.txt"):
        (tmp_path / name).write_text("")
    for name in ("images", "model"):
        (tmp_path / name).mkdir()
    command = ["bash", "--norc", "-c", COMPLETE, "bash", line]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert run.stdout.split() == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = print_completion(shell, capsys)
    assert all(name in script for name in ("thalweg", "dashboard", *PRESETS))
