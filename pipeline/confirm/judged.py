"""What the winner was judged on, and its values there, for a comparison with the winner of another study."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.judged import JudgedWinner, build_seed_values
from thalweg.config.experiment import Config
from thalweg.confirm.candidates import Candidate, list_confirm_seeds, select_judged_rows
from thalweg.confirm.compare import correct_winner
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits


def build_judged_winner(
    config: Config,
    splits: Splits,
    judged: Examples,
    ranked: Sequence[Candidate],
    leave_out_metrics: Sequence[NDArray[Any]],
    block_sizes: NDArray[np.intp],
) -> JudgedWinner:
    """Build the record of the winner, the first in `ranked`, on the examples `judged`.

    `leave_out_metrics` are the metrics without one block, each [seeds, blocks], of `ranked`.
    """
    objective = config.study.objective
    rows = select_judged_rows(splits) if config.task.CORRUPTS_INPUT else np.zeros(0, np.int32)
    own = np.asarray(ranked[0].scores[objective], np.float64)
    return JudgedWinner(
        task=config.task.model_dump(mode="json", exclude=set(config.task.PREDICTION_OPTIONS)),
        objective=objective,
        sign=1 if config.task.cost_sign(objective) > 0 else -1,
        part="test" if len(splits.test) else "validation",
        sha256=digest_examples(judged, rows),
        examples=len(judged),
        groups=len(np.unique(judged.groups)),
        block_sizes=tuple(block_sizes.tolist()),
        seeds=tuple(list_confirm_seeds(config)),
        values=build_seed_values(own, leave_out_metrics[0]),
        corrected=build_seed_values(*correct_winner(config, ranked, leave_out_metrics)),
    )


def digest_examples(examples: Examples, rows: NDArray[np.int32]) -> str:
    """Return the SHA-256 of examples: images, groups, labels and names of classes. Names of files do not count.

    `rows` are those that random corruption of the images depends on; none where there is no corruption.
    """
    total = hashlib.sha256()
    for names in (examples.groups, np.array(examples.classes, np.str_)):
        total.update("\0".join([str(len(names)), *map(str, names)]).encode())
    for array in (examples.images, *(examples.labels[name] for name in sorted(examples.labels)), rows):
        total.update(repr((array.shape, array.dtype.str)).encode())
        total.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return total.hexdigest()
