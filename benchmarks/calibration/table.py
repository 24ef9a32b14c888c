"""The tables of the calibration in RESULTS.md: how often claims are false or right, and intervals hold."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scipy.special import betaincinv

from benchmarks.runs import render_table

FALSE_GOAL = 0.05
HOLD_GOALS = (0.92, 0.98)
Measured = Mapping[str, Any]


def bound_share(count: int, total: int) -> tuple[float, float]:
    """Return the exact 95 % bounds of a share (Clopper and Pearson 1934)."""
    low = float(betaincinv(count, total - count + 1, 0.025)) if count else 0.0
    return low, float(betaincinv(count + 1, total - count, 0.975)) if count < total else 1.0


def format_share(count: int, total: int) -> str:
    if not total:
        return ""
    low, high = bound_share(count, total)
    return f"{100 * count / total:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def is_rare(count: int, total: int) -> bool:
    """Return whether the exact bound of a share of false claims does not lie wholly above its goal."""
    return bound_share(count, total)[0] <= FALSE_GOAL


def is_kept(count: int, total: int, is_bounded: bool) -> bool:
    """Return whether an interval holds often enough, and not too often where the metric is far from its bounds."""
    low, high = bound_share(count, total)
    return high >= HOLD_GOALS[0] and (is_bounded or low <= HOLD_GOALS[1])


def render_row(row: Measured) -> str:
    """Return the lines of one row, to print."""
    lines = [f"{row['row']} ({row['studies']} studies, {row['seconds']} s)"]
    for name, numbers in row["counts"].items():
        if len(numbers) == 2:
            lines.append(f"  {name}: holds in {format_share(*numbers)} %")
        else:
            right = f", right in {format_share(*numbers[2:])} %" if numbers[3] else ""
            lines.append(f"  {name}: false in {format_share(*numbers[:2])} %{right}")
    return "\n".join(lines)


def render_tables(rows: Sequence[Measured]) -> str:
    """Return the section of RESULTS.md; '' without rows."""
    if not rows:
        return ""
    claims, intervals = (_list_names(rows, length) for length in (4, 2))
    minutes, commits = sum(row["seconds"] for row in rows) / 60, sorted({row["commit"] for row in rows})
    dates = sorted({row["measured"] for row in rows})
    parts = [
        "## Are the report's conclusions true?",
        f"`python -m benchmarks.calibration.run` simulates studies whose truth is known. Measured on "
        f"{' and '.join(dates)} at {', '.join(commits)} in {minutes:.0f} minutes on two cores. Shares are in percent, "
        "with exact 95 % bounds (Clopper and Pearson 1934). In bold: the bounds lie wholly beyond the goal.",
        f"How often a claim is said, and false. Goal: at most {100 * FALSE_GOAL:.0f} %.",
        _render(rows, claims, lambda numbers, _: (numbers[:2], is_rare(*numbers[:2]))),
        "How often a claim is said where it is true. Empty: it is never true.",
        _render(rows, claims, lambda numbers, _: (numbers[2:], True)),
        f"How often an interval holds the truth. Goal: {100 * HOLD_GOALS[0]:.0f} to {100 * HOLD_GOALS[1]:.0f} %; at a "
        "bound of the metric more is no fault.",
        _render(rows, intervals, lambda numbers, is_bounded: (numbers, is_kept(numbers[0], numbers[1], is_bounded))),
    ]
    return "\n\n".join(parts)


def render_retrained(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the section on studies whose conclusions were retrained; '' without rows."""
    if not rows:
        return ""
    commits, dates = ({row[name] for row in rows} for name in ("commit", "measured"))
    columns = ("study", "conclusion", "report", "retrained", "verdict")
    return "\n\n".join(
        [
            "## Conclusions of studies, retrained",
            f"`python -m benchmarks.calibration.retrain`, on {' and '.join(sorted(dates))} at "
            f"{', '.join(sorted(commits))}: 24 more seeds, judged on 1,500 new scenes of 100 new places. Differences "
            "in mean absolute error with 95 % intervals. A verdict of the report is contradicted if the retraining "
            "surely has the other sign; what the report left open contradicts nothing.",
            render_table(
                ["study", "conclusion", "report", "retrained", ""], [[row[n] for n in columns] for row in rows]
            ),
        ]
    )


def _list_names(rows: Sequence[Measured], length: int) -> list[str]:
    """List the claims (4 numbers) or intervals (2) of all rows, in order."""
    return list(dict.fromkeys(name for row in rows for name, found in row["counts"].items() if len(found) == length))


def _render(
    rows: Sequence[Measured],
    names: Sequence[str],
    judge: Callable[[Sequence[int], bool], tuple[Sequence[int], bool]],
) -> str:
    table = []
    for row in rows:
        cells = []
        for name in names:
            share, is_met = judge(row["counts"][name], row["is_bounded"]) if name in row["counts"] else ((0, 0), True)
            text = format_share(*share)
            cells.append(text if is_met else f"**{text}**")
        if any(cells):
            table.append([row["row"], str(row["studies"]), *cells])
    return render_table(["studies", "n", *names], table)
