"""Of all that is advised, the few steps that come first."""

import re
from dataclasses import replace
from typing import Literal

from thalweg.reporting.advice.next_steps import MAX_STEPS, advise_winner_values, choose_next_steps, drop_repeated_steps
from thalweg.reporting.finding import Finding
from thalweg.reporting.render import render_html, render_markdown
from thalweg.reporting.sections import select_sections
from thalweg.reporting.tables import StudyTables


def build_finding(step: str, tone: Literal["good", "caution", "plain"] = "plain") -> Finding:
    return Finding(f"Because of {step}.", "", step, tone=tone)


def test_faults_come_first() -> None:
    steps = choose_next_steps(
        {"result": [build_finding("a")], "budget": [build_finding("b", "caution")], "health": [build_finding("c")]}
    )
    assert [step.text for step in steps] == ["b", "a", "c"]


def test_step_that_replaces_the_file_comes_first() -> None:
    copy, paste = advise_winner_values("Make it so."), "Paste this space."
    steps = choose_next_steps({"result": [build_finding(copy)], "parameters": [build_finding(paste, "caution")]})
    assert [step.text for step in steps] == [copy, paste]
    quote = build_finding("Quote the value.", "caution")
    steps = choose_next_steps({"result": [build_finding(copy), quote], "parameters": [build_finding(paste)]})
    assert [step.text for step in steps] == [copy, paste]


def test_one_step_per_section() -> None:
    steps = choose_next_steps(
        {
            "result": [build_finding("a"), build_finding("b")],
            "health": [build_finding("a")],
            "data": [build_finding("c")],
        }
    )
    assert [(step.section, step.text) for step in steps] == [("result", "a"), ("data", "c")]


def test_step_leads_to_the_section_that_shows_it() -> None:
    """A later section that advises the same shows no step; its caution still brings the step to the front."""
    findings = {
        "importance": [build_finding("a")],
        "data": [build_finding("b")],
        "health": [replace(build_finding("a", "caution"), verdict="Training fails.")],
    }
    first, second = choose_next_steps(findings)
    assert (first.section, first.text, first.verdict) == ("importance", "a", "Because of a.")
    assert (second.section, second.text) == ("data", "b")
    assert drop_repeated_steps(findings)["importance"][0].next_step == "a"


def test_repeated_step_is_dropped() -> None:
    kept = drop_repeated_steps(
        {
            "result": [build_finding("a"), build_finding("b"), build_finding("a")],
            "health": [build_finding("b"), build_finding("c")],
        }
    )
    assert [[finding.next_step for finding in findings] for findings in kept.values()] == [["a", "b", ""], ["", "c"]]
    assert kept["health"][0].verdict == "Because of b."


def test_few_steps_or_none() -> None:
    many = {f"section {i}": [Finding("So it is.", ""), build_finding(f"step {i}")] for i in range(9)}
    assert len(choose_next_steps(many)) == MAX_STEPS
    assert choose_next_steps({"result": [Finding("So it is.", "")]}) == []


def test_report_starts_with_headline(counting_study: StudyTables) -> None:
    sections = select_sections(counting_study)
    text, page = render_markdown(counting_study, sections)[0], render_html(counting_study, sections)
    top, _, steps = text.partition("\n## ")[0].partition("**What next**")
    headline = sections[0].build_findings(counting_study)[0].verdict
    assert top.splitlines()[2] == f"**{headline}**"
    assert headline in page
    numbers = re.findall(r'<dd class="big">(.*?)</dd>', page)
    assert len(numbers) == 3
    assert re.findall(r"^- [a-z ]+(?: \(.+?\))?: (\S+)", top, re.M) == numbers
    assert steps.strip().startswith("1. ")


def test_head_of_report_has_steps(counting_study: StudyTables) -> None:
    short = replace(
        counting_study,
        params=counting_study.params | {"report": {"title": "Short", "sections": ["parameters", "noise"]}},
    )
    text, page = render_markdown(short, select_sections(short))[0], render_html(short, select_sections(short))
    assert "**What next**\n\n1. " in text
    assert page.index("What next") < page.index("</header>")
