"""thalweg apply: each patch of a report gives a good params file, and no other file is changed."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from docs.programs import ANSWERS, build_schema
from tests.helpers.drawn_studies import build_studies_by_case
from tests.helpers.paths import EXPERIMENT
from tests.helpers.random_studies import draw_random_study
from thalweg import cli
from thalweg.config.load import load_config
from thalweg.config.write import rewrite_params
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.render import collect_shown_findings
from thalweg.reporting.sections import select_sections
from thalweg.reporting.tables import StudyTables

PARAMS = Path("params.yaml")
FINDINGS = Path("reports/findings.json")
KIND = "loss.terms.count.kind"
WRITTEN = EXPERIMENT.read_text()
KEPT = [line for line in WRITTEN.splitlines() if line.lstrip().startswith("# ")]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def build_entry(parameter: SearchedParameter) -> dict[str, Any]:
    entry: dict[str, Any] = {"choices": list(parameter.choices)} if parameter.choices else {}
    if not parameter.choices:
        entry = {"low": parameter.low, "high": parameter.high, "log": parameter.log}
    entry |= {"when": {name: list(values) for name, values in parameter.when.items()}} if parameter.when else {}
    return entry | ({"role": parameter.role} if parameter.role == "scientific" else {})


def rename(tables: StudyTables) -> StudyTables:
    """Give an invented choice the name of a real one, and an invented loss that of its twin."""
    space = [replace(each, name=KIND) if each.name == "kind" else each for each in tables.space]
    trials = tables.trials.rename(columns={"kind": KIND}).replace({KIND: {"mse": "l2"}})
    choices = [tuple("l2" if choice == "mse" else choice for choice in each.choices) for each in space]
    return replace(tables, space=[replace(e, choices=c) for e, c in zip(space, choices, strict=True)], trials=trials)


def write_study(tables: StudyTables) -> StudyTables:
    """Write the params file of a study, and the findings of its report."""
    tables, setting = rename(tables), tables.setting
    names = ("training.epochs", "study.trials", "study.cohort", "study.seeds", "optimizer.learning_rate")
    values = {name: setting(name) for name in names if setting(name) is not None}
    space = {parameter.name: build_entry(parameter) for parameter in tables.space}
    PARAMS.write_text(rewrite_params(WRITTEN, values | {"study.space": space}))
    tables = replace(tables, params=load_config(PARAMS).model_dump(mode="json"))
    shown = collect_shown_findings(tables, select_sections(tables)).values()
    rows = [asdict(finding) for findings in shown for finding in findings]
    FINDINGS.parent.mkdir(exist_ok=True)
    FINDINGS.write_text(json.dumps(rows))
    return tables


def apply_each() -> Iterator[tuple[str, ...]]:
    """Apply each patch to the file as the study had it; yield what each changes."""
    before = PARAMS.read_text()
    for row in json.loads(FINDINGS.read_text()):
        if row["patch"]:
            assert cli.main(["apply", str(row["number"])]) == 0, row["next_step"]
            load_config(PARAMS)
            after = PARAMS.read_text()
            assert [line for line in after.splitlines() if line in KEPT] == KEPT
            yield tuple(row["patch"])
            assert cli.main(["apply", str(row["number"])]) == 0
            assert PARAMS.read_text() == after, "it is done already"
            PARAMS.write_text(before)


def test_patches_of_drawn_studies_are_good(tmp_path: Path) -> None:
    patches = set[tuple[str, ...]]()
    for case, tables in build_studies_by_case(tmp_path / "pictures").items():
        if case not in ("hostile names", "classes", "images", "several terms"):
            write_study(tables)
            patches |= {*apply_each()}
    assert any("study.space" in patch and len(patch) > 1 for patch in patches)
    assert ("study.seeds",) in patches


@pytest.mark.parametrize(("first", "last"), [(0, 12), pytest.param(12, 300, marks=pytest.mark.slow)])
def test_patches_of_random_studies_are_good(first: int, last: int) -> None:
    patches = set[tuple[str, ...]]()
    for seed in range(first, last):
        write_study(draw_random_study(seed))
        patches |= {*apply_each()}
    assert {("study.seeds",), ("study.trials",)} <= patches


@pytest.fixture
def study(tmp_path: Path) -> dict[str, Any]:
    """The file and the findings of a drawn study; returned are its findings by what their patch changes."""
    write_study(build_studies_by_case(tmp_path / "pictures")["usual"])
    rows = json.loads(FINDINGS.read_text())
    return {next(iter(row["patch"] or row["commands"]), ""): row for row in reversed(rows)}


def test_changes_are_printed_and_written(study: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    row, before = study["study.seeds"], PARAMS.read_text()
    number, seeds = str(row["number"]), row["patch"]["study.seeds"]
    assert cli.main(["apply", number, "--dry-run"]) == 0
    assert capsys.readouterr().out == f"study.seeds: 1 -> {seeds}\nparams.yaml: 1 change; nothing was written\n"
    assert PARAMS.read_text() == before
    assert cli.main(["apply", number]) == 0
    assert capsys.readouterr().out.endswith("params.yaml: 1 change; `thalweg run` makes the new study\n")
    line = "  seeds: 1                  # runs per trial; their mean counts"
    assert PARAMS.read_text() == before.replace(line, line.replace("1 ", f"{seeds} ", 1))
    assert cli.main(["apply", number]) == 0
    assert capsys.readouterr().out == f"params.yaml: step {number} is done already\n"


def test_space_is_written_by_parameter(study: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    row = study["study.space"]
    assert cli.main(["apply", str(row["number"])]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert any(
        line.startswith("study.space.optimizer.learning_rate: {low: ") and " -> {low" in line for line in printed
    )
    space = load_config(PARAMS).study.space
    assert space.keys() == row["patch"]["study.space"].keys()
    assert space["optimizer.learning_rate"].low == row["patch"]["study.space"]["optimizer.learning_rate"]["low"]


def test_other_file_is_refused(study: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """A value that the patch does not touch may differ; one that it touches may not."""
    numbers = [str(study[name]["number"]) for name in ("study.seeds", "study.space")]
    changed = {"study.seeds": 2, "study.space.optimizer.momentum.high": 0.5, "study.name": "another"}
    text = rewrite_params(PARAMS.read_text(), changed)
    PARAMS.write_text(text)
    assert [cli.main(["apply", number]) for number in numbers] == [2, 2]
    messages = capsys.readouterr().err
    assert "  study.seeds was 1, and is 2\n" in messages
    assert "  study.space.optimizer.momentum was {" in messages
    assert "learning_rate was" not in messages
    assert PARAMS.read_text() == text


@pytest.mark.usefixtures("study")
def test_steps_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["apply"]) == 0
    listed = capsys.readouterr().out.splitlines()
    rows = [row for row in json.loads(FINDINGS.read_text()) if row["patch"]]
    assert [line.split()[:2] for line in listed] == [[str(row["number"]), row["section"]] for row in rows]
    assert all(line.endswith(row["next_step"]) for line, row in zip(listed, rows, strict=True))


def test_what_is_no_patch_says_what_to_do(study: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(FINDINGS.read_text())
    person = next(row["number"] for row in rows if row["next_step"] and not row["patch"] and not row["commands"])
    copy = study["cp artifacts/confirm/winner.yaml params.yaml"]["number"]
    messages = {
        copy: f"step {copy} is no change of params.yaml, but a command: run `cp artifacts/confirm/winner.yaml",
        person: f"finding {person} cannot be applied, because its step needs a person: ",
        len(rows) + 1: f"the report has no finding {len(rows) + 1}; it has 1 to {len(rows)}. `thalweg apply` lists",
    }
    for number, message in messages.items():
        assert cli.main(["apply", str(number)]) == 2
        assert capsys.readouterr().err.startswith(f"apply: {message}")


def test_patch_that_would_break_the_file_is_refused(study: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The cohort changed since, and the number of trials no longer fits it."""
    row = study["study.seeds"] | {"patch": {"study.trials": 50}, "replaces": {"study.trials": 48}}
    FINDINGS.write_text(json.dumps([row]))
    assert cli.main(["apply", str(row["number"])]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"apply: with step {row['number']}, params.yaml would have errors:\nparams.yaml:")
    assert "not a multiple" in message


def test_missing_and_old_reports_are_named(study: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    old = {
        name: study["study.seeds"][name] for name in ("verdict", "evidence", "next_step", "trials", "tone", "section")
    }
    FINDINGS.write_text(json.dumps([old]))
    assert cli.main(["apply"]) == 2
    assert "an earlier version of Thalweg made it; `thalweg run` makes it anew" in capsys.readouterr().err
    FINDINGS.unlink()
    assert cli.main(["apply", "1"]) == 2
    assert capsys.readouterr().err.startswith("reports/findings.json: there is no report yet; `thalweg run` makes it")


def test_marks_and_line_ends_stay(study: dict[str, Any]) -> None:
    before = b"\xef\xbb\xbf" + PARAMS.read_bytes().replace(b"\n", b"\r\n")
    PARAMS.write_bytes(before)
    assert cli.main(["apply", str(study["study.seeds"]["number"])]) == 0
    after = PARAMS.read_bytes()
    assert after.startswith(b"\xef\xbb\xbf")
    assert after.count(b"\r\n") == after.count(b"\n") == before.count(b"\r\n")
    assert after.count(b"\r") == after.count(b"\n")


def test_answers_fit_their_schemas(study: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    number = str(study["study.space"]["number"])
    for name, arguments in {"apply": [], "apply NUMBER": [number, "--dry-run"]}.items():
        assert cli.main(["apply", *arguments, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        jsonschema.validate(answer, build_schema(ANSWERS[f"thalweg {name} --json"]))
    assert not answer["written"]
    assert {change["path"].rpartition(".")[0] for change in answer["changes"]} >= {"study.space.optimizer"}
