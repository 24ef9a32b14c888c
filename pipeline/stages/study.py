"""Search: the same training, many trials, one compiled program."""

import subprocess
import sys
from collections import Counter

from thalweg import prepared, provenance, tables
from thalweg.config import write
from thalweg.config.experiment import Config
from thalweg.engine import state_folder
from thalweg.engine.lane import Data
from thalweg.progress import Watch
from thalweg.search import publish
from thalweg.search import study as search
from thalweg.search.study import Studied
from thalweg.search.trials import front, judge_of, ranked
from thalweg.system import files, machine, runtime
from thalweg.system.paths import BEST, COPIES, CURVES, EXAMPLES, FOUND, PARAMS, PARTS, TRIALS
from thalweg.training import build


def main(config: Config) -> None:
    loaded = prepared.load()
    data = build.build_data(config, loaded.examples, loaded.parts, loaded.copies)
    studied, fingerprint = search_all(config, loaded, data)
    trials = studied.trials
    files.write_table(TRIALS, tables.trials(config, trials))
    lanes = [(trial.outcome.number, *lane) for trial in trials for lane in trial.lanes]
    files.write_table(CURVES, tables.curves(config, lanes))
    best = ranked(config, trials)
    files.write_text(BEST, write.with_values(PARAMS, best[0].outcome.values if best else {}))
    files.write_json(FOUND, found(config, studied, data, fingerprint))


def search_all(config: Config, loaded: prepared.Prepared, data: Data) -> tuple[Studied, str]:
    """Every trial of the study, resumed where it stood, and the study's fingerprint."""
    if runtime.JAX_ALREADY_LOADED:
        elsewhere(config)  # from here on all is known, and nothing is left to train
    fingerprint = provenance.fingerprint(config, files.digest([EXAMPLES, PARTS, COPIES]))
    with (
        state_folder.locked_state_folder(fingerprint) as folder,
        publish.Publisher(config, fingerprint) as publisher,
        Watch(config) as watch,
    ):
        shape = build.data_spec(loaded.examples)
        return search.run(config, shape, data, folder, (watch, publisher)), fingerprint


def elsewhere(config: Config) -> None:
    """Run the study to its end in a process where JAX has not been loaded yet, and so can be set up as it must be.

    Raises `UserError` where it ends in an error, of which it has told the reason.
    """
    command = [sys.executable, "-c", f"from {__name__} import main_elsewhere as main; main()"]
    if subprocess.run(command, input=config.model_dump_json(), text=True, check=False).returncode:
        raise files.UserError("the study ended in the process that it ran in; its reason stands above")


def main_elsewhere() -> None:
    """What `elsewhere` runs: the study of the experiment on standard input."""
    config = Config.model_validate_json(sys.stdin.read())
    loaded = prepared.load()
    try:
        search_all(config, loaded, build.build_data(config, loaded.examples, loaded.parts, loaded.copies))
    except files.UserError as error:
        sys.exit(str(error))


def found(config: Config, studied: Studied, data: Data, fingerprint: str) -> dict[str, object]:
    """The study in short: reports/summary.json's `study`, its fingerprint, and its complete trials, best first."""
    trials, states = studied.trials, Counter(trial.state for trial in studied.trials)
    best = [trial.outcome for trial in ranked(config, trials)]
    told = [{"number": one.number, "params": one.values, "value": one.value} for one in best]
    summary: dict[str, object] = {"trials": len(trials), "cohorts": len(trials) // config.study.cohort}
    summary |= {state: states[state] for state in ("complete", "pruned", "diverged")}
    summary |= {"best": told[0] if told else None, "epochs": sum(trial.spent for trial in trials)}
    if config.study.constraints:
        summary["infeasible"] = states["infeasible"]
    if config.study.also:
        summary["front"] = front(judge_of(config, data.validation_weight.sum(-1)), trials)
    if studied.stop:
        summary["stop"] = studied.stop
    made = {"fingerprint": fingerprint, "versions": machine.versions(), "device": machine.processor()}
    return {"made": made, "study": summary, "ranked": told}
