"""Real commands, their metrics, and their failures."""

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.duel.runs import Run, RunOptions, find_value, read_metrics, run_side
from thalweg.duel.side import Side


def run(command: str, name: str = "A", **options: Any) -> Run:
    side = Side(name, command, command, "tree", {})
    ended = run_side(side, 7, RunOptions(**options), threading.Event())
    assert ended is not None
    return ended


def test_last_line_with_a_name_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ['{"loss": 3}', "epoch 1", '{"loss": 2, "val": {"acc": 0.5}}', '{"other": 1}', "{not JSON}"]
    Path("log").write_text("\n".join(lines))
    assert run("cat log").metrics == {"loss": 2, "val.acc": 0.5, "other": 1}


def test_seed_reaches_the_program() -> None:
    assert run("""echo "{\\"x\\": $SEED}" """).metrics == {"x": 7}
    assert run("""echo "{\\"x\\": $S}" """, seed_variable="S").metrics == {"x": 7}
    assert run("""echo '{"x": {seed}}'""").metrics == {"x": 7}


def test_metrics_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = "out-{side}-{seed}.json"
    assert run("""echo '{"x": 4}' > out-b-7.json; echo '{"x": 1}'""", name="B", metric_file=file).metrics == {"x": 4}
    stale = run("true", name="B", metric_file=file)
    assert stale.failed == "out-b-7.json holds no JSON object with numbers"


@pytest.mark.parametrize(
    ("command", "options", "failed"),
    [
        ("echo no numbers", {}, "it printed no line with a JSON object of numbers"),
        ("echo first >&2; echo the cause >&2; exit 3", {}, "exit code 3: first the cause"),
        ("exit 1", {}, "exit code 1"),
        ("sleep 30", {"timeout": 0.3}, "took longer than 0.3 s"),
        ("no-such-program-anywhere 2>/dev/null", {}, "exit code 127"),
    ],
)
def test_failures(command: str, options: dict[str, Any], failed: str) -> None:
    ended = run(command, **options)
    assert ended.failed == failed
    assert find_value(ended, "x") is None


def test_run_ends_when_all_is_over() -> None:
    is_over = threading.Event()
    timer = threading.Timer(0.5, is_over.set)
    timer.start()
    command = "sleep 30"
    assert run_side(Side("A", command, command, "tree", {}), 1, RunOptions(), is_over) is None


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_value_that_is_not_finite_is_a_failure(value: str) -> None:
    assert find_value(run(f"""echo '{{"x": {value}}}'"""), "x") is None


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert all(isinstance(value, float) for value in read_metrics(text).values())
