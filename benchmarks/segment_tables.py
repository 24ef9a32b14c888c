"""Tables of what lies between the segments of a study: where the weights stay, and who trains."""

from collections.abc import Mapping
from typing import Any

from benchmarks.runs import render_table


def render_resident(results: Mapping[str, Any]) -> str:
    """Return the section on weights that stay on the device; '' if it was not measured."""
    measured = results.get("resident")
    if measured is None:
        return ""
    rows = [
        [
            f"{row['lanes']}",
            f"{row['weights']:,}",
            *(f"{row['seconds'][way]:.2f}" for way in ("host", "device")),
            f"{row['ratio']:.2f}",
            "yes" if row["same"] else "no",
        ]
        for row in measured["rows"]
    ]
    text = (
        "`python -m benchmarks.resident`: segments of one epoch, in turn. Between two of them the weights go to the "
        "host and back, or stay on the device. Times are medians; the ratio is the median of the ratios by segment."
    )
    titles = ["runs", "weights of each", "host [s]", "device [s]", "device / host", "same bits"]
    return "\n\n".join(["## Weights between segments", text, render_table(titles, rows)])


def render_launchers(results: Mapping[str, Any]) -> str:
    """Return the section on local workers and Ray's; '' if they were not measured."""
    measured = results.get("launchers")
    if measured is None:
        return ""
    rows = [[name, f"{measured['starts'][name]:.1f}", f"{measured['seconds'][name]:.1f}"] for name in ("local", "ray")]
    text = (
        f"`python -m benchmarks.launchers`: two workers of each launcher on one machine train the same runs, "
        f"{measured['rounds']} segments in turn. Ray takes {measured['ratio']:.3f} of the time of local workers, the "
        f"median of the ratios by segment; the runs have {'the same' if measured['same'] else 'other'} bits."
    )
    table = render_table(["launcher", "seconds to start", "seconds to train"], rows)
    return "\n\n".join(["## Local workers and Ray's", text, table])
