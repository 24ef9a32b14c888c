"""The loss landscape around the winner: its training path, random planes, other seeds' minima, and curvature."""

import json
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
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fit import LaneState, name_curves
from thalweg.system import files, progress, sealed, table_files, timing
from thalweg.training import build
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

SPLIT_NAMES = ("train", "validation")
LINE_POINTS = 41  # of a line
PLANE_REACH = 1.0  # of a random plane to each side, in lengths of the filters
BATCH_LINE_REACH = 0.25  # of the line for mini-batches to each side, in the same lengths
BATCH_DRAWS = 8  # mini-batches of each size
CURVATURE_EPOCHS = 5  # of the path at which the curvature is measured

PointLosses = Callable[[Any, Any, Floats], Floats]
"""(weights, directions, points [P, D]) -> the loss of each example of each set there [P, S, n]."""
LandscapeTables = dict[str, pd.DataFrame]
"""Tables; losses are means over examples, `error` their standard error.

- `plane`: plane ("path", "random"), a, b, part, loss, error.
- `path`: epoch, a, b, train, validation: the losses at the points of the path, which may lie off the plane.
- `lines`: first, second (seeds), t (0 at the first's end, 1 at the second's), part, loss, error.
- `batches`: size, draw, t, loss: the same line of the random plane, as mini-batches of the training set see it.
- `curvature`: epoch, largest, smallest, largest_error, smallest_error, learning_rate, limit (the largest curvature
  in which steps at this rate do not grow; empty where none is known).
- `facts`: one row: examples, share_a, share_b (the share of the path's variance along each direction of its plane).
"""


def survey_landscape(
    config: Config, prepared: PreparedData, host: TrainingData, values: Setting
) -> LandscapeTables | None:
    """Measure the loss around the winner's first confirmed seeds, on the first fold; None where a seed diverged."""
    options, winner_config = config.diagnose.landscape, candidates.apply_trial_values(config, values)
    plan = build.build_plan(winner_config, build.build_data_spec(prepared.examples), host, searched=True)
    hyper, data = build.build_hyper(winner_config), copy_to_devices(host)
    seeds = candidates.list_confirm_seeds(config)[: options.seeds]
    path_states = record_training_path(plan, hyper, data, seeds)
    if any(state.diverged_step >= 0 for state in path_states[-1]):
        return None
    rows = (host.train_rows[0][: int(host.train_sizes[0])], prepared.splits.validation[0])
    count = min(options.examples, *map(len, rows))
    sets = loss_surface.build_evaluation_sets(plan, data, [subsample_rows(split_rows, count) for split_rows in rows])
    point_losses = partial(loss_surface.compute_point_losses, plan, hyper, sets=sets)
    ends = [plan.select_weights(state.learner) for state in path_states[-1]]
    first_seed = [states[0] for states in path_states]
    plane = loss_surface.fit_principal_plane([state.learner.parameters for state in first_seed])
    key = rng.derive_key(config.seed, "landscape")
    random = loss_surface.draw_filter_directions(key, ends[0][0], 2)
    path_grid = loss_surface.build_grid(*loss_surface.bounding_box(plane.coordinates), options.points)
    random_grid = loss_surface.build_grid([-PLANE_REACH] * 2, [PLANE_REACH] * 2, options.points)
    points_in_all = len(path_grid) + len(random_grid) + len(first_seed) + LINE_POINTS * len(seeds)
    with progress.show_part("mapping the loss", points_in_all, "point"):
        planes = [
            _tabulate_losses(point_losses(ends[0], directions, points), plane=name, a=points[:, 0], b=points[:, 1])
            for name, directions, points in (("path", plane.directions, path_grid), ("random", random, random_grid))
        ]
        tables = {
            "plane": pd.concat(planes, ignore_index=True),
            "path": _build_path(plan, point_losses, first_seed, plane.coordinates),
            "lines": _build_lines(point_losses, ends, seeds),
            "batches": _build_batches(point_losses, ends[0], random, config.seed),
        }
    return tables | {
        "curvature": _build_curvature(plan, hyper, first_seed, sets, key),
        "facts": pd.DataFrame(
            [{"examples": count, "share_a": plane.variance_shares[0], "share_b": plane.variance_shares[1]}]
        ),
    }


def write_landscape(
    target: Path, cache: Path, config: Config, loaded: PreparedData, host: TrainingData, values: Setting
) -> None:
    """Write the survey's tables into `target`, from the file `cache` if it holds them already.

    The training path is not stored: its weights after every validation would be far larger than the tables.
    """
    content = sealed.read_sealed(cache)
    if content is None:
        tables = survey_landscape(config, loaded, host, values) or {}
        content = json.dumps({table: table_files.format_table(rows) for table, rows in tables.items()}).encode()
        sealed.write_sealed(cache, content)
    for table, text in json.loads(content).items():
        files.write_text(target / f"{table}.csv", text)


def record_training_path(
    plan: NetworkProgram, hyper: NetworkHyper, data: TrainingData, seeds: Sequence[int]
) -> list[list[LaneState]]:
    """Return the lanes of these seeds on the first fold, before training and after each validation."""
    states = [population.init_lane(plan, hyper, seed, 0) for seed in seeds]
    path = [states]
    epochs = range(plan.validate_every, plan.epochs + 1, plan.validate_every)
    for epoch in progress.track(epochs, "training again, to map its path", len(epochs), "validation"):
        states = population.advance_lanes(plan, [hyper] * len(seeds), states, data, [epoch] * len(seeds))
        path.append(states)
    timing.TRAINED_EPOCHS.append(plan.epochs * len(seeds))
    return path


def subsample_rows(rows: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Return `count` of the rows, evenly spaced."""
    return rows[np.arange(count) * len(rows) // count].astype(np.int64)


def _tabulate_losses(losses: Floats, **columns: Any) -> pd.DataFrame:
    """Return the mean and standard error of losses [P, S, n]: a row for each set and point, after `columns` [P]."""
    mean, error = losses.mean(-1), losses.std(-1, ddof=1) / np.sqrt(losses.shape[-1])
    tables = [
        pd.DataFrame(columns | {"part": part, "loss": mean[:, i]}).assign(error=error[:, i])
        for i, part in enumerate(SPLIT_NAMES)
    ]
    return pd.concat(tables, ignore_index=True)


def _build_path(
    plan: NetworkProgram, point_losses: PointLosses, states: Sequence[LaneState], points: Floats
) -> pd.DataFrame:
    """Return the losses at each point of the path, with that point's own running means."""
    no_directions = jax.tree.map(lambda leaf: np.zeros((1, *np.shape(leaf)), np.float32), states[-1].learner.parameters)
    origin = np.zeros((1, 1))
    path_losses = [point_losses(plan.select_weights(state.learner), no_directions, origin)[0] for state in states]
    mean = np.stack(path_losses).mean(-1)
    epochs = [int(state.step) // plan.steps_per_epoch for state in states]
    return pd.DataFrame(
        {"epoch": epochs, "a": points[:, 0], "b": points[:, 1]}
        | {part: mean[:, i] for i, part in enumerate(SPLIT_NAMES)}
    )


def _build_lines(point_losses: PointLosses, ends: Sequence[Any], seeds: Sequence[int]) -> pd.DataFrame:
    """Return the losses on straight lines from the first seed's end to each other seed's."""
    t = np.linspace(-0.125, 1.125, LINE_POINTS)[:, None]  # with 0 and 1 among them, exactly
    lines = []
    for seed, end in zip(seeds[1:], ends[1:], strict=True):
        losses = point_losses(ends[0], loss_surface.connecting_direction(ends[0][0], end[0]), t)
        lines.append(_tabulate_losses(losses, first=seeds[0], second=seed, t=t[:, 0]))
    columns = ["first", "second", "t", "part", "loss", "error"]
    return pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=columns)


def _build_batches(point_losses: PointLosses, end: Any, random: Any, seed: int) -> pd.DataFrame:
    """Return the losses on a random line for mini-batches of several sizes: means over some of the same examples."""
    t = np.linspace(-BATCH_LINE_REACH, BATCH_LINE_REACH, LINE_POINTS)
    losses = point_losses(end, jax.tree.map(lambda leaf: leaf[:1], random), t[:, None])[:, 0]
    count, draw = losses.shape[1], np.random.default_rng(rng.derive_seed(seed, "landscape", "batches"))
    lines = [
        pd.DataFrame({"size": size, "draw": number, "t": t, "loss": losses[:, draw.permutation(count)[:size]].mean(1)})
        for size in (4, 16, 64, 256)
        if size < count
        for number in range(BATCH_DRAWS)
    ]
    all_examples = pd.DataFrame({"size": count, "draw": 0, "t": t, "loss": losses.mean(1)})
    return pd.concat([*lines, all_examples], ignore_index=True)


def _build_curvature(
    plan: NetworkProgram, hyper: NetworkHyper, states: Sequence[LaneState], sets: EvaluationSets, key: jax.Array
) -> pd.DataFrame:
    """Return both ends of the Hessian's spectrum along the path, denser at its beginning, and at its end."""
    indices = np.unique(np.round(np.geomspace(1, len(states), CURVATURE_EPOCHS)).astype(int) - 1)
    options = {name: float(value) for name, value in hyper.optimizer.items()}
    rows = []
    for index in progress.track(indices, "measuring the curvature", len(indices), "epoch"):
        state = states[index]
        parameters, model_state = plan.select_weights(state.learner)
        inputs = model_state, hyper, sets
        eigenvalues = curvature.extreme_eigenvalues(loss_surface.build_mean_loss(plan), parameters, inputs, key)
        rate = float(name_curves(plan, state)["learning_rate"][index - 1]) if index else float(hyper.learning_rate)
        rate_columns = {"learning_rate": rate, "limit": optimizers.stability_limit(plan.optimizer_kind, options, rate)}
        rows.append({"epoch": int(state.step) // plan.steps_per_epoch} | eigenvalues._asdict() | rate_columns)
    return pd.DataFrame(rows)
