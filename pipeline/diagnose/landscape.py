"""The ground that the winner came to stand on: its loss landscape, the way that led there, other seeds' minima."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.artifacts.prepared import PreparedData
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.confirm import candidates
from thalweg.core import optimizers, rng
from thalweg.diagnose import curvature, loss_surface
from thalweg.diagnose.loss_surface import EvaluationSets, Floats
from thalweg.engine import population
from thalweg.engine.fit import LaneState
from thalweg.engine.workers import copy_to_devices
from thalweg.system import files, timing
from thalweg.training import build
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

SPLIT_NAMES = ("train", "validation")
LINE_POINTS = 41
PLANE_REACH = 1.0
BATCH_LINE_REACH = 0.25
BATCH_DRAWS = 8
"""Places of a line; how far a random plane and a mini-batch's line reach, in lengths of the filters; mini-batches
drawn of each size."""
CURVATURE_EPOCHS = 5
"""At how many epochs of the way the curvature is measured."""

Heights = Callable[[Any, Any, Floats], Floats]
"""(weights, directions, places [P, D]) -> the loss of each example of each part there [P, S, n]."""
LandscapeTables = dict[str, pd.DataFrame]
"""Tables; losses are means over so many examples, `error` their standard error.

- `plane`: plane ("path", "random"), a, b, part, loss, error.
- `path`: epoch, a, b, train, validation: the losses at the places themselves, off the plane as they may lie.
- `lines`: first, second (seeds), t (0 at the first's end, 1 at the second's), part, loss, error.
- `batches`: size, draw, t, loss: the same line of the random plane, as mini-batches of train see it.
- `curvature`: epoch, largest, smallest, largest_error, smallest_error, learning_rate, limit (the largest curvature
  in which steps at this rate do not grow; empty where none is known).
- `facts`: one row: examples, share_a, share_b (of the way's variance, that each direction of its plane holds).
"""


def survey_landscape(
    config: Config, prepared: PreparedData, host: TrainingData, values: Setting
) -> LandscapeTables | None:
    """The surroundings of the winner's first confirmed seeds on the first fold; None where one of them diverged."""
    asked, chosen = config.diagnose.landscape, candidates.apply_trial_values(config, values)
    plan = build.build_plan(chosen, build.build_data_spec(prepared.examples), host, searched=True)
    hyper, data = build.build_hyper(chosen), copy_to_devices(host)
    seeds = candidates.list_confirm_seeds(config)[: asked.seeds]
    way = record_training_path(plan, hyper, data, seeds)
    if any(state.diverged_step >= 0 for state in way[-1]):
        return None
    rows = (host.train_rows[0][: int(host.train_sizes[0])], prepared.splits.validation[0])
    few = min(asked.examples, *map(len, rows))
    on = loss_surface.build_evaluation_sets(plan, data, [subsample_rows(part, few) for part in rows])
    heights = partial(loss_surface.compute_point_losses, plan, hyper, sets=on)
    ends = [plan.select_weights(state.learner) for state in way[-1]]
    first = [states[0] for states in way]
    path = loss_surface.fit_principal_plane([state.learner.parameters for state in first])
    key = rng.derive_key(config.seed, "landscape")
    random = loss_surface.draw_filter_directions(key, ends[0][0], 2)
    wide = loss_surface.build_grid(*loss_surface.bounding_box(path.coordinates), asked.points)
    square = loss_surface.build_grid([-PLANE_REACH] * 2, [PLANE_REACH] * 2, asked.points)
    planes = [
        _by_part(heights(ends[0], ways, places), plane=name, a=places[:, 0], b=places[:, 1])
        for name, ways, places in (("path", path.directions, wide), ("random", random, square))
    ]
    return {
        "plane": pd.concat(planes, ignore_index=True),
        "path": _build_path(plan, heights, first, path.coordinates),
        "lines": _build_lines(heights, ends, seeds),
        "batches": _build_batches(heights, ends[0], random, config.seed),
        "curvature": _build_curvature(plan, hyper, first, on, key),
        "facts": pd.DataFrame(
            [{"examples": few, "share_a": path.variance_shares[0], "share_b": path.variance_shares[1]}]
        ),
    }


def write_landscape(
    target: Path, cache: Path, config: Config, loaded: PreparedData, host: TrainingData, values: Setting
) -> None:
    """Write the survey's tables into `target`, from the folder `cache` where they are known already.

    The training path is not stored: with its weights after every validation it would be far larger than the tables.
    """
    done = cache / "done"
    if not files.path_exists(done):
        for table, rows in (survey_landscape(config, loaded, host, values) or {}).items():
            files.write_table(cache / f"{table}.csv", rows)
        files.write_text(done, "")
    for name in files.list_files(cache):
        if name.endswith(".csv"):
            files.write_bytes(target / name, files.read_bytes(cache / name))


def record_training_path(
    plan: NetworkProgram, hyper: NetworkHyper, data: TrainingData, seeds: Sequence[int]
) -> list[list[LaneState]]:
    """Lanes of these seeds on the first fold, as they stand before training and after each validation."""
    states = [population.init_lane(plan, seed, 0) for seed in seeds]
    way = [states]
    for epoch in range(plan.validate_every, plan.epochs + 1, plan.validate_every):
        states = population.advance_lanes(plan, [hyper] * len(seeds), states, data, [epoch] * len(seeds))
        way.append(states)
    timing.TRAINED_EPOCHS.append(plan.epochs * len(seeds))
    return way


def subsample_rows(rows: NDArray[Any], count: int) -> NDArray[np.int64]:
    """`count` of the rows, evenly from all of them."""
    return rows[np.arange(count) * len(rows) // count].astype(np.int64)


def _by_part(losses: Floats, **columns: Any) -> pd.DataFrame:
    """The mean and standard error of losses [P, S, n]: for each part a row a place, after its `columns` [P]."""
    mean, error = losses.mean(-1), losses.std(-1, ddof=1) / np.sqrt(losses.shape[-1])
    parts = [
        pd.DataFrame(columns | {"part": part, "loss": mean[:, i]}).assign(error=error[:, i])
        for i, part in enumerate(SPLIT_NAMES)
    ]
    return pd.concat(parts, ignore_index=True)


def _build_path(plan: NetworkProgram, heights: Heights, first: Sequence[LaneState], places: Floats) -> pd.DataFrame:
    """The losses at each place of the way, with that place's own running means."""
    still = jax.tree.map(lambda leaf: np.zeros((1, *np.shape(leaf)), np.float32), first[-1].learner.parameters)
    here = np.zeros((1, 1))
    mean = np.stack([heights(plan.select_weights(state.learner), still, here)[0] for state in first]).mean(-1)
    epochs = [int(state.step) // plan.steps_per_epoch for state in first]
    return pd.DataFrame(
        {"epoch": epochs, "a": places[:, 0], "b": places[:, 1]}
        | {part: mean[:, i] for i, part in enumerate(SPLIT_NAMES)}
    )


def _build_lines(heights: Heights, ends: Sequence[Any], seeds: Sequence[int]) -> pd.DataFrame:
    """Straight from the first seed's end to each other's."""
    t = np.linspace(-0.1, 1.1, LINE_POINTS)[:, None]
    lines = [
        _by_part(
            heights(ends[0], loss_surface.connecting_direction(ends[0][0], end[0]), t),
            first=seeds[0],
            second=seed,
            t=t[:, 0],
        )
        for seed, end in zip(seeds[1:], ends[1:], strict=True)
    ]
    columns = ["first", "second", "t", "part", "loss", "error"]
    return pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=columns)


def _build_batches(heights: Heights, end: Any, random: Any, seed: int) -> pd.DataFrame:
    """A random line as mini-batches of several sizes see it: means over some of the same examples."""
    t = np.linspace(-BATCH_LINE_REACH, BATCH_LINE_REACH, LINE_POINTS)
    losses = heights(end, jax.tree.map(lambda leaf: leaf[:1], random), t[:, None])[:, 0]
    count, draw = losses.shape[1], np.random.default_rng(rng.derive_seed(seed, "landscape", "batches"))
    lines = [
        pd.DataFrame({"size": size, "draw": number, "t": t, "loss": losses[:, draw.permutation(count)[:size]].mean(1)})
        for size in (4, 16, 64, 256)
        if size < count
        for number in range(BATCH_DRAWS)
    ]
    whole = pd.DataFrame({"size": count, "draw": 0, "t": t, "loss": losses.mean(1)})
    return pd.concat([*lines, whole], ignore_index=True)


def _build_curvature(
    plan: NetworkProgram, hyper: NetworkHyper, first: Sequence[LaneState], on: EvaluationSets, key: jax.Array
) -> pd.DataFrame:
    """Both ends of the Hessian's spectrum along the way, denser at its beginning, and at its end."""
    marks = np.unique(np.round(np.geomspace(1, len(first), CURVATURE_EPOCHS)).astype(int) - 1)
    numbers = {name: float(value) for name, value in hyper.optimizer.items()}
    rows = []
    for mark in marks:
        state = first[mark]
        parameters, rest = plan.select_weights(state.learner)
        found = curvature.extreme_eigenvalues(loss_surface.build_mean_loss(plan), parameters, (rest, hyper, on), key)
        rate = float(state.curves["learning_rate"][mark - 1]) if mark else float(hyper.learning_rate)
        more = {"learning_rate": rate, "limit": optimizers.stability_limit(plan.optimizer_kind, numbers, rate)}
        rows.append({"epoch": int(state.step) // plan.steps_per_epoch} | found._asdict() | more)
    return pd.DataFrame(rows)
