"""Search: the same training, many trials, one compiled program."""

from thalweg.artifacts import prepared
from thalweg.artifacts.learning_curves import curves_table
from thalweg.artifacts.summary import to_json
from thalweg.config import write
from thalweg.config.experiment import Config
from thalweg.search.run import search_all, study_record, trials_table
from thalweg.search.trials import ranked
from thalweg.system import files
from thalweg.system.paths import BEST, CURVES, FOUND, PARAMS, TRIALS
from thalweg.training import build


def main(config: Config) -> None:
    loaded = prepared.load()
    data = build.build_data(config, loaded.examples, loaded.parts, loaded.copies)
    studied, fingerprint = search_all(config, loaded, data)
    trials = studied.trials
    files.write_table(TRIALS, trials_table(config, trials))
    lanes = [(trial.outcome.number, *lane) for trial in trials for lane in trial.lanes]
    files.write_table(CURVES, curves_table(config, lanes))
    best = ranked(config, trials)
    files.write_text(BEST, write.with_values(PARAMS, best[0].outcome.values if best else {}))
    files.write_json(FOUND, to_json(study_record(config, studied, data, fingerprint)))
