"""The loss landscape around the training path, where `diagnose.landscape` surveyed it."""

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure
from thalweg.reporting.sections.landscape import lines, maps, sharpness
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_number

TITLE = "Landscape"
ORDER = 67
MIN_PLANE_SHARE = 0.7
"""The share of the path's variance from which it lies in a plane."""
MIN_STANDARD_ERRORS = 3
"""Standard errors beyond which a point is lower."""


def is_applicable(tables: StudyTables) -> bool:
    """Return whether the landscape was surveyed (`diagnose.landscape`)."""
    return bool(tables.landscape)


def build_findings(tables: StudyTables) -> list[Finding]:
    if not is_applicable(tables):
        return []
    return [*_report_path(tables), *sharpness.build_findings(tables), *lines.build_findings(tables)]


def _report_path(tables: StudyTables) -> list[Finding]:
    """Report how much of the path lies in a plane, and how far the loss fell."""
    facts, path = tables.landscape["facts"].iloc[0], tables.landscape["path"]
    share = float(facts["share_a"] + facts["share_b"])
    first, last = path.iloc[0], path.iloc[-1]
    evidence = (
        f"Two directions hold {100 * share:.0f} % of its variance over {len(path) - 1} epochs. The loss fell from "
        f"{format_number(first['train'])} to {format_number(last['train'])} on train, from "
        f"{format_number(first['validation'])} to {format_number(last['validation'])} on validation."
    )
    if share < MIN_PLANE_SHARE:
        return [Finding("The training path turns through more directions than a map can show.", evidence)]
    return [Finding("The training path lies nearly in a plane.", evidence), *_report_lower_point(tables, last["train"])]


def _report_lower_point(tables: StudyTables, end: float) -> list[Finding]:
    """Report a point in the plane of the path with a lower loss than at its end."""
    planes = tables.landscape["plane"]
    plane = planes[(planes["plane"] == "path") & (planes["part"] == "train")]
    lowest = plane.sort_values("loss", kind="stable").iloc[0]
    if end - lowest["loss"] <= MIN_STANDARD_ERRORS * lowest["error"]:
        return []
    evidence = (
        f"In the plane of the path, the loss on train is {format_number(lowest['loss'])} at "
        f"{format_number(lowest['a'], 2)}, {format_number(lowest['b'], 2)}, and {format_number(end)} at the end; "
        f"{MIN_STANDARD_ERRORS} standard errors are {format_number(MIN_STANDARD_ERRORS * lowest['error'], 2)}."
    )
    verdict = "Training ended before the lowest loss in the plane of its path."
    step, more = sharpness.advise_descent(tables)
    return [Finding(verdict, evidence + more, step)]


def build_figures(tables: StudyTables) -> list[Figure]:
    if not is_applicable(tables):
        return []
    return [*maps.build_figures(tables), *lines.build_figures(tables), *sharpness.build_figures(tables)]
