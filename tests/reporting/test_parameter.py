"""Where values of a searched parameter lie."""

import numpy as np
import pandas as pd

from thalweg.reporting.parameter import SearchedParameter


def test_choice_indices_accept_text() -> None:
    parameter = SearchedParameter("width", choices=(8, 16, True, "a"))
    assert parameter.choice_indices(pd.Series([16.0, "8", np.nan, "a", True])).tolist() == [1, 0, -1, 3, 2]
