"""Measure the time of a map of the default model's loss, of a plain loop for the same map, and the least time.

The plain loop computes the mean loss of a compiled batch at each point, as in a notebook. The least time is the
network's operations at the measured rate of a large matrix product. Both take turns, round by round.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import thalweg  # noqa: F401  before JAX: it sets XLA's environment variables
from benchmarks import floor, load
from thalweg.engine.devices import copy_to_devices


def time_call(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measure_map(points: int, examples: int, repeats: int) -> dict[str, Any]:
    """Measure a map of points x points on `examples` of the training and of the validation set."""
    import jax
    import numpy as np

    from thalweg.config.load import load_config
    from thalweg.data import splits
    from thalweg.diagnose import loss_surface
    from thalweg.diagnose.landscape import subsample_rows
    from thalweg.engine import population
    from thalweg.training import build, composite_loss

    config = load_config(Path("params.yaml"))
    examples_read = config.data.source.read_examples(Path(config.data.path), config.seed).examples
    split = splits.split_examples(config.data.split, examples_read, config.seed)
    host_data = build.build_data(config, examples_read, split, np.zeros(0, np.int64))
    plan = build.build_plan(config, build.build_data_spec(examples_read), host_data, searched=True)
    hyper, data = build.build_hyper(config), copy_to_devices(host_data)
    state = population.init_lane(plan, hyper, 0, 0)
    evaluation_sets = loss_surface.build_evaluation_sets(
        plan, data, [subsample_rows(rows, examples) for rows in (split.train[0], split.validation[0])]
    )
    weights = state.learner.parameters, state.learner.model_state
    directions = loss_surface.draw_filter_directions(jax.random.key(0), state.learner.parameters, 2)
    grid = loss_surface.build_grid([-1.0, -1.0], [1.0, 1.0], points)

    def compute_map(grid: Any) -> Any:
        return loss_surface.compute_point_losses(plan, hyper, weights, directions, grid, evaluation_sets)

    @jax.jit
    def compute_mean_loss(point: Any, inputs: Any, targets: Any) -> Any:
        shifted = loss_surface.shift_parameters(state.learner.parameters, directions, point)
        outputs = plan.network.apply(shifted, state.learner.model_state, inputs, train=False)[0]
        return composite_loss.weighted_sum(
            composite_loss.compute_term_losses(plan, hyper, outputs, targets),
            loss_surface.compute_final_coefficients(plan, hyper),
        ).mean()

    sets = [jax.tree.map(lambda leaf, index=index: leaf[index], tuple(evaluation_sets)) for index in range(2)]

    def compute_map_in_loop(grid: Any) -> Any:
        positions = grid.astype(np.float32)
        return np.array([[float(compute_mean_loss(point, *arrays)) for arrays in sets] for point in positions])

    first_seconds = time_call(lambda: compute_map(grid))
    compute_map_in_loop(grid[:1])
    sample = grid[:: max(1, len(grid) // 256)]
    seconds, loop_seconds = [], []
    for _ in range(repeats):
        seconds.append(time_call(lambda: compute_map(grid)))
        loop_seconds.append(time_call(lambda: compute_map_in_loop(sample)) * len(grid) / len(sample))
    forward = jax.jit(lambda x: plan.network.apply(*weights, x, train=False)[0])
    cost: dict[str, float] = forward.lower(evaluation_sets.inputs[0]).compile().cost_analysis() or {}
    operations = cost["flops"] * 2 * len(grid)
    floor_seconds = operations / floor.measure_rate()
    largest_difference = float(np.abs(compute_map(sample).mean(-1) - compute_map_in_loop(sample)).max())
    return {
        "points": points,
        "examples": [examples, examples],
        "first_seconds": first_seconds,
        "seconds": seconds,
        "loop_seconds": loop_seconds,
        "floor_seconds": floor_seconds,
        "ratio_to_loop": min(loop_seconds) / min(seconds),
        "ratio_to_floor": min(seconds) / floor_seconds,
        "largest_difference": largest_difference,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=51)
    parser.add_argument("--examples", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    busy: dict[str, float] = {}
    with load.measure_others(busy):
        result = measure_map(options.points, options.examples, options.repeats)
    print(json.dumps(result | busy))


if __name__ == "__main__":
    main()
