"""The loss landscape around the training path, where `diagnose.landscape` surveyed it."""

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure
from thalweg.reporting.sections.landscape import lines, maps, sharpness
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_percent

TITLE = "Landscape"
ORDER = 26
MIN_PLANE_SHARE = 0.7
"""The share of the path's variance from which it lies in a plane."""


def is_applicable(tables: StudyTables) -> bool:
    """Return whether the landscape was surveyed (`diagnose.landscape`)."""
    return bool(tables.landscape)


def build_findings(tables: StudyTables) -> list[Finding]:
    if not is_applicable(tables):
        return []
    return [*_report_path(tables), *sharpness.build_findings(tables), *lines.build_findings(tables)]


def _report_path(tables: StudyTables) -> list[Finding]:
    """Report that the path leaves the plane of its map, which then misleads."""
    facts, path = tables.landscape["facts"].iloc[0], tables.landscape["path"]
    share = float(facts["share_a"] + facts["share_b"])
    if share >= MIN_PLANE_SHARE:
        return []
    first, last = path.iloc[0], path.iloc[-1]
    ends = {part: f"{format_number(first[part])} to {format_number(last[part])}" for part in ("train", "validation")}
    evidence = (
        f"Two directions hold {format_percent(share, whole=True)} of its variance over "
        f"{format_count(len(path) - 1, 'epoch')}. On {int(facts['examples']):,} examples of each set, without "
        f"augmentation, the training loss of the first fresh seed fell from {ends['train']}, the validation loss from "
        f"{ends['validation']}."
    )
    verdict = "The training path turns through more directions than a map can show."
    return [Finding(verdict, evidence, numbers={"share_in_plane": share})]


def build_figures(tables: StudyTables) -> list[Figure]:
    if not is_applicable(tables):
        return []
    return [*maps.build_figures(tables), *lines.build_figures(tables), *sharpness.build_figures(tables)]
