import math
import subprocess
import sys
from pathlib import Path

import pytest

from thalweg.system import members
from thalweg.system.members import MemberError, import_member, list_dotted_members

TREE = {
    "data": {"path": "a.b", "source": {"kind": "own.Source"}},
    "augment": {
        "offline": {"copies": 1, "own_light.invert": 0.5},
        "online": {"flip": 0.5, "own_light": {"fade": 0.1}},
    },
    "task": {"kind": "count", "metrics": ["own_metrics.worst"]},
    "model": {"kind": "cnn"},
    "loss": {"terms": {"count": {"kind": "own.loss", "schedule": {"kind": "own.fall"}}}},
    "optimizer": {"kind": "own.step"},
    "study": {
        "name": "a.b",
        "sampler": "own.Draw",
        "enqueue": [{"loss.terms.count.kind": "own.loss"}],
        "space": {
            "loss.terms.count.kind": {"choices": ["l1", "own.other"]},
            "augment.online.own_light.dim": {"low": 0.0, "high": 1.0},
            "loss.terms.count.share": {"low": 0.1, "high": 0.2, "when": {"loss.terms.count.kind": "own.other"}},
        },
    },
    "report": {"title": "a.b", "sections": ["result", "own.spread"]},
}


def test_every_place_of_own_code_is_listed() -> None:
    assert list_dotted_members(TREE) == {
        ("data", "source", "kind"): "own.Source",
        ("augment", "offline", "own_light.invert"): "own_light.invert",
        ("augment", "online", "own_light", "fade"): "own_light.fade",
        ("task", "metrics", 0): "own_metrics.worst",
        ("loss", "terms", "count", "kind"): "own.loss",
        ("loss", "terms", "count", "schedule", "kind"): "own.fall",
        ("optimizer", "kind"): "own.step",
        ("study", "sampler"): "own.Draw",
        ("study", "space", "loss.terms.count.kind", "choices", 1): "own.other",
        ("study", "space", "augment.online.own_light.dim"): "own_light.dim",
        ("report", "sections", 1): "own.spread",
    }


@pytest.mark.parametrize(
    "tree", [None, [], {"study": None, "augment": [1], 3: {"kind": 4}}, {"model": {"kind": "1.5"}}]
)
def test_invalid_file_names_no_own_code(tree: object) -> None:
    assert list_dotted_members(tree) == {}


def test_member_is_an_object_or_a_module() -> None:
    assert import_member("math.hypot") is math.hypot
    assert import_member("thalweg.system.members") is members


@pytest.mark.parametrize(
    ("text", "path", "fault"),
    [
        ("", "no_such_own.x", "no file `no_such_own.py` lies beside params.yaml, and no package `no_such_own` is"),
        ("def quantile(): pass", "own_a.quantil", r"`own_a` has no `quantil`; did you mean `own_a\.quantile`\?"),
        ("x = 1\ny = z", "own_b.x", r"fails: NameError: name 'z' is not defined \(own_b.py, line 2\)"),
        ("x = 1\ndef f(:", "own_c.x", r"fails: SyntaxError: invalid syntax \(own_c.py, line 2\)"),
        ("import no_such_library", "own_d.x", r"fails: ModuleNotFoundError: No module named 'no_such_library' \(own_d"),
        ("raise SystemExit", "own_e.x", r"fails: SystemExit \(own_e.py, line 1\)"),
    ],
)
def test_fault_of_own_file_is_one_sentence(
    text: str, path: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    if text:
        (tmp_path / f"{path.partition('.')[0]}.py").write_text(text)
    with pytest.raises(MemberError, match=fault) as caught:
        import_member(path)
    assert caught.value.member == path
    assert "\n" not in str(caught.value)


def test_module_that_lacks_a_library_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "own_pages"
    folder.mkdir()
    (folder / "spread.py").write_text("import no_such_library")
    with pytest.raises(MemberError, match=r"`own_pages\.spread` fails: ModuleNotFoundError: No module named 'no_"):
        import_member("own_pages.spread")


@pytest.mark.parametrize("name", ["types", "sys"])
def test_file_that_python_hides_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{name}.py").write_text("class Model: ...")
    with pytest.raises(MemberError, match=rf"is not there: {name}\.py is hidden by another `{name}`; rename it"):
        import_member(f"{name}.Model")


def test_class_of_another_kind_is_refused() -> None:
    assert members.import_class("collections.OrderedDict", dict)() == {}
    with pytest.raises(MemberError, match=r"must be a subclass of `builtins\.dict`"):
        members.import_class("collections.deque", dict)


def test_module_needs_no_jax() -> None:
    code = "import sys, thalweg.system.members; print('jax' in sys.modules, 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
