"""Findings as data: each claim of the report is one of them, and its numbers are those of its words."""

import json
import re
from dataclasses import asdict
from decimal import Decimal

import jsonschema
import pytest

from docs.programs import build_schema
from tests.helpers.random_studies import draw_random_study
from thalweg.reporting.advice.settings import format_setting
from thalweg.reporting.finding import Finding, Step, read_finding, read_step
from thalweg.reporting.page.markdown import escape_text
from thalweg.reporting.render import collect_shown_findings, render_markdown
from thalweg.reporting.sections import select_sections
from thalweg.reporting.tables import StudyTables

NUMBER = r"[+−-]?\d[\d,]*(?:\.\d+)?(?:e[+−-]?\d+)?"
WITHOUT_NUMBERS = {"No trial was run.", "Nothing is confirmed yet."}
SETTING = r"`([a-z_]+(?:\.[a-z_]+)+): ([^`]+)`"


def list_findings(tables: StudyTables) -> list[Finding]:
    return [finding for each in collect_shown_findings(tables, select_sections(tables)).values() for finding in each]


def list_written_numbers(finding: Finding) -> list[tuple[float, float]]:
    """The numbers in the words of a finding, each with half a unit of its last digit; percentages as shares, too."""
    words = f"{finding.verdict} {finding.evidence} {finding.next_step}"
    words = re.sub(r"\b(none|one|all)\b", lambda match: "0" if match[0] == "none" else "1", words, flags=re.IGNORECASE)
    texts = [Decimal(text.replace(",", "").replace("−", "-")) for text in re.findall(NUMBER, words)]
    numbers = [(float(text), 0.5 * 10.0 ** int(text.as_tuple().exponent)) for text in texts]
    return [*numbers, *((number / 100, half / 100) for number, half in numbers)]


def is_written(number: float, written: list[tuple[float, float]]) -> bool:
    """Return whether a number is written, in whichever direction the words give it; bounds are rounded outwards."""
    return any(abs(abs(number) - abs(other)) <= 2 * half for other, half in written)


def find_unwritten(findings: list[Finding]) -> list[str]:
    return [
        f"{finding.verdict} {name}: {number}"
        for finding in findings
        for name, number in finding.numbers.items()
        if finding.evidence and not is_written(number, list_written_numbers(finding))
    ]


@pytest.fixture(scope="module")
def findings_by_case(studies_by_case: dict[str, StudyTables]) -> dict[str, list[Finding]]:
    drawn = {f"random {seed}": draw_random_study(seed) for seed in range(12)}
    return {case: list_findings(tables) for case, tables in (studies_by_case | drawn).items()}


def test_numbers_are_those_of_the_words(findings_by_case: dict[str, list[Finding]]) -> None:
    assert {case: lines for case, each in findings_by_case.items() if (lines := find_unwritten(each))} == {}


def test_unwritten_number_is_found() -> None:
    findings = [Finding("A beats B.", "By 0.31 (0.22 to 0.40).", numbers={"difference": value}) for value in (0.31, 3)]
    assert find_unwritten(findings) == ["A beats B. difference: 3"]


def test_claims_have_numbers(findings_by_case: dict[str, list[Finding]]) -> None:
    claims = {
        finding.verdict
        for findings in findings_by_case.values()
        for finding in findings
        if not finding.numbers and finding.section != "provenance"
    }
    assert claims == WITHOUT_NUMBERS


def test_interval_holds_its_number(findings_by_case: dict[str, list[Finding]]) -> None:
    for finding in (finding for findings in findings_by_case.values() for finding in findings):
        if finding.interval is not None:
            low, high = finding.interval.low, finding.interval.high
            assert low <= finding.numbers[finding.interval.of] <= high, finding
            assert finding.confidence is not None


def test_every_claim_of_the_report_is_a_finding(
    studies_by_case: dict[str, StudyTables], findings_by_case: dict[str, list[Finding]]
) -> None:
    """What is bold in report.md, but for the title of the steps, and the sentence of the first screen."""
    for case, tables in studies_by_case.items():
        text, _ = render_markdown(tables, select_sections(tables))
        verdicts = [escape_text(finding.verdict) for finding in findings_by_case[case]]
        shown = list[str](re.findall(r"^(?:- )?\*\*(.+?)\*\*(?= |$)", text, re.MULTILINE))
        lede, *claims = [claim for claim in shown if claim != "What next"] or [""]
        assert claims == verdicts
        assert lede in verdicts or not verdicts


def test_numbers_count_from_one(findings_by_case: dict[str, list[Finding]]) -> None:
    for findings in findings_by_case.values():
        assert [finding.number for finding in findings] == [*range(1, len(findings) + 1)]


def test_settings_in_words_are_the_patch(findings_by_case: dict[str, list[Finding]]) -> None:
    """A step that names a value writes it, but for one that keeps what is there; a space has its own section."""
    seen = set[str]()
    for finding in (finding for findings in findings_by_case.values() for finding in findings):
        named = dict(re.findall(SETTING, finding.next_step)) if not finding.next_step.startswith("Keep ") else {}
        patch = {path: format_setting(path, value) for path, value in (finding.patch or {}).items()}
        if "study.space" not in patch:
            assert patch == {path: f"{path}: {value}" for path, value in named.items()}, finding
        assert [*finding.commands] == re.findall(r"`(thalweg study .+?|cp .+?)`", finding.next_step) + (
            ["thalweg run"] if "`cp " in finding.next_step else []
        )
        seen |= {*patch, *finding.commands[:1]}
    assert {"study.space", "study.seeds", "cp artifacts/confirm/winner.yaml params.yaml"} <= seen


def test_step_keeps_its_data_in_other_words() -> None:
    step = Step("Set it.", {"study.seeds": 4}).reword("Set it now.")
    assert (step, step.patch, step.commands) == ("Set it now.", {"study.seeds": 4}, ())
    assert read_step(Finding("So.", "", "Look at it.")).patch == {}


def test_findings_fit_their_schema(findings_by_case: dict[str, list[Finding]]) -> None:
    schema = build_schema(list[Finding])
    for findings in findings_by_case.values():
        rows = json.loads(json.dumps([asdict(finding) for finding in findings], allow_nan=False))
        jsonschema.validate(rows, schema)
        assert [read_finding(row) for row in rows] == findings
