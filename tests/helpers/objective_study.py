"""A study of an Optuna objective in a folder: the module with the objective, and the storage."""

from pathlib import Path
from typing import Literal

import optuna

Direction = Literal["minimize", "maximize"]
MODULE = '''
import os, random

def objective(trial, seed=0):
    """A bowl whose noise depends on the seed: part of it is the same for all trials."""
    rate = trial.suggest_float("rate", 0.0, 1.0)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    with open("calls", "a") as calls:
        calls.write(f"{seed} {rate}\\n")
    shared, own = random.Random(seed).random(), random.Random(f"{seed} {rate} {kind}").random()
    return (rate - 0.5) ** 2 + (kind == "b") + 0.1 * shared + 0.01 * own

def from_attribute(trial):
    trial.suggest_float("rate", 0.0, 1.0)
    trial.suggest_categorical("kind", ["a", "b"])
    return trial.user_attrs["seed"] + int(os.environ["SEED"])

def broken(trial):
    return {}["missing"]

def stops_some(trial, seed):
    if trial.suggest_float("rate", 0.0, 1.0) > 0.9:
        os._exit(7)
    return objective(trial, seed)

def slow(trial):
    __import__("time").sleep(60)

def three(first, second, third):
    """Takes what no one gives."""

def text(trial):
    return "low"

def nothing(trial):
    return float("nan")

NUMBER = 3
'''
DEFAULT = {"rate": 0.95, "kind": "b"}


def write_study(folder: Path, *, direction: Direction = "minimize", with_default: bool = True) -> str:
    """Write the module and a study of random trials; the first one is enqueued. Return the storage's URL."""
    (folder / "train.py").write_text(MODULE)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    url = f"sqlite:///{folder}/study.db"
    sampler = optuna.samplers.RandomSampler(seed=1)
    study = optuna.create_study(storage=url, study_name="bowl", direction=direction, sampler=sampler)
    if with_default:
        study.enqueue_trial(DEFAULT)
    sign = 1 if direction == "minimize" else -1

    def measure(trial: optuna.Trial) -> float:
        rate, kind = trial.suggest_float("rate", 0.0, 1.0), trial.suggest_categorical("kind", ["a", "b"])
        return sign * ((rate - 0.5) ** 2 + (kind == "b"))

    study.optimize(measure, n_trials=12)
    return url


def load(url: str) -> optuna.Study:
    return optuna.load_study(study_name="bowl", storage=url)
