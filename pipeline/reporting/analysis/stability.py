"""The learning rate against its stability limit, at the epochs at which the curvature was measured."""

from dataclasses import dataclass

import numpy as np

from thalweg.reporting.tables import StudyTables


@dataclass(frozen=True)
class RateStability:
    """The epoch at which the learning rate came nearest to its stability limit, or went furthest beyond it.

    - `share`: curvature / `limit` there, the curvature from which updates grow; above 1 they grow.
    - `epochs`: all epochs with a curvature and a limit. `stable_from`: the first of them from which on the rate was
      below its limit; None if it was not at the last.
    """

    share: float
    epoch: int
    curvature: float
    limit: float
    learning_rate: float
    epochs: tuple[int, ...]
    stable_from: int | None


def measure_stability(tables: StudyTables) -> RateStability | None:
    """Measure how near the learning rate came to its limit; None if no epoch has a limit."""
    curvature = tables.landscape["curvature"].dropna(subset=["largest", "smallest"]).sort_values("epoch")
    bounded = curvature[np.isfinite(curvature["limit"]) & (curvature["largest"] > 0)]
    if bounded.empty:
        return None
    share = (bounded["largest"] / bounded["limit"]).to_numpy(np.float64)
    epochs, worst = tuple(int(epoch) for epoch in bounded["epoch"]), int(share.argmax())
    unstable = np.flatnonzero(share >= 1)
    first = int(unstable[-1]) + 1 if len(unstable) else 0
    row = bounded.iloc[worst]
    return RateStability(
        share=float(share[worst]),
        epoch=epochs[worst],
        curvature=float(row["largest"]),
        limit=float(row["limit"]),
        learning_rate=float(row["learning_rate"]),
        epochs=epochs,
        stable_from=epochs[first] if first < len(epochs) else None,
    )
