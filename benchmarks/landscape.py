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
from thalweg.engine.workers import copy_to_devices


def time_call(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure_map(points: int, examples: int, repeats: int) -> dict[str, Any]:
    """Measure a map of points x points on `examples` of train and of validation."""
    import jax
    import numpy as np

    from thalweg.config.load import load_config
    from thalweg.data import splits
    from thalweg.diagnose import loss_surface
    from thalweg.diagnose.landscape import subsample_rows
    from thalweg.engine import population
    from thalweg.training import build, composite_loss

    config = load_config(Path("params.yaml"))
    drawn = config.data.source.read_examples(Path(config.data.path), config.seed).examples
    parts = splits.split_examples(config.data.split, drawn, config.seed)
    host = build.build_data(config, drawn, parts, np.zeros(0, np.int64))
    plan = build.build_plan(config, build.build_data_spec(drawn), host, searched=True)
    hyper, data, state = build.build_hyper(config), copy_to_devices(host), population.init_lane(plan, 0, 0)
    on = loss_surface.build_evaluation_sets(
        plan, data, [subsample_rows(rows, examples) for rows in (parts.train[0], parts.validation[0])]
    )
    weights = state.learner.parameters, state.learner.model_state
    ways = loss_surface.draw_filter_directions(jax.random.key(0), state.learner.parameters, 2)
    places = loss_surface.build_grid([-1.0, -1.0], [1.0, 1.0], points)

    def survey(places: Any) -> Any:
        return loss_surface.compute_point_losses(plan, hyper, weights, ways, places, on)

    @jax.jit
    def mean(place: Any, inputs: Any, truth: Any) -> Any:
        moved = loss_surface.shift_parameters(state.learner.parameters, ways, place)
        outputs = plan.network.apply(moved, state.learner.model_state, inputs, train=False)[0]
        return composite_loss.weighted_sum(
            composite_loss.compute_term_losses(plan, hyper, outputs, truth),
            loss_surface.compute_final_coefficients(plan, hyper),
        ).mean()

    sets = [jax.tree.map(lambda leaf, one=one: leaf[one], tuple(on)) for one in range(2)]

    def loop(places: Any) -> Any:
        return np.array([[float(mean(place, *one)) for one in sets] for place in places.astype(np.float32)])

    first = time_call(lambda: survey(places))
    loop(places[:1])
    part = places[:: max(1, len(places) // 256)]
    seconds, plain = [], []
    for _ in range(repeats):
        seconds.append(time_call(lambda: survey(places)))
        plain.append(time_call(lambda: loop(part)) * len(places) / len(part))
    forward = jax.jit(lambda x: plan.network.apply(*weights, x, train=False)[0])
    cost: dict[str, float] = forward.lower(on.inputs[0]).compile().cost_analysis() or {}
    operations = cost["flops"] * 2 * len(places)
    least = operations / floor.measure_rate()
    agree = float(np.abs(survey(part).mean(-1) - loop(part)).max())
    return {
        "points": points,
        "examples": [examples, examples],
        "first_seconds": first,
        "seconds": seconds,
        "loop_seconds": plain,
        "floor_seconds": least,
        "ratio_to_loop": min(plain) / min(seconds),
        "ratio_to_floor": min(seconds) / least,
        "largest_difference": agree,
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
