"""Train the experiment as params.yaml has it: the baseline, one lane a fold."""

from thalweg import prepared, tables, weights
from thalweg.config.experiment import Config
from thalweg.engine import devices, population, results
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
        devices.to_devices(data),
    )
    curves = tables.curves(
        config, [(None, *lane, results.lane_result(plan, s)) for lane, s in zip(lanes, states, strict=True)]
    )
    files.write_table(BASELINE_CURVES, curves)
    files.write_bytes(BASELINE_WEIGHTS, weights.to_bytes([state.best for state in states]))
    objective = config.study.objective
    for verdict in monitor_verdicts(objective, config.task.METRICS[objective], curves, {}).to_dict("records"):
        print(f"baseline: {verdict['kind']}: {verdict['evidence']}")
