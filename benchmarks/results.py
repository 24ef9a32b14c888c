"""Write RESULTS.md from results.json: tables, and which targets are met."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks import segment_tables, stage_tables, targets
from benchmarks.calibration.monitor import build_tables
from benchmarks.calibration.table import render_retrained, render_tables
from benchmarks.devices.table import render_devices
from benchmarks.runs import (
    NAMES,
    TITLES,
    Row,
    compute_median,
    compute_ratios,
    compute_trial_epoch,
    median,
    render_table,
    select_runs,
)

ERRORS = ("MAE, mean of the best eight trials", "MAE of the winner, mean over 16 seeds")


def render_markdown(results: Mapping[str, Any]) -> str:
    """Return RESULTS.md."""
    parts = [
        "# Benchmark",
        "Written by `make bench`. The raw numbers are in `results.json`; `README.md` describes the measurements.",
        _describe_machine(results["machine"]),
        _describe_other_work([*results["contest"], *results["scaling"]]),
        "![Seconds of each contestant, relative to this engine](results.svg)",
    ]
    for model, title in TITLES.items():
        for prune in (False, True):
            rows = select_runs(results, model, prune)
            if rows:
                heading = f"## {title}, {'pruned' if prune else 'unpruned'}"
                parts += [heading, _describe_study(rows), _render_contest(rows)]
    failed = [row for row in (*results["contest"], *results["scaling"]) if "error" in row]
    if failed:
        parts.append("## Failed\n\n" + "\n".join(f"- {_describe_run(row)}: {row['error']}" for row in failed))
    parts += [stage_tables.render_whole_runs(results), stage_tables.render_reading(results)]
    parts += [_render_floor(results), *_render_scaling(results["scaling"])]
    parts += [_render_gpu(results), targets.render_targets(results), render_tables(results.get("calibration", []))]
    parts += [_render_monitor(results.get("monitor")), render_retrained(results.get("retrained", []))]
    parts += [segment_tables.render_resident(results), segment_tables.render_launchers(results)]
    parts += [render_devices(results.get("devices"))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _render_monitor(measured: Mapping[str, Any] | None) -> str:
    if measured is None:
        return ""
    text = (
        f"`python -m benchmarks.calibration.run`, on {measured['measured']} at {measured['commit']} in "
        f"{measured['seconds']:.0f} s: small models, four schedules, two lengths, eleven rates over five "
        "decades, four seeds. The truth is known from the same run at other rates, and twice as long."
    )
    return "\n\n".join(["## The monitor's verdicts", text, build_tables(measured["counts"])])


def _describe_run(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if name != "error")


def _describe_machine(machine: Row) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in sorted(machine.get("versions", {}).items()))
    return (
        f"{machine.get('processor', '?')}, {machine.get('cores', '?')} cores, {machine.get('memory_gib', '?')} GiB; "
        f"Python {machine.get('python', '?')}; {versions}. Measured on {machine.get('measured', '?')}"
        + (f" in {machine['seconds'] / 60:.0f} minutes" if "seconds" in machine else "")
        + f"; JAX computes on {machine.get('backend', '?')}."
    )


def _describe_other_work(rows: Sequence[Row]) -> str:
    """Describe the other work on the machine, without Ray's runs: its workers count as other work."""
    busy = [row["others"] for row in rows if "others" in row and row.get("contestant") != "ray_tune"]
    if not busy:
        return ""
    noisy = sum(cores > 0.1 for cores in busy)
    return (
        f"Other programs used {median(busy):.2f} cores in the median run and {max(busy):.2f} in the worst. They used "
        f"more than 0.1 cores in {noisy} of {len(busy)} runs."
    )


def _describe_study(rows: Sequence[Row]) -> str:
    first, rounds = rows[0], len({row["repeat"] for row in rows})
    values = "with the same values for all tools"
    if first["prune"]:
        values = "proposed by TPE and pruned by each tool's own rule"
    text = (
        f"{first['trials']} trials of {first['length']} epochs, {values}. Contestants take turns in {rounds} rounds. "
        "Seconds include compiling and starting, but not loading the data. Ratios compare runs of the same round."
    )
    if short := [row for row in rows if "run_trials" in row]:
        names = "; ".join(dict.fromkeys(NAMES[row["contestant"]] for row in short))
        text += f" These ran {short[0]['run_trials']} trials in one round, scaled to {first['trials']}: {names}."
    return text


def _render_contest(rows: Sequence[Row]) -> str:
    table = []
    for name in (name for name in NAMES if any(row["contestant"] == name for row in rows)):
        runs, ratios = [row for row in rows if row["contestant"] == name], compute_ratios(rows, name)
        seconds = median(row["seconds"] for row in runs)
        preparing_seconds = [row.get("compile_seconds", row.get("start_seconds", 0.0)) for row in runs]
        spread = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else ""
        table.append(
            [
                NAMES[name],
                f"{seconds:.1f}",
                f"{median(preparing_seconds):.1f}" if any(preparing_seconds) else "",
                f"{60 * runs[0]['trials'] / seconds:.1f}",
                spread if name != "ours" else "1",
                f"{median(row['epochs'] for row in runs):.0f}",
                f"{compute_trial_epoch(rows, name):.1f}",
                "" if (best := compute_median(rows, name, "best")) is None else f"{best:.3f}",
                ", ".join(f"{row['winner']:.3f}" for row in runs if "winner" in row),
            ]
        )
    heads = ["", "seconds", "compiling or starting [s]", "trials per minute", "ratio to this engine", "epochs trained"]
    return render_table([*heads, "ms per trial-epoch, without compiling or starting", *ERRORS], table)


def _render_floor(results: Mapping[str, Any]) -> str:
    if not results["floor"]:
        return ""
    rate = max(entry["rate"] for entry in results["floor"])
    table = []
    for model, operations in results["floor"][0]["operations"].items():
        rows = select_runs(results, model, False)
        floor = [1000 * entry / rate for entry in (operations["train"], sum(operations.values()))]
        ours = compute_trial_epoch(rows, "ours") if any(row["contestant"] == "ours" for row in rows) else None
        cells = [f"{ours:.2f}", *(f"{ours / entry:.2f}" for entry in floor)] if ours else ["", "", ""]
        table.append([model, f"{operations['train'] / 1e9:.2f}", *(f"{entry:.2f}" for entry in floor), *cells])
    heads = ["", "GFLOP to train an epoch", "floor, training [ms]", "floor, with validation [ms]", "this engine [ms]"]
    return (
        f"## The floor\n\nA large float32 matrix product in XLA reaches {rate / 1e9:.0f} GFLOP/s on all cores. The "
        "floor is the time of a trial-epoch's operations at that rate.\n\n"
        + render_table([*heads, "ratio to floor, training", "ratio to floor, with validation"], table)
    )


def _render_scaling(rows: Sequence[Row]) -> list[str]:
    finished = [row for row in rows if "error" not in row]
    titles: dict[str, tuple[str, str, Callable[[Row], str]]] = {
        "lanes": ("Scaling with lanes", "lanes", lambda row: str(row["lanes"])),
        "cores": (
            "Scaling with cores (8 lanes)",
            "cores, host devices",
            lambda row: f"{row['cores']}, {row['devices']}",
        ),
        "width": (
            "Scaling with the CNN's width (8 lanes)",
            "channels of the first layer",
            lambda row: str(row["sizes"]["width"]),
        ),
    }
    parts = []
    for name, (title, head, label) in titles.items():
        table = [
            [
                label(row),
                f"{median(row['ms']):.1f}",
                f"{min(row['ms']):.1f} to {max(row['ms']):.1f}",
                f"{row['compile_seconds']:.1f}",
                f"{row['memory_mib']:.0f}",
            ]
            for row in finished
            if row["table"] == name
        ]
        if table:
            heads = [head, "ms per trial-epoch", "range", "compile [s]", "peak memory of the process [MiB]"]
            parts.append(f"## {title}\n\n" + render_table(heads, table))
    return [*parts, _render_host(finished), _render_asks(finished)]


def _render_asks(rows: Sequence[Row]) -> str:
    table = [
        [f"{row['trials']:,}", f"{median(row['ms']):.1f}", f"{min(row['ms']):.1f} to {max(row['ms']):.1f}"]
        for row in rows
        if row["table"] == "ask"
    ]
    text = "## One ask of TPE\n\nThree parameters; the range is over cohorts of ten asks.\n\n"
    return text + render_table(["finished trials", "ms per ask", "range"], table) if table else ""


def _render_host(rows: Sequence[Row]) -> str:
    studies = [row for row in rows if row["table"] in ("host", "outside")]
    table = [
        [
            "default study" if row["table"] == "outside" else f"tiny trials, {row['sampler']}",
            str(row["trials"]),
            *(f"{row[name]:.2f}" for name in ("seconds", "compile_seconds", "program_seconds", "outside_seconds")),
            f"{100 * row['outside_share']:.1f} %",
            f"{row['outside_ms_a_trial']:.1f}",
            f"{row['sampler_ms_a_trial']:.1f}",
            f"{1000 * row['publish_seconds'] / row['trials']:.1f}",
        ]
        for row in studies
    ]
    heads = ["study", "trials", "seconds", "compiling [s]", "in programs [s]", "outside [s]", "outside, share"]
    text = (
        "## Outside compiled programs\n\nThis is the time of the sampler, journal, snapshots, Optuna's storage, and "
        "transfers between host and device. The share is of the time without compiling.\n\n"
    )
    return (
        text
        + render_table(
            [*heads, "outside, ms per trial", "sampler, ms per trial", "waiting for Optuna's storage, ms per trial"],
            table,
        )
        if table
        else ""
    )


def _render_gpu(results: Mapping[str, Any]) -> str:
    if "gpu" not in results:
        return ""
    gpu, floor = results["gpu"], results["floor"][0]["operations"]["cnn"]["train"]
    study, loop = gpu["study"], gpu["loop"]
    ms = [1000 * (run["seconds"] - run["compile_seconds"]) / run["epochs"] for run in (study, loop)]
    versions = ", ".join(f"{name} {number}" for name, number in sorted(gpu["versions"].items()))
    text = (
        f"One {gpu['device']}; {versions}. {study['trials']:,} trials of the count CNN with "
        f"{study['epochs'] // study['trials']} epochs each took {study['seconds']:.1f} s; compiling took "
        f"{study['compile_seconds']:.1f} s of this. That is {ms[0]:.2f} ms per trial-epoch without compiling. Optuna + "
        f"Flax with one jitted step per trial took {ms[1]:.0f} ms, {ms[1] / ms[0]:.0f} times as long. The floor, at "
        f"the rate of a large matrix product ({gpu['rate'] / 1e12:.0f} TFLOP/s), is "
        f"{1000 * floor / gpu['rate']:.2f} ms for training."
    )
    table = [
        [str(row["lanes"]), f"{median(row['ms']):.2f}", f"{min(row['ms']):.2f} to {max(row['ms']):.2f}"]
        for row in gpu["lanes"]
    ]
    return f"## On a GPU\n\n{text}\n\n" + render_table(["lanes", "ms per trial-epoch", "range"], table)
