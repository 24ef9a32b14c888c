"""Diagnose the winner: the worth of images and augmentation, its loss landscape, and its gradient."""

import pandas as pd

from thalweg.artifacts import prepared, trained_model
from thalweg.artifacts.fingerprint import study_fingerprint
from thalweg.artifacts.state_card import open_state
from thalweg.artifacts.summary import read_study_record
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.diagnose import ablations, gradient_table, landscape
from thalweg.system import files, progress, table_files
from thalweg.system.members import list_dotted_members
from thalweg.system.paths import ABLATIONS, COPIES, EXAMPLES, GRADIENTS, LANDSCAPE, MODEL, RUNS, SPLITS
from thalweg.training import build


def main(config: Config) -> str:
    loaded, runs = prepared.load_prepared_data(), table_files.read_table(RUNS)
    values = find_winner_values(runs)
    data = build.build_data(config, loaded.examples, loaded.splits, loaded.copy_origins)
    ablation_options = config.diagnose.model_dump(include={"seeds", "shares"})
    options = [config.confirm.epochs, ablation_options]
    examples = files.hash_files([EXAMPLES, SPLITS, COPIES])
    with open_state("diagnose", config, study_fingerprint(config, examples, ablations, values, options)) as folder:
        ablation_table = ablations.train_ablations(config, loaded, data, values, folder / "less")
    table_files.write_table(ABLATIONS, ablation_table)
    if config.diagnose.landscape.points:
        options = [config.confirm.model_dump(), config.diagnose.landscape.model_dump()]
        with open_state("diagnose", config, study_fingerprint(config, examples, landscape, values, options)) as folder:
            landscape.write_landscape(LANDSCAPE, folder / "landscape.json", config, loaded, data, values)
    own = list_dotted_members(config.model_dump()).values()
    weights = trained_model.load_trained_model(MODEL, own).members[0] if config.diagnose.gradients else None
    with progress.show_part("checking the gradient"):
        gradients = gradient_table.build_gradient_table(config, loaded, data, values, weights)
    table_files.write_table(GRADIENTS, gradients)
    return describe_diagnosis(config, ablation_table, gradients)


def describe_diagnosis(config: Config, ablation_table: pd.DataFrame, gradients: pd.DataFrame) -> str:
    """Describe what the winner reaches with less, and what else was diagnosed."""
    objective, points = config.study.objective, config.diagnose.landscape.points
    found = []
    if len(ablation_table):
        names = list(map(name_ablation, ablation_table["what"], ablation_table["share"]))
        means = ablation_table.groupby(names, sort=False)[f"validation_{objective}"].mean()
        values = [f"{name} {mean:.4g}" for name, mean in means.items()]
        found.append(f"{objective} on the validation set {', '.join(values)}")
    if points:
        found.append(f"the loss mapped at {points} x {points} points")
    if len(gradients):
        is_wrong = bool((gradients["verdict"] == "wrong").any())
        found.append("the gradient is wrong" if is_wrong else "the gradient is right")
    return "; ".join(found) or "nothing was asked for"


def name_ablation(kind: str, share: float) -> str:
    """Name what the winner was trained with."""
    if kind == "images":
        return "with all images" if share == 1 else f"with {100 * share:.3g} % of the images"
    return f"without {kind}"


def find_winner_values(runs: pd.DataFrame) -> Setting:
    """Return the values of the confirmed winner; empty where the baseline is the winner."""
    number = runs.loc[runs["candidate"] == "winner", "trial"].iloc[0]
    return next((trial.params for trial in read_study_record().ranked if trial.number == number), {})
