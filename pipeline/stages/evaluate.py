"""Score the baseline's kept weights on validation, example by example."""

import numpy as np
import pandas as pd

from thalweg.artifacts import prepared, weights
from thalweg.config.experiment import Config
from thalweg.engine.workers import copy_to_devices
from thalweg.system import files
from thalweg.system.paths import BASELINE_METRICS, BASELINE_PREDICTIONS, BASELINE_WEIGHTS
from thalweg.training import build, inference


def main(config: Config) -> None:
    loaded = prepared.load_prepared_data()
    examples, task = loaded.examples, config.task
    host = build.build_data(config, examples, loaded.parts, loaded.copies)
    plan = build.build_plan(config, build.build_data_spec(examples), host, searched=False)
    data = copy_to_devices(host)
    members = weights.deserialize_weights(plan.network, files.read_bytes(BASELINE_WEIGHTS))
    scores, tables = [], []
    for member, rows in zip(members, loaded.parts.validation, strict=True):
        predictions = inference.predict_examples(plan, [member], data, rows)[0]
        scores.append(inference.scores(plan, predictions, data, rows))
        part = examples.take(rows)
        told = {"image": part.names, "group": part.groups}
        if task.TOLD != "image":
            told["truth"] = task.truth(part)
        tables.append(pd.DataFrame(told | task.table(predictions, examples.classes)))
    sizes = [len(rows) for rows in loaded.parts.validation]
    averaged = {name: float(np.average([one[name] for one in scores], weights=sizes)) for name in scores[0]}
    files.write_json(BASELINE_METRICS, averaged)
    files.write_table(BASELINE_PREDICTIONS, pd.concat(tables, ignore_index=True))
