"""The few next steps that come first, chosen from the advice of all findings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from thalweg.reporting.finding import Finding, NextStep, Step, read_step

MAX_STEPS = 3
FIRST_SECTIONS = ("result", "health", "parameters", "importance", "data", "errors")
"""Sections whose advice comes first: is there a result, does training work, is the search in the right place, what do
the examples hold. The other sections follow in the order of the report."""
COPY_WINNER = "cp artifacts/confirm/winner.yaml params.yaml"
"""Replaces the file, so it comes before what edits the file. The section that advises it has no other step here."""


def advise_winner_values(caution: str = "") -> Step:
    """Advise to go on from the winner, after a sentence of caution if there is one."""
    advice = f"Make the winner the next baseline: `{COPY_WINNER}`."
    return Step(f"{caution} {advice}".lstrip(), commands=[COPY_WINNER, "thalweg run"])


def choose_next_steps(findings_by_section: Mapping[str, Sequence[Finding]]) -> list[NextStep]:
    """Choose at most MAX_STEPS steps, one per section.

    COPY_WINNER comes first, then cautions, then the others in the order of FIRST_SECTIONS.
    """
    order = [*FIRST_SECTIONS, *(name for name in findings_by_section if name not in FIRST_SECTIONS)]
    advised = [
        (
            (COPY_WINNER not in read_step(finding).commands, finding.tone != "caution", order.index(name)),
            NextStep(name, finding.verdict, read_step(finding)),
        )
        for name, findings in findings_by_section.items()
        for finding in findings
        if finding.next_step
    ]
    # of those who advise the same, only the first in the report shows its step (`drop_repeated_steps`)
    shown = {step.text: step for _, step in reversed(advised)}
    chosen: dict[str, NextStep] = {}
    for _, step in sorted(advised, key=lambda entry: entry[0]):
        chosen.setdefault(shown[step.text].section, shown[step.text])
    return [*chosen.values()][:MAX_STEPS]


def drop_repeated_steps(findings_by_section: Mapping[str, Sequence[Finding]]) -> dict[str, list[Finding]]:
    """Return the findings by section, with each repeated step removed."""
    earlier: set[str] = set()

    def drop_repeated(finding: Finding) -> Finding:
        is_repeated = finding.next_step in earlier
        earlier.add(finding.next_step)
        return replace(finding, next_step="") if is_repeated else finding

    return {name: [drop_repeated(finding) for finding in findings] for name, findings in findings_by_section.items()}
