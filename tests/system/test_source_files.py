"""The source files that code reaches, found without running it."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.system.source_files import digest_source, follow_imports, list_libraries

FIRES = "raise SystemExit('this ran')\n"


def write_files(folder: Path, contents: dict[str, str]) -> None:
    for name, text in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_code_is_followed_and_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    contents = {
        "quiet_a/__init__.py": FIRES,
        "quiet_a/net.py": f"from . import layers\nimport quiet_b.deep.part, json, numpy\n{FIRES}",
        "quiet_a/layers.py": FIRES,
        "quiet_a/unused.py": FIRES,
        "quiet_b/deep/part.py": FIRES,
    }
    write_files(tmp_path, contents)
    reached = follow_imports(["quiet_a.net.Model"])
    files = {file.relative_to(tmp_path).as_posix() for file in reached.values()}
    assert files == contents.keys() - {"quiet_a/unused.py"}
    assert reached["quiet_b.deep.part"] == tmp_path / "quiet_b/deep/part.py"
    assert not {"quiet_a", "quiet_b"} & sys.modules.keys()


def test_what_is_left_out_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    write_files(tmp_path, {"quiet_c.py": "import quiet_d", "quiet_d.py": "import quiet_e", "quiet_e.py": ""})
    assert follow_imports(["quiet_c.Model"], ["quiet_d"]).keys() == {"quiet_c"}
    assert follow_imports(["quiet_c.Model"], ["quiet"]).keys() == {"quiet_c", "quiet_d", "quiet_e"}


def test_place_of_a_file_counts_and_not_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    # no file can take the name of a module that is part of the interpreter; `select` is one of Debian's
    own = [name for name in ("code", "types", "select", "json", "numpy") if name not in sys.builtin_module_names]
    for name in own:
        (tmp_path / f"{name}.py").write_text("import random, pandas")
    assert follow_imports([f"{name}.Model" for name in own]) == {name: tmp_path / f"{name}.py" for name in own}
    monkeypatch.undo()
    assert follow_imports([f"{name}.Model" for name in own]) == {}


@pytest.mark.parametrize(
    "name", ["json.loads", "sys.path", "os.path.join", "numpy.mean", "no_such_package.Model", "__main__", "a..b", "."]
)
def test_library_and_strange_name_reach_nothing(name: str) -> None:
    assert follow_imports([name]) == {}


def test_libraries_have_the_version_of_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package is named as pip knows it. What lies elsewhere, as after `pip install -e`, is watched as files."""
    installed = tmp_path / "site-packages"
    monkeypatch.setattr("sys.path", [*sys.path, str(installed), str(tmp_path)])
    contents = {
        "site-packages/quiet_nets/__init__.py": "import json, quiet_nets_need",
        "site-packages/Quiet_Nets_Of_Test-1.5.dist-info/METADATA": "Name: Quiet-Nets-Of-Test\nVersion: 1.5\n",
        "site-packages/Quiet_Nets_Of_Test-1.5.dist-info/RECORD": "quiet_nets/__init__.py,,\n",
        "site-packages/quiet_edited-2.0.dist-info/METADATA": "Name: quiet-edited\nVersion: 2.0\n",
        "quiet_edited/__init__.py": "def f():\n    import numpy.linalg, PIL, no_such_package, json, quiet_nets.part",
    }
    write_files(tmp_path, contents)
    assert list_libraries(["quiet_nets.Model"]) == {"Quiet-Nets-Of-Test": "1.5"}
    names = ["Quiet-Nets-Of-Test", "numpy", "pillow"]
    assert list_libraries(["quiet_edited.Model"]) == {name: version(name) for name in names}
    assert list_libraries(["quiet_edited.Model"], ["quiet_edited"]) == {}
    assert follow_imports(["quiet_edited.Model", "quiet_nets.Model"]).keys() == {"quiet_edited"}


def test_deep_tree_has_a_digest(tmp_path: Path) -> None:
    file = tmp_path / "deep.py"
    digests = set()
    for last in ("1", "2"):
        file.write_text(" + ".join(["a = 1", *["1"] * 900, last]))
        digests.add(digest_source(file))
    assert len(digests) == 2


PYTHONS = sorted(Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python"))
DIGEST = """
import sys, types
from pathlib import Path
for name in ("thalweg", "thalweg.system", "thalweg.system.files"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["thalweg.system"].__path__ = ["pipeline/system"]
sys.modules["thalweg.system"].files = sys.modules["thalweg.system.files"]
sys.modules["thalweg.system.files"].read_bytes = lambda path: path.read_bytes()
names = {"__name__": "thalweg.system.source_files"}
exec(Path("pipeline/system/source_files.py").read_text(), names)
print(*(names["digest_source"](file) for file in sorted(Path("pipeline").glob("core/*.py"))))
"""


@pytest.mark.skipif(len(PYTHONS) < 2, reason="there is one Python only")
def test_digest_is_the_same_in_every_python() -> None:
    """A model that is trained with one Python is used with another."""
    printed = [
        subprocess.run([str(python), "-c", DIGEST], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for python in PYTHONS
    ]
    assert len(printed[0].split()) > 10
    assert len(set(printed)) == 1
