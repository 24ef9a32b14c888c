"""The cache of compiled programs: a damaged program is removed with one line, and compiled again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.system import compiled

COMPILE = """
import sys
import thalweg
from thalweg.system.compiled import guard_compiled_programs
guard_compiled_programs()
import jax, jax.numpy as jnp
events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
print(jax.jit(lambda x: (x * 3).sum())(jnp.arange(5.0)), events.count("/jax/compilation_cache/cache_misses"))
"""


def compile_in_process(folder: Path) -> tuple[str, str]:
    """Compile a program in a process whose cache lies in `folder`; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    environment |= {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", COMPILE]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip(), done.stderr


@pytest.mark.slow
def test_damaged_program_is_compiled_again(tmp_path: Path) -> None:
    first = compile_in_process(tmp_path)[0]
    assert first.startswith("30.0 ")
    programs = sorted(tmp_path.glob(".thalweg/compiled/*/*-cache"))
    assert int(first.split()[1]) == len(programs) > 0
    programs[0].write_bytes(programs[0].read_bytes()[:-10])
    told = f"{programs[0].parent}: 1 of {len(programs)} compiled programs changed or cut; left out, and made anew\n"
    assert compile_in_process(tmp_path) == ("30.0 1", told)
    assert compile_in_process(tmp_path) == ("30.0 0", "")


@pytest.mark.parametrize("content", [b"", b"compile", b"compiled program 2", b"compiled program 1 and more"])
def test_only_noted_content_is_kept(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("1-cache", "2-cache", "autotune/1.textproto"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"compiled program " + name[:1].encode())
    compiled.note_programs(tmp_path, {"1-cache", "2-cache", "autotune/1.textproto"})
    compiled.remove_damaged_programs(tmp_path)
    assert capsys.readouterr().err == ""
    for name in ("1-cache", "autotune/1.textproto"):
        (tmp_path / name).write_bytes(content)
    compiled.remove_damaged_programs(tmp_path)
    assert "2 of 3 compiled programs changed or cut" in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == ["2-cache", "digests"]


def test_lost_digests_lose_the_programs(tmp_path: Path) -> None:
    for damage in (b"", b"\0\n\xff"):
        (tmp_path / "1-cache").write_bytes(b"1")
        (tmp_path / "digests").write_bytes(damage)
        compiled.remove_damaged_programs(tmp_path)
        assert [file.name for file in tmp_path.iterdir()] == ["digests"]


def test_unfinished_files_are_left_alone(tmp_path: Path) -> None:
    """XLA writes to tmp/ and renames; another process may be doing so."""
    (tmp_path / "autotune" / "tmp").mkdir(parents=True)
    (tmp_path / "autotune" / "tmp" / "1").write_bytes(b"half")
    compiled.remove_damaged_programs(tmp_path)
    compiled.note_programs(tmp_path, {"gone by now"})
    assert (tmp_path / "autotune" / "tmp" / "1").exists()


def test_folder_of_the_user_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1-cache").write_bytes(b"1")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    compiled.guard_compiled_programs()
    assert (tmp_path / "1-cache").exists()
