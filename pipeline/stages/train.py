"""Train the experiment as params.yaml has it: the baseline, one lane a fold."""

from thalweg import compose, prepared, tables, verdicts, weights
from thalweg.config.experiment import Config
from thalweg.core import population
from thalweg.search import training, trials
from thalweg.system import files
from thalweg.system.paths import BASELINE_CURVES, BASELINE_WEIGHTS


def main(config: Config) -> None:
    loaded = prepared.load()
    data = compose.data(config, loaded.examples, loaded.parts, loaded.copies)
    plan = compose.plan(config, compose.spec(loaded.examples), data, searched=False)
    lanes = training.lanes(config, "study", 1, len(data.train))
    states = population.train(
        plan,
        [compose.hyper(config)] * len(lanes),
        [population.init(plan, *lane) for lane in lanes],
        population.place(data),
    )
    curves = tables.curves(
        config, [(None, *lane, trials.result(plan, s)) for lane, s in zip(lanes, states, strict=True)]
    )
    files.write_table(BASELINE_CURVES, curves)
    files.write_bytes(BASELINE_WEIGHTS, weights.to_bytes([state.best for state in states]))
    for verdict in verdicts.of(config, curves, {}).to_dict("records"):
        print(f"baseline: {verdict['kind']}: {verdict['evidence']}")
