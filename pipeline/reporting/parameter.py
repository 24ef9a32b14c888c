"""A searched parameter."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.text import choice_key, is_missing


@dataclass(frozen=True)
class SearchedParameter:
    """A number or a choice that the study searched.

    - `name`: its dotted path in params.yaml.
    - `low`, `high`: the ends of its range; NaN if it has `choices`. `log`: searched on a log scale. `whole`: by whole
      numbers.
    - `step`: the distance of its values from `low` on, of a study of another program; None if it may have any.
    - `points`: how many values of the range the sampler grid takes; None for other samplers.
    - `when`: the values of other parameters for which it is used.
    - `literals`: the choices that stand for None or for what is no scalar, each as Python writes it.
    - `role`: `scientific` if the study asks about it.
    """

    name: str
    low: float = math.nan
    high: float = math.nan
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    role: Literal["scientific", "nuisance"] = "nuisance"
    points: int | None = None
    step: float | None = None
    literals: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_range(self) -> bool:
        """Whether it has a range instead of choices."""
        return not self.choices

    def relative_position(self, values: pd.Series) -> pd.Series:
        """Return positions in the range: 0 at `low`, 1 at `high`, on a log scale if it was searched so."""
        numbers = values.astype(float)
        if self.log:
            return pd.Series(np.log(numbers / self.low) / np.log(self.high / self.low), index=values.index)
        return (numbers - self.low) / (self.high - self.low)

    def value_at(self, share: float) -> float:
        """Return the value at a relative position; the inverse of `relative_position`."""
        return self.low * (self.high / self.low) ** share if self.log else self.low + share * (self.high - self.low)

    def list_choices(self, values: pd.Series) -> list[Any]:
        """Return its choices, or the distinct values if it has none."""
        return list(self.choices or sorted(values.dropna().unique(), key=str))

    def choice_indices(self, values: pd.Series) -> NDArray[np.int64]:
        """Return the index of each value among the choices; -1 if the trial does not use the parameter.

        A table may hold 8.0 or "8" for the choice 8.
        """
        indices = {choice_key(choice): index for index, choice in enumerate(self.list_choices(values))}
        return np.array([-1 if is_missing(value) else indices.get(choice_key(value), -1) for value in values], np.int64)
