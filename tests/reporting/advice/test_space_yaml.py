"""The next space as lines to paste: all of them settings, none a note."""

from dataclasses import replace

from ruamel.yaml import YAML

from thalweg.reporting.advice.next_space import NextParameter
from thalweg.reporting.advice.space_yaml import build_space_patch, format_space, list_outside_values, list_settings
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

KIND = SearchedParameter("model.kind", choices=("linear", "mlp", "cnn"))
SIZE = SearchedParameter("model.width", choices=(32,), when={"model.kind": ("mlp", "linear")})
DEPTH = SearchedParameter("model.depth", choices=(1, 2), when={"model.width": (32,)})
RATE = SearchedParameter("optimizer.learning_rate", low=0.1, high=1.0)


def read_space(*space: NextParameter) -> dict[str, object]:
    space_by_name: dict[str, object] = YAML(typ="safe").load("\n".join(format_space(space)))["space"]
    return space_by_name


def test_settled_value_is_no_line() -> None:
    space = [NextParameter(KIND, "cnn", "the others are worse"), NextParameter(RATE)]
    assert list_settings(space) == [("model.kind: cnn", "the others are worse")]
    assert read_space(*space) == {"optimizer.learning_rate": {"low": 0.1, "high": 1}}


def test_nothing_left_to_search_is_no_block() -> None:
    assert format_space([NextParameter(KIND, "cnn")]) == []


def test_size_of_some_networks_stays_searched() -> None:
    """The file's own network may have no such size."""
    kinds = NextParameter(SearchedParameter("model.kind", choices=("mlp", "cnn")))
    assert read_space(kinds, NextParameter(SIZE)) == {
        "model.kind": {"choices": ["mlp", "cnn"]},
        "model.width": {"choices": [32], "when": {"model.kind": ["mlp"]}},  # not with `linear`, which is gone
    }
    assert list_settings([kinds, NextParameter(SIZE)]) == []


def test_impossible_conditions_drop_their_dependents() -> None:
    space = [NextParameter(KIND, "cnn"), NextParameter(SIZE), NextParameter(DEPTH)]
    assert (format_space(space), list_settings(space)) == ([], [("model.kind: cnn", "the only choice")])


def list_outside(tables: StudyTables, model: dict[str, object]) -> list[tuple[str, str]]:
    """Of a study whose best trial is an mlp of width 32, when the next one leaves out linear."""
    is_best = tables.trials["number"] == tables.winner
    trials = tables.trials.copy()
    trials["model.kind"] = is_best.map({True: "mlp", False: "cnn"})
    trials["model.width"] = is_best.map({True: 32.0, False: float("nan")})
    kinds = NextParameter(SearchedParameter("model.kind", choices=("mlp", "cnn")))
    return list_outside_values(replace(tables, trials=trials, params={"model": model}), [kinds, NextParameter(SIZE)])


def test_values_of_the_file_outside_are_listed(counting_study: StudyTables) -> None:
    """The size is needed only by the network that is set in place of the file's own."""
    assert list_outside(counting_study, {"kind": "linear"}) == [
        ("model.kind: linear", "model.kind: mlp"),
        ("", "model.width: 32"),
    ]
    assert list_outside(counting_study, {"kind": "cnn"}) == []
    assert list_outside(counting_study, {"kind": "mlp", "width": 16}) == [("model.width: 16", "model.width: 32")]


def test_range_keeps_its_kind() -> None:
    """Without `whole` a size would be searched by fractions; without `points` the sampler grid takes no range."""
    size = SearchedParameter("model.width", low=4, high=32, log=True, whole=True)
    grid = replace(RATE, points=6)
    assert read_space(NextParameter(size), NextParameter(grid)) == {
        "model.width": {"low": 4, "high": 32, "log": True, "whole": True},
        "optimizer.learning_rate": {"low": 0.1, "high": 1, "points": 6},
    }


def test_first_trials_outside_the_space_are_dropped(counting_study: StudyTables) -> None:
    inside, outside = {RATE.name: 0.5}, {RATE.name: 5.0}
    params = {"optimizer": {"learning_rate": 0.5}, "study": {"enqueue": [inside, outside, {"model.kind": "cnn"}]}}
    tables, space = replace(counting_study, params=params), [NextParameter(RATE)]
    assert build_space_patch(tables, space)["study.enqueue"] == [inside]
    (dropped,) = list_outside_values(tables, space)
    assert dropped[1] == "study.enqueue: [optimizer.learning_rate: 0.5]"


def test_patch_is_what_the_lines_say(counting_study: StudyTables) -> None:
    space = [NextParameter(KIND, "cnn"), NextParameter(RATE)]
    tables = replace(counting_study, params={"optimizer": {"learning_rate": 0.5}})
    assert build_space_patch(tables, space) == {"study.space": read_space(*space), "model.kind": "cnn"}
    assert build_space_patch(tables, [NextParameter(KIND, "cnn")]) == {}, "nothing is left to search"


def test_study_without_a_complete_trial(counting_study: StudyTables) -> None:
    """The trial with the best value counts, though it was stopped early."""
    trials = counting_study.trials.assign(state="pruned")
    pruned = replace(counting_study, trials=trials, runs=counting_study.runs.iloc[:0])
    assert pruned.winner is None
    best = trials.sort_values("value").iloc[0]
    rate = next(one for one in pruned.parameters if one.is_range)
    value = float(str(best[rate.name]))
    near = NextParameter(replace(rate, low=0.9 * value, high=1.1 * value))
    ((outside, inside),) = list_outside_values(pruned, [near])
    assert outside.startswith(rate.name) or outside == ""
    assert inside.startswith(f"{rate.name}: ")
