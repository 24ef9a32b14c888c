"""Train the experiment as params.yaml has it: the baseline, one lane a fold."""

from thalweg.artifacts import prepared, weights
from thalweg.artifacts.learning_curves import curves_table
from thalweg.config.experiment import Config
from thalweg.engine import population, results
from thalweg.engine.devices import to_devices
from thalweg.stats.verdicts import monitor_verdicts
from thalweg.system import files
from thalweg.system.paths import BASELINE_CURVES, BASELINE_WEIGHTS
from thalweg.training import build


def main(config: Config) -> None:
    loaded = prepared.load()
    data = build.build_data(config, loaded.examples, loaded.parts, loaded.copies)
    plan = build.build_plan(config, build.data_spec(loaded.examples), data, searched=False)
    lanes = results.lane_seeds(config.seed, "study", 1, len(data.train))
    states = population.train(
        plan,
        [build.build_hyper(config)] * len(lanes),
        [population.init(plan, *lane) for lane in lanes],
        to_devices(data),
    )
    curves = curves_table(
        config, [(None, *lane, results.lane_result(plan, s)) for lane, s in zip(lanes, states, strict=True)]
    )
    files.write_table(BASELINE_CURVES, curves)
    files.write_bytes(BASELINE_WEIGHTS, weights.serialize([state.best for state in states]))
    objective = config.study.objective
    for verdict in monitor_verdicts(objective, config.task.METRICS[objective], curves, {}).to_dict("records"):
        print(f"baseline: {verdict['kind']}: {verdict['evidence']}")
