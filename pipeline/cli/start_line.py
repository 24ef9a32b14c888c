"""The first line of `dvc repro`: the device, the stages to run, and how long they take.

DVC starts each stage as a process of its own. The first of them prints the line.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from thalweg.artifacts.expected_times import describe_expected_time
from thalweg.config.load import load_config
from thalweg.config.params_file import parse_params
from thalweg.config.tree import flatten_tree
from thalweg.stages import STAGE_NAMES
from thalweg.system import drivers, files, machine, progress, runtime
from thalweg.system.counts import format_count
from thalweg.system.paths import INPUTS, PARAMS, STATE_FOLDER

PIPELINE, LOCK = Path("dvc.yaml"), Path("dvc.lock")
LAST_STAGE = STATE_FOLDER / "last-stage.json"


def announce_run(stage: str) -> None:
    """Print the line if `stage` is the first that this run of DVC starts."""
    run = {"group": os.getpgrp(), "stage": stage}
    if "DVC_STAGE" not in os.environ or not files.path_exists(PIPELINE):
        return
    last = _read_tree(LAST_STAGE)
    with suppress(files.UserError):  # then each stage prints the line
        files.write_json(LAST_STAGE, run)
    if last.get("group") == run["group"] and str(last.get("stage")) in STAGE_NAMES[: STAGE_NAMES.index(stage)]:
        return
    params = dict(flatten_tree(parse_params(PARAMS, files.read_bytes(PARAMS))[0]))
    lock = _read_tree(LOCK).get("stages", {})
    stages = list_stages_to_run(stage, _read_tree(PIPELINE)["stages"], lock, params)
    expected = describe_expected_time(load_config(PARAMS), stages, is_alike=is_alike(lock.get("study"), params))
    if idle := describe_idle_device():
        progress.print_line(idle)
    progress.print_line(f"{describe_device()}; for a report these stages run: {', '.join(stages)}; {expected}")


def describe_device() -> str:
    """Describe the processor and its cores, or the accelerator."""
    name = machine.describe_processor().partition(" (")[0]
    return name if name.startswith(("gpu", "tpu")) else f"{name}, {format_count(runtime.count_cores(), 'core')}"


def describe_idle_device() -> str:
    """Say that JAX computes on the CPU although a driver reports another device, and what to do; '' if it does not."""
    import jax

    accelerators = drivers.list_accelerators() if jax.default_backend() == "cpu" else []
    if not accelerators:
        return ""
    device = accelerators[0]
    reason, advice = drivers.explain_hidden_device(device, machine.find_platform_fault(device.platform))
    return f"the {device.name} is idle, JAX computes on the CPU: {reason}; {advice}"


def list_stages_to_run(
    first: str, pipeline: Mapping[str, Any], lock: Mapping[str, Any], params: Mapping[str, Any]
) -> list[str]:
    """List the first stage and those after it that read what changes, or other values or own code than in `lock`.

    Some of them may not run after all: DVC looks whether an output that is made anew really differs.
    """
    stages, changed = [first], set(pipeline[first].get("outs", ()))
    for stage in STAGE_NAMES[STAGE_NAMES.index(first) + 1 :]:
        listed = pipeline.get(stage)
        if listed is None:  # the user took it out
            continue
        if changed & set(listed.get("deps", ())) or _has_changed(lock.get(stage), params):
            stages.append(stage)
            changed |= {*listed.get("outs", ()), *listed.get("metrics", ())}
    return stages


def is_alike(locked: Mapping[str, Any] | None, params: Mapping[str, Any]) -> bool:
    """Say whether the study last ran on the data, the task and the model of today, so that it takes about as long."""
    then = (locked or {}).get("params", {}).get(str(PARAMS), {})
    return all(
        dict(flatten_tree({key: then[key]}))
        == {path: value for path, value in params.items() if f"{path}.".startswith(f"{key}.")}
        for key in ("data", "task", "model")
        if key in then
    )


def _has_changed(locked: Mapping[str, Any] | None, params: Mapping[str, Any]) -> bool:
    """Say whether a stage never ran, or ran with other values, own code or version of thalweg."""
    if locked is None:
        return True
    records = [dep for dep in locked.get("deps", ()) if Path(dep["path"]).parent == INPUTS]
    for record in records:
        file = Path(record["path"])
        content = files.read_bytes(file) if files.path_exists(file) else b""
        if record["md5"] != hashlib.md5(content, usedforsecurity=False).hexdigest():
            return True
    for key, value in locked.get("params", {}).get(str(PARAMS), {}).items():
        then = dict(flatten_tree({key: value}))
        now = {path: leaf for path, leaf in params.items() if f"{path}.".startswith(f"{key}.")}
        if then != now:
            return True
    return False


def _read_tree(file: Path) -> Any:
    """Read a file of YAML or JSON; empty if there is none, or it is torn."""
    try:
        tree = parse_params(file, files.read_bytes(file))[0] if files.path_exists(file) else {}
    except files.UserError:
        return {}
    return tree if isinstance(tree, dict) else {}
