"""Keys beside a kind that is own code: only numbers of a kind that the study uses."""

import sys
from pathlib import Path

import pytest

from tests.helpers.params_messages import edit_experiment, list_message_lines
from thalweg.system.package_files import find_package_file

OWN = "own_keys_of_test.quantile"
SEARCHED_DELTA = """\
    loss.terms.count.delta:
      low: 0.25
      high: 4.0
      log: true
      when: {loss.terms.count.kind: huber}
"""


@pytest.fixture(autouse=True)
def own_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_keys_of_test.py").write_text(find_package_file("scaffold", "own_loss.txt").read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_keys_of_test", raising=False)


def list_lines(folder: Path, keys: str, choices: str) -> list[str]:
    text = edit_experiment(
        ("      kind: l2 ", f"{keys}      kind: {OWN} "),
        ("      delta: 1.0            # huber: where the squared error becomes absolute" + "\n", ""),
        ("[l1, l2, huber, poisson]", choices),
        (SEARCHED_DELTA, ""),
    )
    return list_message_lines(folder, text)


@pytest.mark.parametrize("key", ["gamma", "delta", "nonsense"])
def test_key_of_no_used_loss_is_one_error(tmp_path: Path, key: str) -> None:
    """`delta` and `gamma` belong to losses of ours that this study does not compare."""
    (line,) = list_lines(tmp_path, f"      {key}: 1.0\n", f"[{OWN}]")
    allowed = "kind, weight, schedule, phases, share"
    assert line.partition(": ")[2].startswith(f"loss.terms.count.{key}: unknown key; allowed: {allowed}")


def test_numbers_of_compared_losses_are_allowed(tmp_path: Path) -> None:
    assert list_lines(tmp_path, "      delta: 1.0\n      share: 0.3\n", f"[{OWN}, huber]") == []
    (line,) = list_lines(tmp_path, "      gamma: 1.0\n", f"[{OWN}, huber]")
    assert "unknown key; allowed: kind, weight, schedule, phases, delta, share" in line


def test_misspelt_key_is_one_error(tmp_path: Path) -> None:
    (line,) = list_lines(tmp_path, "      shrae: 1.0\n", f"[{OWN}, huber]")
    assert line.endswith("did you mean `share`?")
