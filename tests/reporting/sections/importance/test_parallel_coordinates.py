"""Lines through all parameters of a trial."""

from collections.abc import Callable

import pandas as pd
import pytest

from thalweg.reporting.page.figures import Chart
from thalweg.reporting.sections.importance.parallel_coordinates import LINES, NONE, best_tenth, lines
from thalweg.reporting.tables import StudyTables


@pytest.fixture(scope="module")
def large(study_of: Callable[[int], StudyTables]) -> StudyTables:
    return study_of(1000)


def test_lines_are_few_and_their_ends_are_named(large: StudyTables) -> None:
    tables = large
    top, figure = best_tenth(tables), lines(tables)
    assert isinstance(figure, Chart)
    drawn = {trial for group in ("best tenth", "other trials") for trial in figure.data[group]["trial"]}
    assert len(drawn) == LINES
    assert set(top) <= drawn
    assert "300 of 1,000 (30 %) of the trials are drawn." in figure.caption
    assert figure.data["best tenth"]["trial"].nunique() == len(top)
    ends = figure.data["ends"]
    rate = ends[ends["row"] == "learning_rate|optimizer"]
    assert rate["text"].tolist() == ["0.0001", "1"]
    assert set(ends.loc[ends["row"] == "kind|schedule", "text"]) == {"constant", "cosine"}
    points = pd.concat([figure.data["best tenth"], figure.data["other trials"]])
    delta = points[points["row"] == "delta|loss.terms.count"].set_index("trial")["at"]
    without = tables.trials.set_index("number")["loss.terms.count.delta"].isna()
    assert ((delta == NONE) == without.reindex(delta.index)).all()
    rest = points[points["row"] != "delta|loss.terms.count"]
    assert rest["at"].between(0, 1).all()
