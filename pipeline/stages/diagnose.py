"""What needs the winner again: what images and augmentation are worth, its ground, whether its gradient is right."""

import pandas as pd

from thalweg.artifacts import prepared, trained_model
from thalweg.artifacts.fingerprint import package_digest, study_fingerprint
from thalweg.artifacts.summary import read_study_record
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.diagnose import ablations, gradient_table, landscape
from thalweg.engine.state_folder import lock_state_folder
from thalweg.system import files
from thalweg.system.paths import ABLATIONS, COPIES, EXAMPLES, GRADIENTS, LANDSCAPE, MODEL, RUNS, SPLITS
from thalweg.training import build


def main(config: Config) -> None:
    loaded, runs = prepared.load_prepared_data(), files.read_table(RUNS)
    values = find_winner_values(runs)
    data = build.build_data(config, loaded.examples, loaded.splits, loaded.copy_origins)
    asked = config.diagnose.model_dump(include={"seeds", "shares"})
    own = ["less by seed", config.confirm.epochs, config.confirm.seeds, asked]
    examples = files.hash_files([EXAMPLES, SPLITS, COPIES])
    with lock_state_folder(study_fingerprint(config, examples, values, own)) as folder:
        with_less = ablations.train_ablations(config, loaded, data, values, folder / "less")
    if len(with_less):
        winner = runs[(runs["candidate"] == "winner") & runs["seed"].isin(with_less["seed"])]
        every = winner.assign(what="images", share=1.0, images=ablations.count_images(loaded.splits.train, loaded))
        with_less = pd.concat([with_less, every[list(with_less)]], ignore_index=True)
    files.write_table(ABLATIONS, with_less)
    if config.diagnose.landscape.points:
        own = [config.confirm.model_dump(), config.diagnose.landscape.model_dump(), package_digest("diagnose")]
        with lock_state_folder(study_fingerprint(config, examples, values, own)) as folder:
            landscape.write_landscape(LANDSCAPE, folder / "landscape", config, loaded, data, values)
    weights = trained_model.load_trained_model(MODEL).members[0] if config.diagnose.gradients else None
    files.write_table(GRADIENTS, gradient_table.build_gradient_table(config, loaded, data, values, weights))


def find_winner_values(runs: pd.DataFrame) -> Setting:
    """The values of the confirmed winner; none where the baseline stands in for it."""
    number = runs.loc[runs["candidate"] == "winner", "trial"].iloc[0]
    return next((one.params for one in read_study_record().ranked if one.number == number), {})
