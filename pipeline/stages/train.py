"""Train the experiment as params.yaml has it: the baseline, one lane a fold."""

from pipeline import compose, io, prepared, tables, verdicts, weights
from pipeline.config import Config
from pipeline.core import population
from pipeline.paths import BASELINE_CURVES, BASELINE_WEIGHTS
from pipeline.search import training, trials
from pipeline.stages import stage


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
    io.write_table(BASELINE_CURVES, curves)
    io.write_bytes(BASELINE_WEIGHTS, weights.to_bytes([state.best for state in states]))
    for verdict in verdicts.of(config, curves, {}).to_dict("records"):
        print(f"baseline: {verdict['kind']}: {verdict['evidence']}")


if __name__ == "__main__":
    stage.run("train", main)
