"""The ground that the winner came to stand on: its loss landscape, the way that led there, other seeds' minima."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.artifacts.prepared import Prepared
from thalweg.config.experiment import Config
from thalweg.config.spaces import Values
from thalweg.confirm import candidates
from thalweg.core import optimizers, rng
from thalweg.diagnose import curvature, loss_surface
from thalweg.diagnose.loss_surface import Floats, Ground
from thalweg.engine import population
from thalweg.engine.devices import to_devices
from thalweg.engine.lane import State
from thalweg.system import files, timing
from thalweg.training import build
from thalweg.training.plan import Data, Hyper
from thalweg.training.program import NetworkProgram

PARTS = ("train", "validation")
LINE = 41
REACH = 1.0
NEAR = 0.25
DRAWS = 8
"""Places of a line; how far a random plane and a mini-batch's line reach, in lengths of the filters; mini-batches
drawn of each size."""
MARKS = 5
"""At how many epochs of the way the curvature is measured."""


@dataclass(frozen=True)
class Terrain:
    """Tables; losses are means over so many examples, `error` their standard error.

    - `plane`: plane ("path", "random"), a, b, part, loss, error.
    - `path`: epoch, a, b, train, validation: the losses at the places themselves, off the plane as they may lie.
    - `lines`: first, second (seeds), t (0 at the first's end, 1 at the second's), part, loss, error.
    - `batches`: size, draw, t, loss: the same line of the random plane, as mini-batches of train see it.
    - `curvature`: epoch, largest, smallest, largest_error, smallest_error, learning_rate, limit (the largest curvature
      in which steps at this rate do not grow; empty where none is known).
    - `facts`: one row: examples, share_a, share_b (of the way's variance, that each direction of its plane holds).
    """

    plane: pd.DataFrame
    path: pd.DataFrame
    lines: pd.DataFrame
    batches: pd.DataFrame
    curvature: pd.DataFrame
    facts: pd.DataFrame


def survey(config: Config, loaded: Prepared, host: Data, values: Values) -> Terrain | None:
    """The surroundings of the winner's first confirmed seeds on the first fold; None where one of them diverged."""
    asked, chosen = config.diagnose.landscape, candidates.with_values(config, values)
    plan = build.build_plan(chosen, build.data_spec(loaded.examples), host, searched=True)
    hyper, data = build.build_hyper(chosen), to_devices(host)
    seeds = candidates.seeds(config)[: asked.seeds]
    way = walked(plan, hyper, data, seeds)
    if any(state.diverged_step >= 0 for state in way[-1]):
        return None
    rows = (host.train[0][: int(host.train_size[0])], loaded.parts.validation[0])
    few = min(asked.examples, *map(len, rows))
    on = loss_surface.ground(plan, data, [evenly(part, few) for part in rows])
    ends = [(state.learner.parameters, state.learner.model_state) for state in way[-1]]
    first = [states[0] for states in way]
    path = loss_surface.principal([state.learner.parameters for state in first])
    key = rng.key(config.seed, "landscape")
    random = loss_surface.filter_normalised(key, ends[0][0], 2)
    square = loss_surface.grid([-REACH] * 2, [REACH] * 2, asked.points)
    wide = loss_surface.grid(*loss_surface.span_of(path.places), asked.points)
    planes = {"path": (path.directions, wide), "random": (random, square)}
    seen = {
        name: loss_surface.heights(plan, hyper, ends[0], ways, places, on) for name, (ways, places) in planes.items()
    }
    return Terrain(
        plane=pd.concat([_plane(name, planes[name][1], seen[name]) for name in planes], ignore_index=True),
        path=_path(plan, hyper, first, path.places, on),
        lines=_lines(plan, hyper, ends, seeds, on),
        batches=_batches(plan, hyper, ends[0], random, on, config.seed),
        curvature=_curvature(plan, hyper, first, on, key),
        facts=pd.DataFrame([{"examples": few, "share_a": path.shares[0], "share_b": path.shares[1]}]),
    )


def survey_into(target: Path, kept: Path, config: Config, loaded: Prepared, host: Data, values: Values) -> None:
    """Write the survey's tables into `target`, from the folder `kept` where they are known already.

    The training path is not stored: with its weights after every validation it would be far larger than the tables.
    """
    done = kept / "done"
    if not files.exists(done):
        terrain = survey(config, loaded, host, values)
        for field in fields(terrain) if terrain else ():
            files.write_table(kept / f"{field.name}.csv", getattr(terrain, field.name))
        files.write_text(done, "")
    for name in files.list_files(kept):
        if name.endswith(".csv"):
            files.write_bytes(target / name, files.read_bytes(kept / name))


def walked(plan: NetworkProgram, hyper: Hyper, data: Data, seeds: Sequence[int]) -> list[list[State]]:
    """Lanes of these seeds on the first fold, as they stand before training and after each validation."""
    states = [population.init(plan, seed, 0) for seed in seeds]
    way = [states]
    for epoch in range(plan.validate_every, plan.epochs + 1, plan.validate_every):
        states = population.advance(plan, [hyper] * len(seeds), states, data, [epoch] * len(seeds))
        way.append(states)
    timing.EPOCHS.append(plan.epochs * len(seeds))
    return way


def evenly(rows: NDArray[Any], count: int) -> NDArray[np.int64]:
    """`count` of the rows, evenly from all of them."""
    return rows[np.arange(count) * len(rows) // count].astype(np.int64)


def _told(losses: Floats) -> tuple[Floats, Floats]:
    """Mean and standard error over the last axis."""
    return losses.mean(-1), losses.std(-1, ddof=1) / np.sqrt(losses.shape[-1])


def _plane(name: str, places: Floats, losses: Floats) -> pd.DataFrame:
    mean, error = _told(losses)
    parts = [
        pd.DataFrame({"plane": name, "a": places[:, 0], "b": places[:, 1], "part": part, "loss": mean[:, i]}).assign(
            error=error[:, i]
        )
        for i, part in enumerate(PARTS)
    ]
    return pd.concat(parts, ignore_index=True)


def _path(plan: NetworkProgram, hyper: Hyper, first: Sequence[State], places: Floats, on: Ground) -> pd.DataFrame:
    """The losses at each place of the way, with that place's own running means."""
    still = jax.tree.map(lambda leaf: np.zeros((1, *np.shape(leaf)), np.float32), first[-1].learner.parameters)
    here = np.zeros((1, 1))
    losses = np.stack(
        [
            loss_surface.heights(plan, hyper, (one.learner.parameters, one.learner.model_state), still, here, on)[0]
            for one in first
        ]
    )
    mean, _ = _told(losses)
    epochs = [int(state.step) // plan.steps for state in first]
    return pd.DataFrame(
        {"epoch": epochs, "a": places[:, 0], "b": places[:, 1]} | {part: mean[:, i] for i, part in enumerate(PARTS)}
    )


def _lines(
    plan: NetworkProgram, hyper: Hyper, ends: Sequence[tuple[Any, Any]], seeds: Sequence[int], on: Ground
) -> pd.DataFrame:
    """Straight from the first seed's end to each other's."""
    t = np.linspace(-0.1, 1.1, LINE)[:, None]
    parts = []
    for seed, end in zip(seeds[1:], ends[1:], strict=True):
        way = loss_surface.between(ends[0][0], end[0])
        mean, error = _told(loss_surface.heights(plan, hyper, ends[0], way, t, on))
        parts += [
            pd.DataFrame({"first": seeds[0], "second": seed, "t": t[:, 0], "part": part, "loss": mean[:, i]}).assign(
                error=error[:, i]
            )
            for i, part in enumerate(PARTS)
        ]
    columns = ["first", "second", "t", "part", "loss", "error"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _batches(
    plan: NetworkProgram, hyper: Hyper, end: tuple[Any, Any], random: Any, on: Ground, seed: int
) -> pd.DataFrame:
    """A random line as mini-batches of several sizes see it: means over some of the same examples."""
    t = np.linspace(-NEAR, NEAR, LINE)[:, None]
    way = jax.tree.map(lambda leaf: leaf[:1], random)
    losses = loss_surface.heights(plan, hyper, end, way, t, on)[:, 0]
    count, draw = losses.shape[1], np.random.default_rng(rng.seed(seed, "landscape", "batches"))
    sizes = [size for size in (4, 16, 64, 256) if size < count]
    rows = [
        {"size": size, "draw": number, "t": place, "loss": value}
        for size in sizes
        for number in range(DRAWS)
        for place, value in zip(t[:, 0], losses[:, draw.permutation(count)[:size]].mean(1), strict=True)
    ]
    whole = [{"size": count, "draw": 0, "t": p, "loss": v} for p, v in zip(t[:, 0], losses.mean(1), strict=True)]
    return pd.DataFrame([*rows, *whole])


def _curvature(plan: NetworkProgram, hyper: Hyper, first: Sequence[State], on: Ground, key: jax.Array) -> pd.DataFrame:
    """Both ends of the Hessian's spectrum along the way, denser at its beginning, and at its end."""
    marks = np.unique(np.round(np.geomspace(1, len(first), MARKS)).astype(int) - 1)
    rows = []
    for mark in marks:
        state = first[mark]
        found = curvature.ends(
            loss_surface.loss(plan), state.learner.parameters, (state.learner.model_state, hyper, on), key
        )
        rate = float(state.curves["learning_rate"][mark - 1]) if mark else float(hyper.learning_rate)
        numbers = {name: float(value) for name, value in hyper.optimizer.items()}
        limit = optimizers.limit(plan.optimizer, numbers, rate)
        rows.append(
            {"epoch": int(state.step) // plan.steps} | found._asdict() | {"learning_rate": rate, "limit": limit}
        )
    return pd.DataFrame(rows)
