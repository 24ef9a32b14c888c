"""A searched parameter, as the report reads it."""

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
    - `low`, `high`: the ends of its range, searched in logarithms where `log` is set, by whole numbers where `whole`
      is; both are NaN where it has `choices` instead.
    - `when`: the values of other parameters for which it plays a part.
    - `role`: whether the study asks about it (scientific).
    """

    name: str
    low: float = math.nan
    high: float = math.nan
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    role: Literal["scientific", "nuisance"] = "nuisance"

    @property
    def is_range(self) -> bool:
        """Whether it has a range rather than choices."""
        return not self.choices

    def relative_position(self, values: pd.Series) -> pd.Series:
        """Return where values lie in the range: 0 at `low`, 1 at `high`, in logarithms where the search was."""
        known = values.astype(float)
        if self.log:
            return pd.Series(np.log(known / self.low) / np.log(self.high / self.low), index=values.index)
        return (known - self.low) / (self.high - self.low)

    def value_at(self, share: float) -> float:
        """Return the value at one place of the range, the inverse of `position`."""
        return self.low * (self.high / self.low) ** share if self.log else self.low + share * (self.high - self.low)

    def list_choices(self, values: pd.Series) -> list[Any]:
        """Return its choices; where it names none, the values that there are."""
        return list(self.choices or sorted(values.dropna().unique(), key=str))

    def choice_indices(self, values: pd.Series) -> NDArray[np.int64]:
        """Return the place of each value among the choices; -1 where the parameter plays no part.

        A column of a table may hold 8.0 or "8" where the choice is 8.
        """
        known = {choice_key(choice): place for place, choice in enumerate(self.list_choices(values))}
        return np.array([-1 if is_missing(value) else known.get(choice_key(value), -1) for value in values], np.int64)
