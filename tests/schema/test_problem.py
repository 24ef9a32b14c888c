"""The message of a problem: suggestions, own code, and values in words."""

import pytest

from thalweg.schema.problem import KeyPath, Problem, describe_value, quote_value


def test_similar_name_is_suggested() -> None:
    assert Problem(("a", 0, "b"), "what", ("cosine", "linear"), "cosin").describe_problem() == (
        "a.0.b: what; allowed: cosine, linear; did you mean `cosine`?"
    )
    assert Problem((), "what", ("cosine",), "xyz").describe_problem() == "(whole file): what; allowed: cosine"


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("lr", "learning_rate"),
        ("mom", "momentum"),
        ("m", ""),  # of one letter nobody knows
        ("ml", "male"),  # short for two, so the one that is spelt more like it
        ("wate", "rate"),  # not short for a name, but spelt like one
    ],
)
def test_abbreviation_is_suggested(given: str, near: str) -> None:
    assert (
        Problem(("a",), "what", ("learning_rate", "momentum", "method_list", "male", "rate"), given).suggestion == near
    )


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("lr", "optimizer.learning_rate"),  # without its section
        ("optimizer.lr", "optimizer.learning_rate"),
        ("optimizer.zzz", ""),  # alike in its section alone
        ("optimiser.momentum", "optimizer.momentum"),
        ("kind", ""),  # in two sections
    ],
)
def test_paths_are_compared_by_what_differs(given: str, near: str) -> None:
    paths = ("optimizer.kind", "optimizer.learning_rate", "optimizer.momentum", "model.kind", "model.width")
    problem = Problem(("a",), "what", paths, given)
    assert problem.suggestion == near
    assert problem.put_nearest_first().allowed[0] == (near or "optimizer.kind")


@pytest.mark.parametrize(
    ("path", "end"),
    [
        (("model", "kind"), "l1, or your own as `package.module.name`"),
        (("augment", "online", "blur"), "l1, or your own as `package.module.name`"),
        (("study", "also", 0), "l1, or your own, listed in task.metrics"),
        (("study", "constraints", "mae", "lo"), "l1"),
        (("training", "batch"), "l1"),
    ],
)
def test_own_code_is_named_where_it_may_stand(path: KeyPath, end: str) -> None:
    assert Problem(path, "is not known", ("l1",), "qqq").describe_problem().endswith(f"allowed: {end}")
    assert Problem(path, "does not suit the data", ("l1",)).describe_problem().endswith("allowed: l1")


def test_long_text_is_shortened() -> None:
    assert quote_value("x" * 500) == '"' + "x" * 60 + '…"'
    assert describe_value("a\nb") == 'the text "a\\nb"'
    assert describe_value(10**400) == "a number too large"
