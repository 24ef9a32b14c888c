"""What to do next: of all that the findings advise, the few steps that come first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from thalweg.reporting.finding import Finding

MAX_STEPS = 3
FIRST_SECTIONS = ("result", "health", "parameters", "importance", "data", "errors")
"""Sections whose advice comes before the others': whether there is a result, whether training works, whether the search
looked in the right place, what the examples hold. The rest follow as the report orders them."""


class NextStep(NamedTuple):
    """A step, the section that advises it, and the verdict that it follows from."""

    section: str
    verdict: str
    text: str


def choose_next_steps(findings_by_section: Mapping[str, Sequence[Finding]]) -> list[NextStep]:
    """At most MOST steps, one a section: first where something is wrong, then in the order of FIRST."""
    order = [*FIRST_SECTIONS, *(name for name in findings_by_section if name not in FIRST_SECTIONS)]
    advised = [
        (finding.tone != "caution", order.index(name), NextStep(name, finding.verdict, finding.next_step))
        for name, findings in findings_by_section.items()
        for finding in findings
        if finding.next_step
    ]
    chosen: dict[str, NextStep] = {}
    for _, _, step in sorted(advised, key=lambda one: one[:2]):
        if step.section not in chosen and step.text not in {one.text for one in chosen.values()}:
            chosen[step.section] = step
    return list(chosen.values())[:MAX_STEPS]


def drop_repeated_steps(findings_by_section: Mapping[str, Sequence[Finding]]) -> dict[str, list[Finding]]:
    """The findings by section, in order, each step but the first of its words left out."""
    said: set[str] = set()

    def first(finding: Finding) -> Finding:
        known = finding.next_step in said
        said.add(finding.next_step)
        return replace(finding, next_step="") if known else finding

    return {name: [first(finding) for finding in findings] for name, findings in findings_by_section.items()}
