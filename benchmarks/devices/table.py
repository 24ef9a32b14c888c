"""The tables of many devices in RESULTS.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.devices.world import SLOW_FACTOR, World, fit_costs
from benchmarks.runs import Row, render_table


def render_devices(measured: Mapping[str, Any] | None) -> str:
    """Return the section; nothing if it was not measured."""
    if measured is None:
        return ""
    parts = [
        "## 1,000 devices on paper",
        f"`python -m benchmarks.devices.run`, on {measured['measured']} at {measured['commit']} in "
        f"{measured['seconds']:.0f} s. The first table is measured. The others come from a simulation with its costs, "
        "which runs the product's own scheduler.",
        _render_costs(measured["costs"]),
        _describe_world(measured),
        _render_grid(measured["grid"]),
        "The same with each loss left out in turn, at a cohort as large as the devices, two in flight, and pruning. "
        "Without waiting, a lane would go on to its rung by itself, and only a cohort would wait for its lanes:",
        _render_rows(measured["losses"], "without"),
        "The same for other lengths of an epoch and other sizes of a lane:",
        _render_rows(measured["sizes"], "with"),
    ]
    return "\n\n".join(parts)


def _render_costs(costs: Mapping[str, Any]) -> str:
    asks = [
        [f"an ask of TPE after {row['finished']:,} trials, {row['training']:,} in training", f"{row['ms']:.1f} ms"]
        for row in costs["ask"]
    ]
    rows = [
        *asks,
        ["one tell", f"{costs['tell_ms']:.2f} ms a trial"],
        ["plan and first state of a trial", f"{costs['add_ms']:.2f} ms a trial"],
        ["scoring and building a trial", f"{costs['judge_ms']:.2f} ms a trial"],
        [f"ranking a cohort of {costs['ranked']:,} at a rung", f"{costs['rank_ms']:,.2g} ms"],
        ["a result in the journal", f"{costs['result_ms']:.2f} ms a lane"],
        ["a write of the journal, on disk", f"{costs['write_ms']:.1f} ms"],
        *(
            [f"Optuna's storage, {name}, in a thread of its own", f"{ms:.2f} ms a trial"]
            for name, ms in costs["storage_ms"].items()
        ),
        ["a snapshot", f"{costs['snapshot_rate'] / 1e6:,.0f} MB/s"],
        ["a lane's state to a worker and back, each way", f"{costs['transfer_rate'] / 1e6:,.0f} MB/s"],
        ["a call of a worker, beside its bytes", f"{costs['call_ms']:.2f} ms"],
    ]
    once, by_finished, by_training = (1000 * seconds for seconds in fit_costs(costs).ask)
    text = (
        f"An ask takes about {once:.1f} ms + {1000 * by_finished:.1f} ms for each 1,000 finished trials + "
        f"{1000 * by_training:.1f} ms for each 1,000 in training."
    )
    return render_table(["part", "cost"], rows) + f"\n\n{text}"


def _describe_world(measured: Mapping[str, Any]) -> str:
    world = World(1)
    return (
        f"Share of the devices' time that trains, in percent. {measured['trials_per_device']} trials a device; a lane "
        f"fills a device, has {world.lane_mib:g} MiB, and takes {world.epoch_seconds:g} s an epoch, times a lognormal "
        f"factor of deviation {world.jitter:g}. A device is {SLOW_FACTOR:g} times as slow for "
        f"{100 * world.slow_share:g} % of the time, {world.slow_seconds:g} s in a row, and fails once in "
        f"{world.failure_hours:g} hours; {world.restart_seconds:g} s later another takes its place. A trial has "
        f"{measured['epochs']} epochs. With pruning, the best third of a cohort goes on after "
        f"{' and '.join(map(str, measured['rungs'][:-1]))} epochs. Means of {measured['repeats']} studies. A cell is "
        "empty where more than a quarter of all trials would be in flight."
    )


def _render_grid(rows: Sequence[Row]) -> str:
    columns = list(dict.fromkeys((row["prune"], row["depth"]) for row in rows))
    heads = [f"{'pruned' if prune else 'unpruned'}, {depth} in flight" for prune, depth in columns]
    cells = {(row["devices"], row["cohort"], row["prune"], row["depth"]): row["utilisation"] for row in rows}
    table = [
        [f"{devices:,}", f"{cohort:,}", *(_format_share(cells.get((devices, cohort, *column))) for column in columns)]
        for devices, cohort in dict.fromkeys((row["devices"], row["cohort"]) for row in rows)
    ]
    return render_table(["devices", "cohort", *heads], table)


def _render_rows(rows: Sequence[Row], word: str) -> str:
    names = list(dict.fromkeys(row["case"] for row in rows))
    cells = {(row["devices"], row["case"]): row["utilisation"] for row in rows}
    table = [
        [f"{devices:,}", *(_format_share(cells.get((devices, name))) for name in names)]
        for devices in dict.fromkeys(row["devices"] for row in rows)
    ]
    return render_table(["devices", *(f"{word} {name}" if name else "as it is" for name in names)], table)


def _format_share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f}"
