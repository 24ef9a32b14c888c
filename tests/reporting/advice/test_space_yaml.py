"""The next space as lines to paste: all of them settings, none a note."""

from ruamel.yaml import YAML

from thalweg.reporting.advice.next_space import NextParameter
from thalweg.reporting.advice.space_yaml import format_space, list_settings
from thalweg.reporting.parameter import SearchedParameter

KIND = SearchedParameter("model.kind", choices=("linear", "mlp", "cnn"))
SIZE = SearchedParameter("model.width", choices=(32,), when={"model.kind": ("mlp", "linear")})
DEPTH = SearchedParameter("model.depth", choices=(1, 2), when={"model.width": (32,)})
RATE = SearchedParameter("optimizer.learning_rate", low=0.1, high=1.0)


def read_space(*space: NextParameter) -> dict[str, object]:
    space_by_name: dict[str, object] = YAML(typ="safe").load("\n".join(format_space(space)))["study"]["space"]
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
