"""`thalweg diff`: folders, packed reports, git revisions and experiments."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import thalweg
from docs.programs import build_schema
from tests.helpers.browser import open_page
from thalweg import cli
from thalweg.diff.answer import DiffAnswer, compare_studies
from thalweg.diff.charts import build_effects_chart
from thalweg.diff.parameters import Effect, ParameterPair
from thalweg.diff.place import find_places
from thalweg.diff.study import CODE, read_study
from thalweg.system import files
from thalweg.system.paths import CURVES, JUDGED, PARAMS, SUMMARY, TRIALS


@pytest.fixture
def folder(finished_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two copies of a finished project, `a` and `b`."""
    record = {"thalweg": thalweg.__version__, "code": {}, "libraries": {}}
    for name in ("a", "b"):
        for part in ("artifacts", "reports"):
            shutil.copytree(finished_project / part, tmp_path / name / part)
        shutil.copyfile(finished_project / PARAMS, tmp_path / name / PARAMS)
        files.write_json(tmp_path / name / CODE, record)  # as the stage `inputs` does
    monkeypatch.chdir(tmp_path)
    return tmp_path


def worsen(project: Path, by: float = 5.0) -> None:
    """Make the winner of a project worse on every seed and example."""
    record = json.loads((project / JUDGED).read_text())
    for name in ("values", "corrected"):
        values = record[name]
        values["by_seed"] = [value + by for value in values["by_seed"]]
        values["without_block"] = [[value + by for value in row] for row in values["without_block"]]
    (project / JUDGED).write_text(json.dumps(record))


def diff(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert cli.main(["diff", *arguments]) == code
    return capsys.readouterr().out


def ask(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(diff(capsys, *arguments, "--json", code=code))
    jsonschema.validate(answer, build_schema(DiffAnswer))
    return answer


@pytest.mark.usefixtures("folder")
def test_same_study_twice(capsys: pytest.CaptureFixture[str]) -> None:
    lines = diff(capsys, "a", "b", "--fail-on-regression").splitlines()
    assert lines[0].startswith("A: a, 4 trials, winner mae ")
    assert lines[2] == "A and B have the same winner: its mae is the same on every seed."
    assert lines[3].startswith("Lower mae is better. The 95 % interval is for other seeds and other groups, from 2 ")
    assert "no difference in params, data, code, versions, values of the winners" in lines
    answer = ask(capsys, "a", "b")
    assert answer["verdict"] == "unclear"
    assert answer["difference"]["mean"] == 0
    assert answer["notes"] == ["So few seeds show large differences alone: set `confirm.seeds` to 8 or more."]
    assert [pair["name"] for pair in answer["parameters"]] == ["optimizer.learning_rate", "optimizer.momentum"]


def test_regression_is_an_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    worsen(folder / "b")
    params = folder / "b" / PARAMS
    params.write_text(params.read_text().replace("batch_size: 16", "batch_size: 32"))
    text = diff(capsys, "a", "b", "--fail-on-regression", code=1)
    assert "The winner of B is worse: mae B − A is +5.000 on the test set." in text
    assert "  training.batch_size  16 -> 32\n" in text
    assert "worse" in diff(capsys, "a", "b")
    assert "better" in diff(capsys, "b", "a", "--fail-on-regression")
    answer = ask(capsys, "a", "b", "--fail-on-regression", code=1)
    assert answer["params"] == [{"name": "training.batch_size", "a": 16, "b": 32}]
    assert answer["difference"]["low"] == pytest.approx(5)


def test_packed_report_is_a_study(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder / "b")
    assert cli.main(["report", "--zip"]) == 0
    monkeypatch.chdir(folder)
    with zipfile.ZipFile("b/reports/report.zip") as archive:
        archive.extractall("unpacked")
    answer = ask(capsys, "a/reports", "unpacked/report")
    assert (answer["verdict"], answer["notes"][:-1]) == ("unclear", [])
    assert answer["params"] == answer["data"] == answer["code"] == answer["versions"] == []


def test_what_is_missing_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a" / JUDGED).unlink()
    (folder / "b" / CURVES).unlink()
    assert cli.main(["diff", "a", "b", "--fail-on-regression"]) == 0
    printed = capsys.readouterr().err
    assert printed.startswith("diff: --fail-on-regression judged nothing, because the winners cannot be compared; ")
    answer = ask(capsys, "a", "b", "--fail-on-regression")
    assert answer["verdict"] == "incomparable"
    assert answer["sentence"].startswith("The winners cannot be compared. An earlier version of Thalweg confirmed A, ")
    assert answer["sentence"].endswith("if another version of Thalweg made the study, it trains again.")
    assert answer["notes"] == [
        "B lacks reports/curves.csv. `thalweg run` there makes them; a report folder has them if "
        "`thalweg report --zip` packed it."
    ]
    (folder / "b" / JUDGED).unlink()
    sentence = ask(capsys, "a", "b")["sentence"]
    assert sentence.startswith("The winners cannot be compared. An earlier version of Thalweg confirmed A and B, and ")
    assert sentence.count("earlier version") == 1


def edit_judged(project: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((project / JUDGED).read_text())
    edit(record)
    (project / JUDGED).write_text(json.dumps(record))


def test_each_side_has_its_own_metric(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit_judged(folder / "b", lambda record: record.update(objective="r2", sign=-1))
    first, second, sentence = diff(capsys, "a", "b", "--out", "page.html").splitlines()[:3]
    assert ", winner mae " in first
    assert ", winner r2 " in second
    assert sentence == "The winners cannot be compared. A was judged by mae, B by r2."
    assert "B, r2" in (folder / "page.html").read_text()
    answer = ask(capsys, "a", "b")
    assert [(answer[side]["metric"], answer[side]["minimize"]) for side in "ab"] == [("mae", True), ("r2", False)]
    assert (answer["metric"], answer["minimize"]) == ("", None)
    a, b = find_places(("a", "b"), folder)
    effect = Effect(1.0, 0.5, 1.5, "0.1", "yes")
    two_metrics, one_metric = (
        replace(compare_studies(read_study("A", a), study), parameters=(ParameterPair("x", "", "", effect, effect),))
        for study in (read_study("B", b), read_study("B", a))
    )
    assert build_effects_chart(two_metrics) is None
    assert build_effects_chart(one_metric) is not None


def test_notes_on_seeds_and_luck(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def add_seed(record: dict[str, Any]) -> None:
        record["seeds"].append(10**6)
        for values in (record["values"], record["corrected"]):
            values["by_seed"].append(values["by_seed"][0])
            values["without_block"].append(values["without_block"][0])
        record["corrected"]["by_seed"][0] = None

    edit_judged(folder / "b", add_seed)
    notes = ask(capsys, "a", "b")["notes"]
    assert "A has 2 seeds and B 3; only the 2 that both have count." in notes
    assert any(note.startswith("The luck of choosing the winners is not removed: ") for note in notes)


def test_packed_report_is_named_by_its_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(folder / "report.zip", "w") as archive:
        archive.write(folder / "b" / PARAMS, f"report/{PARAMS}")
        archive.extractall(folder / "unpacked")
    assert cli.main(["diff", "report.zip", "unpacked"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("diff: report.zip is a file; unpack it, and name the folder report")
    assert second == "diff: unpacked holds no study itself; name the folder unpacked/report"


def test_this_folder_is_named_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder / "b")
    assert cli.main(["diff", "../a", "."]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("A: ../a, ")
    assert second.startswith("B: this folder, ")


def test_all_mistakes_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").mkdir()
    assert cli.main(["diff", "empty", "nowhere"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("diff: empty holds no study: params.yaml is not there.")
    assert second.startswith("diff: nowhere is no folder, and no git revision or experiment of this project; ")
    (folder / "b" / SUMMARY).write_text("{")
    assert cli.main(["diff", "a", "b"]) == 2
    assert capsys.readouterr().err.startswith("diff: B, b: reports/summary.json: ")


@pytest.mark.usefixtures("folder")
def test_folders_need_no_jax() -> None:
    code = (
        "import sys; from thalweg import cli\n"
        "assert cli.main(['diff', 'a', 'b', '--out', 'page.html']) == 0\n"
        "print([name for name in ('jax', 'flax', 'optax', 'dvc') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["page.html", "[]"]


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_page_fits_and_is_offline(folder: Path, capsys: pytest.CaptureFixture[str], browser: Any, width: int) -> None:
    worsen(folder / "b")
    assert diff(capsys, "a", "b", "--out", "page.html").splitlines()[-1] == "page.html"
    with open_page(browser, folder / "page.html", width=width) as (page, faults):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert "The winner of B is worse" in page.locator(".lede").inner_text()
        assert page.locator(".chart svg").count() == 2
        assert faults == []


@pytest.mark.slow
def test_revisions_and_experiments(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two commits and an experiment of a project whose outputs DVC keeps; then its cache is gone."""

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)

    def record(message: str) -> None:
        run(sys.executable, "-m", "dvc", "commit", "--force", "--quiet")
        run("git", "add", "--all")
        run("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", message)

    project = folder / "a"
    monkeypatch.chdir(project)
    run("git", "init", "-q")
    run(sys.executable, "-m", "dvc", "init", "--quiet")
    folders = ("confirm", "study", "prepared", "inputs")
    outs = [*(f"artifacts/{name}" for name in folders), *map(str, (SUMMARY, CURVES, TRIALS))]
    (project / "dvc.yaml").write_text(json.dumps({"stages": {"all": {"cmd": "false", "outs": outs}}}))
    (project / ".gitignore").write_text("/artifacts\n/reports\n")
    (project / "own_model.py").write_text("WIDTH = 1\n")
    record("one")
    worsen(project)
    (project / "own_model.py").write_text("WIDTH = 2\n")
    record("two")
    worsen(project)
    run(sys.executable, "-m", "dvc", "exp", "save", "--force", "--name", "further")
    answer = ask(capsys, "HEAD~1", "HEAD", "--fail-on-regression", code=1)
    assert answer["difference"]["mean"] == pytest.approx(5)
    assert answer["code"] == [{"name": "own_model.py", "a": "there", "b": "edited"}]
    assert len(answer["b"]["commit"]) == 40
    (project / CODE).unlink()
    run("git", "rm", "-q", "own_model.py")
    record("no record of the code")
    answer = ask(capsys, "HEAD~2", "HEAD")
    assert answer["code"] == [{"name": "own_model.py", "a": "there", "b": None}]
    assert any("B lacks " in note and CODE.as_posix() in note for note in answer["notes"])
    run("git", "reset", "-q", "--hard", "HEAD~1")
    assert ask(capsys, "HEAD~1", "further")["difference"]["mean"] == pytest.approx(10)
    assert ask(capsys, "further", ".")["difference"]["mean"] == 0
    shutil.rmtree(project / ".dvc" / "cache")
    text = diff(capsys, "HEAD~1", ".")
    assert "The winners cannot be compared. There is no confirmed winner of A here." in text
    assert "note: A lacks " in text
    assert "`dvc fetch --all-commits` gets them from a remote, or `git checkout HEAD~1` and `thalweg run`." in text
