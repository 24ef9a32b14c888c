"""The cache of compiled programs: a damaged program is removed with one line, and compiled again."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest
from jax._src import compilation_cache

from tests.helpers.damages import DAMAGES, damage_file
from tests.helpers.paths import ROOT
from thalweg.system import compiled

GUARD = """
import thalweg
from thalweg.system.compiled import guard_compiled_programs
guard_compiled_programs()
"""
COMPILE = """
import jax, jax.numpy as jnp
events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
print(jax.jit(lambda x: (x * 3).sum())(jnp.arange(5.0)), events.count("/jax/compilation_cache/cache_misses"))
"""


STOP_HALF_WAY = """
import os, pathlib, time

def wait(_handle):
    pathlib.Path("writing").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.01)

os.fsync = wait
"""
"""Each write stops before it is whole, until the file "go" is there."""


def start_process(folder: Path, code: str = GUARD + COMPILE) -> subprocess.Popen[str]:
    """Start a process whose cache lies in `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    environment |= {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
    )


def compile_in_process(folder: Path) -> tuple[str, str]:
    """Compile a program in a process whose cache lies in `folder`; return what it printed."""
    with start_process(folder) as process:
        out, errors = process.communicate()
    assert process.returncode == 0, errors
    return out.strip(), errors


@pytest.mark.slow
@pytest.mark.parametrize("ends", [True, False], ids=["ends", "is killed"])
def test_half_written_program_is_not_there(tmp_path: Path, *, ends: bool) -> None:
    with start_process(tmp_path, GUARD + STOP_HALF_WAY + COMPILE) as writer:
        while writer.poll() is None and not (tmp_path / "writing").exists():
            time.sleep(0.01)
        out, errors = compile_in_process(tmp_path)
        if ends:
            (tmp_path / "go").touch()
        else:
            writer.kill()
        assert writer.communicate()[1] == ""
    assert errors == ""
    assert int(out.split()[1]) > 0
    assert compile_in_process(tmp_path) == ("30.0 0", "")


@pytest.mark.slow
def test_damaged_program_is_compiled_again(tmp_path: Path) -> None:
    first = compile_in_process(tmp_path)[0]
    assert first.startswith("30.0 ")
    programs = sorted(tmp_path.glob(".thalweg/compiled/*/*.program"))
    assert int(first.split()[1]) == len(programs) > 0
    programs[0].write_bytes(programs[0].read_bytes()[:-10])
    warning = f"{programs[0]}: changed or cut after it was written; left out, and made anew\n"
    assert compile_in_process(tmp_path) == ("30.0 1", warning)
    assert compile_in_process(tmp_path) == ("30.0 0", "")


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_found_when_read(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    programs = compiled.ProgramCache(tmp_path / "made when needed")
    for key in ("jit_a-1", "jit_a-2"):
        programs.put(key, b"compiled program " + key.encode())
    file = tmp_path / "made when needed" / "jit_a-1.program"
    assert damage_file(file, kind, random.Random(0), file.with_name("jit_a-2.program").read_bytes())
    assert programs.get("jit_a-1") is None
    warning = f"{file}: changed or cut after it was written; left out, and made anew\n"
    assert capsys.readouterr().err == ("" if kind == "removed" else warning)
    assert [program.name for program in file.parent.iterdir()] == ["jit_a-2.program"]
    assert programs.get("jit_a-2") == b"compiled program jit_a-2"


def test_moved_programs_still_fit(tmp_path: Path) -> None:
    compiled.ProgramCache(tmp_path / "before").put("key", b"program")
    (tmp_path / "before").rename(tmp_path / "after")
    assert compiled.ProgramCache(tmp_path / "after").get("key") == b"program"


def test_unusable_folder_is_reported_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    programs = compiled.ProgramCache(tmp_path / "file" / "folder")
    for key in ("a", "b"):
        programs.put(key, b"program")
        assert programs.get(key) is None
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1
    assert f"{tmp_path / 'file' / 'folder'}: cannot be written ({tmp_path / 'file'} is no folder" in warning


def test_other_jax_keeps_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delattr(compilation_cache, "get_file_cache")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "/project/.thalweg/compiled/0123")
    try:
        compiled.guard_compiled_programs()
        assert not jax.config.jax_enable_compilation_cache  # type: ignore[attr-defined]
    finally:
        jax.config.update("jax_enable_compilation_cache", True)  # type: ignore[no-untyped-call]
    assert "keeps compiled programs in another way" in capsys.readouterr().err


def test_folder_of_the_user_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = compilation_cache.get_file_cache
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    compiled.guard_compiled_programs()
    assert compilation_cache.get_file_cache is original
