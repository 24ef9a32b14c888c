"""Retrain the best trials and the baseline on fresh seeds, choose by validation, compare by test, keep a model."""

from thalweg.artifacts import prepared
from thalweg.artifacts.fingerprint import study_fingerprint
from thalweg.artifacts.summary import read_study_record
from thalweg.config.experiment import Config
from thalweg.confirm import candidates
from thalweg.confirm.outputs import write_outputs
from thalweg.confirm.selection import select_trials
from thalweg.engine.state_folder import lock_state_folder
from thalweg.system import files
from thalweg.system.paths import COPIES, EXAMPLES, SPLITS
from thalweg.training import build


def main(config: Config) -> None:
    loaded, record = prepared.load_prepared_data(), read_study_record()
    data = build.build_data(config, loaded.examples, loaded.splits, loaded.copy_origins)
    chosen = select_trials(config, record.ranked)
    trials = [(None, {}), *((trial.number, trial.params) for trial in chosen)]
    options = [config.confirm.seeds, config.confirm.epochs]
    examples = files.hash_files([EXAMPLES, SPLITS, COPIES])
    with lock_state_folder(study_fingerprint(config, examples, candidates, trials, options)) as folder:
        spec = build.build_data_spec(loaded.examples)
        baseline, *others = candidates.train_candidates(
            config, spec, loaded.splits, data, trials, folder / "candidates"
        )
        write_outputs(config, loaded, data, record.study, baseline, others, folder)
