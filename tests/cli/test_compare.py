"""thalweg compare: verdicts as exit codes, messages, JSON, the ledger and its history."""

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from docs.programs import build_schema
from thalweg import cli
from thalweg.cli.answers import CompareAnswer

SCRIPT = """
import json, os, random, sys
seed, gain = int(os.environ["SEED"]), float(sys.argv[1])
print(json.dumps({"loss": 1 + random.Random(seed).random() - gain + 0.01 * random.Random(f"{seed} {gain}").random()}))
"""
BASE = ["compare", "--a", "python train.py 0", "--metric", "loss", "--seeds", "5..16"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)
    subprocess.run(["git", "init", "-q", "."], check=True)
    return tmp_path


def compare(*arguments: str) -> int:
    return cli.main([*BASE, *arguments])


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("gain", "better", "code", "said"),
    [
        ("0.5", "--minimize", 0, "B is better: loss B - A is -0.5"),
        ("-0.5", "--minimize", 1, "B is worse: loss B - A is +0.5"),
        ("0.5", "--maximize", 1, "B is worse: loss B - A is -0.5"),
        ("0.0", "--minimize", 3, "Open: loss B - A is"),
    ],
)
def test_verdict_is_the_exit_code(
    capsys: pytest.CaptureFixture[str], gain: str, better: str, code: int, said: str
) -> None:
    assert compare("--b", f"python train.py {gain}", better) == code
    output = capsys.readouterr().out
    assert said in output.splitlines()[-1]
    assert output.startswith(f"A: python train.py 0\nB: python train.py {gain}\nloss, ")


@pytest.mark.usefixtures("project")
def test_difference_that_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("--b", "python train.py 0.001", "--minimize", "--smallest", "0.1") == 4
    assert "No difference of 0.1 or more: loss B - A is" in capsys.readouterr().out


def test_open_comparison_can_go_on(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    b = ["--b", "python train.py 0.0015", "--minimize", "--json"]
    assert compare(*b) == 3
    first = capsys.readouterr()
    result = json.loads(first.out)
    jsonschema.validate(result, build_schema(CompareAnswer))
    assert result["verdict"] == "open"
    assert result["pairs_needed"] > 12
    assert f"--seeds 5..{result['pairs_needed'] + 4}" in first.err
    assert compare(*b) == 3
    assert capsys.readouterr().out == first.out, "the ledger gives the same result"
    more = [*BASE[:-1], "5..24", *b]
    assert cli.main(more) in (0, 3)
    assert json.loads(capsys.readouterr().out)["alpha"] == 0.025
    assert len((project / "compare.jsonl").read_text().splitlines()) <= 2 * 20 + 2


def test_settled_comparison_runs_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    b = ["--b", "python train.py 0.5", "--minimize"]
    assert compare(*b) == 0
    (project / "ledger.txt").write_text("a file that git ignores")
    before = (project / "compare.jsonl").read_bytes()
    (project / "ledger.txt").unlink()
    capsys.readouterr()
    assert compare(*b) == 0
    assert "settled on 20" in capsys.readouterr().out
    assert (project / "compare.jsonl").read_bytes() == before


def test_changed_code_runs_anew(project: Path) -> None:
    b = ["--b", "python train.py 0.5", "--minimize"]
    assert compare(*b) == 0
    count = len((project / "compare.jsonl").read_text().splitlines())
    (project / "train.py").write_text(f"{SCRIPT}# another version\n")
    assert compare(*b) == 0
    assert len((project / "compare.jsonl").read_text().splitlines()) == 2 * count


def test_ledger_outside_the_repository(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    ledger = tmp_path_factory.mktemp("elsewhere") / "runs.jsonl"
    b = ["--b", "python train.py 0.5", "--minimize", "--ledger", str(ledger)]
    assert compare(*b) == 0
    (project / "train.py").write_text(SCRIPT.replace("- gain", "+ gain"))
    assert compare(*b) == 1, "changed code runs anew"


def test_history(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", "--log"]) == 0
    assert capsys.readouterr().out == "compare.jsonl: no comparison yet\n"
    compare("--b", "python train.py 0.5", "--minimize")
    compare("--b", "python train.py -0.5", "--minimize")
    capsys.readouterr()
    assert cli.main(["compare", "--log", "--page", "history.html"]) == 0
    last, first = capsys.readouterr().out.splitlines()[1:3]
    assert "B is worse" in last
    assert "B is better" in first
    page = (project / "history.html").read_text()
    assert "2 comparisons: B is worse in 1, B is better in 1." in page
    assert "python train.py -0.5" in page
    assert {path.name for path in project.iterdir()} == {".git", "train.py", "compare.jsonl", "history.html"}


@pytest.mark.usefixtures("project")
def test_notes(capsys: pytest.CaptureFixture[str]) -> None:
    constant = """echo '{"loss": 2}' > new$SEED; cat new$SEED"""
    compare("--b", constant, "--minimize")
    output = capsys.readouterr().out
    assert "note: B gives loss 2 with every seed: does it use the seed?" in output
    assert "note: the runs changed files that git does not ignore" in output
    fails_once = "test $SEED != 6 && python train.py 0.5"
    compare("--b", fails_once, "--minimize")
    output = capsys.readouterr().out
    assert "note: B failed in 1 of " in output


@pytest.mark.usefixtures("project")
def test_all_mistakes_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", "--smallest", "-1", "--jobs", "0", "--timeout", "nan"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "compare: --a, --b, --metric, --seeds are missing",
        "compare: say with --minimize or --maximize which metric is better",
        "--smallest: must be above 0, not -1",
        "--timeout: must be above 0, not nan",
        "--jobs: must be above 0, not 0",
    ]
    assert compare("--b", "python train.py 0", "--minimize") == 2
    assert "A and B are the same program" in capsys.readouterr().err
    assert compare("--b", "python train.py 1", "--minimize", "--metric-file", "m.json", "--jobs", "2") == 2
    assert "--metric-file: needs {seed}" in capsys.readouterr().err


def test_folder_without_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert compare("--b", "python train.py 1", "--minimize") == 2
    assert "Run `git init` first" in capsys.readouterr().err


def test_repository_stays_as_it_is(project: Path) -> None:
    before = sorted(path.relative_to(project).as_posix() for path in project.rglob(".git/**/*"))
    compare("--b", "python train.py 0.5", "--minimize")
    assert sorted(path.relative_to(project).as_posix() for path in project.rglob(".git/**/*")) == before
