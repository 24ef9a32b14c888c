"""Train the baseline: the experiment as params.yaml has it, one lane a fold."""

import pandas as pd

from thalweg.artifacts import prepared, weights
from thalweg.artifacts.fingerprint import baseline_fingerprint
from thalweg.artifacts.learning_curves import build_curves_table
from thalweg.artifacts.state_card import open_state
from thalweg.config.experiment import Config
from thalweg.engine import results
from thalweg.stats.verdicts import build_verdict_table
from thalweg.system import files, table_files
from thalweg.system.counts import format_count
from thalweg.system.paths import BASELINE_CURVES, BASELINE_WEIGHTS, COPIES, EXAMPLES, SPLITS
from thalweg.training import baseline, build


def main(config: Config) -> str:
    loaded = prepared.load_prepared_data()
    data = build.build_data(config, loaded.examples, loaded.splits, loaded.copy_origins)
    spec = build.build_data_spec(loaded.examples)
    examples = files.hash_files([EXAMPLES, SPLITS, COPIES])
    with open_state("train", config, baseline_fingerprint(config, examples, baseline)) as folder:
        plan, lanes, states = baseline.train_baseline(config, spec, data, folder)
    curves = build_curves_table(
        config, [(None, *lane, results.build_lane_result(plan, s)) for lane, s in zip(lanes, states, strict=True)]
    )
    table_files.write_table(BASELINE_CURVES, curves)
    files.write_bytes(BASELINE_WEIGHTS, weights.serialize_weights([state.best_weights for state in states]))
    objective = config.study.objective
    verdicts = build_verdict_table(objective, config.task.metric_directions[objective], curves, {})
    return describe_baseline(verdicts, format_count(plan.epochs, "epoch"))


def describe_baseline(verdicts: pd.DataFrame, epochs: str) -> str:
    """Describe how the baseline's training went, by the monitor's verdict on its curves."""
    verdict = verdicts.iloc[0]
    since = "" if pd.isna(verdict["since"]) else f" from epoch {verdict['since']:.0f} on"
    return f"the baseline, in {epochs}: {verdict['kind']}{since}"
