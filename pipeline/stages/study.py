"""Search: the same training, many trials, one compiled program."""

from pipeline import compose, io, prepared, provenance, rewrite, tables
from pipeline.config import Config
from pipeline.core.lane import Data
from pipeline.paths import BEST, COPIES, CURVES, EXAMPLES, FOUND, PARAMS, PARTS, TRIALS
from pipeline.progress import Watch
from pipeline.search import publish, storage
from pipeline.search import study as search
from pipeline.search.study import Trial
from pipeline.stages import stage


def main(config: Config) -> None:
    loaded = prepared.load()
    data = compose.data(config, loaded.examples, loaded.parts, loaded.copies)
    trials, fingerprint = search_all(config, loaded, data)
    io.write_table(TRIALS, tables.trials(config, trials))
    lanes = [(trial.outcome.number, *lane) for trial in trials for lane in trial.lanes]
    io.write_table(CURVES, tables.curves(config, lanes))
    best = search.ranked(config, trials)
    io.write_text(BEST, rewrite.with_values(PARAMS, best[0].outcome.values if best else {}))
    io.write_json(FOUND, found(config, trials, fingerprint))


def search_all(config: Config, loaded: prepared.Prepared, data: Data) -> tuple[list[Trial], str]:
    """Every trial of the study, resumed where it stood, and the study's fingerprint."""
    fingerprint = provenance.fingerprint(config, io.digest([EXAMPLES, PARTS, COPIES]))
    with (
        storage.locked(fingerprint) as folder,
        publish.Publisher(config, fingerprint) as publisher,
        Watch(config) as watch,
    ):
        shape = compose.spec(loaded.examples)
        return search.run(config, shape, data, folder, (watch, publisher)), fingerprint


def found(config: Config, trials: list[Trial], fingerprint: str) -> dict[str, object]:
    """The study in short: reports/summary.json's `study`, and its fingerprint."""
    best = search.ranked(config, trials)
    top = best[0].outcome if best else None
    return {
        "fingerprint": fingerprint,
        "study": {
            "trials": len(trials),
            "complete": len(best),
            "pruned": 0,
            "diverged": len(trials) - len(best),
            "cohorts": len(trials) // config.study.cohort,
            "best": None if top is None else {"number": top.number, "params": top.values, "value": top.value},
        },
        "ranked": [{"number": t.outcome.number, "params": t.outcome.values, "value": t.outcome.value} for t in best],
    }


if __name__ == "__main__":
    stage.run("study", main)
