"""Write RESULTS.md from results.json: tables, and which targets are met."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

NAMES = {
    "ours": "this engine",
    "ours_kept": "this engine, with the compiled program of an earlier study",
    "torch_tuned": "Optuna + PyTorch, tuned by hand",
    "torch_official": "Optuna + PyTorch, as in Optuna's example",
    "flax_loop": "Optuna + Flax, one jitted step per trial",
    "ray_tune": "Ray Tune + Optuna + PyTorch",
}
ERRORS = ("MAE, mean of the best eight trials", "MAE of the winner, mean over 16 seeds")
TITLES = {"cnn": "The count CNN", "linear": "`linear`", "mlp": "`mlp`"}


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def compute_ratios(rows: Sequence[Row], contestant: str) -> list[float]:
    """Return a contestant's seconds relative to this engine's, for each round that has both."""
    ours = {row["repeat"]: row["seconds"] for row in rows if row["contestant"] == "ours"}
    theirs = {row["repeat"]: row["seconds"] for row in rows if row["contestant"] == contestant}
    return [theirs[repeat] / ours[repeat] for repeat in sorted(ours.keys() & theirs.keys())]


def select_runs(results: Mapping[str, Any], model: str, prune: bool) -> list[Row]:
    """Return the finished runs of one study."""
    return [row for row in results["contest"] if row["model"] == model and row["prune"] == prune and "seconds" in row]


def compute_trial_epoch(rows: Sequence[Row], contestant: str) -> float:
    """Return the median milliseconds per trial-epoch, without compiling and starting."""
    runs = [row for row in rows if row["contestant"] == contestant]
    return median(
        1000 * (row["seconds"] - row.get("compile_seconds", 0.0) - row.get("start_seconds", 0.0)) / row["epochs"]
        for row in runs
    )


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
    parts += [_render_floor(results), *_render_scaling(results["scaling"])]
    parts += [_render_gpu(results), _render_targets(results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _describe_run(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if name != "error")


def _describe_machine(machine: Row) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in sorted(machine.get("versions", {}).items()))
    return (
        f"{machine.get('processor', '?')}, {machine.get('cores', '?')} cores, {machine.get('memory_gib', '?')} GiB; "
        f"Python {machine.get('python', '?')}; {versions}. Measured on {machine.get('measured', '?')}; "
        f"JAX computes on {machine.get('backend', '?')}."
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
    return (
        f"{first['trials']} trials of {first['length']} epochs, {values}. Contestants take turns in {rounds} rounds. "
        "Seconds include compiling and starting, but not loading the data. Ratios compare runs of the same round."
    )


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
                f"{median(row['best'] for row in runs):.3f}",
                ", ".join(f"{row['winner']:.3f}" for row in runs if "winner" in row),
            ]
        )
    heads = ["", "seconds", "compiling or starting [s]", "trials per minute", "ratio to this engine", "epochs trained"]
    return _render_table([*heads, "ms per trial-epoch, without compiling or starting", *ERRORS], table)


def _render_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


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
        + _render_table([*heads, "ratio to floor, training", "ratio to floor, with validation"], table)
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
            parts.append(f"## {title}\n\n" + _render_table(heads, table))
    return [*parts, _render_host(finished), _render_asks(finished)]


def _render_asks(rows: Sequence[Row]) -> str:
    table = [
        [f"{row['trials']:,}", f"{median(row['ms']):.1f}", f"{min(row['ms']):.1f} to {max(row['ms']):.1f}"]
        for row in rows
        if row["table"] == "ask"
    ]
    text = "## One ask of TPE\n\nThree parameters; the range is over cohorts of ten asks.\n\n"
    return text + _render_table(["finished trials", "ms per ask", "range"], table) if table else ""


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
        + _render_table(
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
    return f"## On a GPU\n\n{text}\n\n" + _render_table(["lanes", "ms per trial-epoch", "range"], table)


def _render_targets(results: Mapping[str, Any]) -> str:
    lines = []

    def add(name: str, value: float | None, limit: float, least: bool, unit: str = "") -> None:
        if value is not None:
            met = value >= limit if least else value <= limit
            bound = "at least" if least else "at most"
            lines.append([name, f"{bound} {limit:g}{unit}", f"{value:.2f}{unit}", "yes" if met else "**no**"])

    cnn = select_runs(results, "cnn", False)
    limits = {"torch_tuned": 1.2, "torch_official": 3.0, "flax_loop": 3.0}
    for name, limit in limits.items():
        add(f"cnn: {NAMES[name]}", _median_or_none(compute_ratios(cnn, name)), limit, True, " x")
    for model in ("linear", "mlp"):
        rows = select_runs(results, model, False)
        for name in list(NAMES)[2:]:
            add(f"{model}: {NAMES[name]}", _median_or_none(compute_ratios(rows, name)), 10.0, True, " x")
    if results["floor"] and any(row["contestant"] == "ours" for row in cnn):
        rate = max(one["rate"] for one in results["floor"])
        floor = 1000 * results["floor"][0]["operations"]["cnn"]["train"] / rate
        add("cnn: time relative to the floor of training", compute_trial_epoch(cnn, "ours") / floor, 2.2, False, " x")
    ask_limits = {3000: 30.0, 10_000: 50.0}
    for row in results["scaling"]:
        if row["table"] == "ask" and row["trials"] in ask_limits and "error" not in row:
            limit = ask_limits[row["trials"]]
            add(f"one ask of TPE at {row['trials']:,} trials", median(row["ms"]), limit, False, " ms")
        if row["table"] == "outside" and "error" not in row:
            add("default study: outside compiled programs", 100 * row["outside_share"], 5.0, False, " %")
        if row["table"] == "host" and row.get("trials") == 1000 and "error" not in row:
            add(f"host time per trial at 1,000 trials, {row['sampler']}", row["outside_ms_a_trial"], 2.0, False, " ms")
    return "## Targets\n\n" + _render_table(["", "target", "measured", "met"], lines) if lines else ""


def _median_or_none(values: Sequence[float]) -> float | None:
    return median(values) if values else None
