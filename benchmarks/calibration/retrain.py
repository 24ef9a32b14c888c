"""Retrain what finished studies concluded, on more seeds and new scenes, and hold each conclusion against it.

python -m benchmarks.calibration.retrain NAME=FOLDER...   each a project with a finished study of drawn scenes

The conclusions go into results.json and RESULTS.md, in place of earlier ones of this NAME.

A conclusion is contradicted if it lies outside the retraining's 95 % interval. What a report left open contradicts
nothing.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import run
from benchmarks.calibration.run import FILE, read_commit
from thalweg.artifacts import prepared
from thalweg.artifacts.summary import Estimate, read_study_record, read_summary
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.confirm import candidates, compare
from thalweg.confirm.candidates import Candidate
from thalweg.confirm.selection import select_trials
from thalweg.core import rng
from thalweg.data.examples import concatenate_examples
from thalweg.data.sources.scenes import Scenes
from thalweg.data.splits import Splits
from thalweg.engine.devices import copy_to_devices
from thalweg.stats import intervals
from thalweg.stats.interval import Interval
from thalweg.training import build

MORE_SEEDS = 24
NEW_SCENES = 1500
NEW_PLACES = 100


@dataclass(frozen=True)
class Conclusion:
    """What a report says of a difference of two candidates, and what retraining gives."""

    name: str
    report: Estimate
    retrained: Interval

    @property
    def is_open(self) -> bool:
        return self.report.low <= 0 <= self.report.high

    @property
    def is_contradicted(self) -> bool:
        """Whether the report's sign is surely wrong."""
        sign = np.sign(self.report.mean)
        return not self.is_open and bool(max(sign * self.retrained.low, sign * self.retrained.high) < 0)


def retrain_study(config: Config) -> Iterator[Conclusion]:
    """Retrain the candidates of the study in this folder; yield its conclusions."""
    loaded, record, summary = prepared.load_prepared_data(), read_study_record(), read_summary()
    assert isinstance(config.data.source, Scenes)
    source = config.data.source.model_copy(update={"examples": NEW_SCENES, "places": NEW_PLACES})
    fresh = source.read_examples(Path(config.data.path), rng.derive_seed(config.seed, "retrain")).examples
    count = len(loaded.examples) - len(loaded.copy_origins)
    parts = [loaded.examples.take_rows(rows) for rows in np.split(np.arange(len(loaded.examples)), [count])]
    examples = concatenate_examples([parts[0], fresh, *([parts[1]] if len(parts[1]) else [])])
    judged = np.arange(count, count + NEW_SCENES, dtype=np.int32)
    splits = Splits(loaded.splits.train, loaded.splits.validation, judged)
    data = build.build_data(config, examples, splits, loaded.copy_origins)
    trials = [(None, {}), *((trial.number, trial.params) for trial in select_trials(config, record.ranked))]
    more = config.replace_values({"confirm.seeds": config.confirm.seeds + MORE_SEEDS})
    with tempfile.TemporaryDirectory() as folder:
        trained = candidates.train_candidates(
            more, build.build_data_spec(loaded.examples), splits, data, trials, Path(folder)
        )
    block = intervals.assign_blocks(examples.take_rows(judged).groups)
    left_out = compare.measure_without_blocks(more, trained, copy_to_devices(data), judged, block)
    scores = [candidate.scores[config.study.objective] for candidate in trained]
    index = {candidate.trial: position for position, candidate in enumerate(trained)}

    def compare_pair(first: int | None, second: int | None) -> Interval:
        one, other, later = index[first], index[second], slice(config.confirm.seeds, None)
        by_seed: NDArray[np.float64] = scores[one][later] - scores[other][later]
        return intervals.two_way_interval(by_seed, (left_out[one] - left_out[other])[later], np.bincount(block))

    winner = candidates.rank_candidates(config, _select_first_seeds(trained[1:], config.confirm.seeds))[0].trial
    if summary.confirm is not None:
        difference = summary.confirm.decisive_difference
        yield Conclusion("winner - baseline", difference, compare_pair(winner, None))
    for question in summary.questions:
        for other in question.others:
            name = f"{question.parameter}: trial {other.trial} - trial {question.trial}"
            yield Conclusion(name, other.difference, compare_pair(other.trial, question.trial))


def _select_first_seeds(trained: list[Candidate], seeds: int) -> list[Candidate]:
    """Return the candidates as `confirm` saw them."""
    return [
        replace(
            candidate,
            states=candidate.states[:seeds],
            validation_scores={name: values[:seeds] for name, values in candidate.validation_scores.items()},
        )
        for candidate in trained
    ]


def describe_conclusion(study: str, conclusion: Conclusion) -> dict[str, str]:
    """Return the cells of a conclusion's row in RESULTS.md."""
    report, retrained = (
        f"{item.mean:+.3f} ({item.low:+.3f} to {item.high:+.3f})" for item in (conclusion.report, conclusion.retrained)
    )
    verdict = "open" if conclusion.is_open else "**contradicted**" if conclusion.is_contradicted else "holds"
    return {
        "study": study,
        "conclusion": conclusion.name,
        "report": report,
        "retrained": retrained,
        "verdict": verdict,
        "commit": read_commit(),
        "measured": time.strftime("%Y-%m-%d"),
    }


def main() -> None:
    record, rows = json.loads(FILE.read_text()), []
    for name, folder in (argument.split("=", 1) for argument in sys.argv[1:]):
        os.chdir(folder)
        for conclusion in retrain_study(load_config(Path("params.yaml"))):
            rows.append(describe_conclusion(name, conclusion))
            print(json.dumps(rows[-1]), flush=True)
    names = {row["study"] for row in rows}
    kept = [row for row in record.get("retrained", []) if row["study"] not in names]
    run.write_results(FILE, record | {"retrained": rows + kept})


if __name__ == "__main__":
    main()
