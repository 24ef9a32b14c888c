"""Score the baseline's kept weights on the validation set, example by example."""

import numpy as np
import pandas as pd

from thalweg.artifacts import prepared, weights
from thalweg.config.experiment import Config
from thalweg.engine.devices import copy_to_devices
from thalweg.system import files, table_files
from thalweg.system.paths import BASELINE_METRICS, BASELINE_PREDICTIONS, BASELINE_WEIGHTS
from thalweg.training import build, inference


def main(config: Config) -> str:
    loaded = prepared.load_prepared_data()
    examples, task = loaded.examples, config.task
    host = build.build_data(config, examples, loaded.splits, loaded.copy_origins)
    plan = build.build_plan(config, build.build_data_spec(examples), host, searched=False)
    data = copy_to_devices(host)
    members = weights.read_weights(BASELINE_WEIGHTS, plan.network)
    scores, tables = [], []
    for member, rows in zip(members, loaded.splits.validation, strict=True):
        predictions = inference.predict_examples(plan, [member], data, rows)[0]
        scores.append(inference.score_rows(plan, predictions, data, rows))
        validation = examples.drop_images().take_rows(rows)
        columns = {"image": validation.names, "group": validation.groups}
        if task.OUTPUT_KIND != "image":
            columns["truth"] = task.list_true_values(validation)
        tables.append(pd.DataFrame(columns | task.build_prediction_columns(predictions, examples.classes)))
    sizes = [len(rows) for rows in loaded.splits.validation]
    averaged = {name: float(np.average([fold[name] for fold in scores], weights=sizes)) for name in scores[0]}
    files.write_json(BASELINE_METRICS, averaged)
    table_files.write_table(BASELINE_PREDICTIONS, pd.concat(tables, ignore_index=True))
    measured = ", ".join(f"{name} {value:.4g}" for name, value in averaged.items())
    return f"the baseline on the validation set: {measured}"
