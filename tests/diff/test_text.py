"""Lines of a comparison."""

from thalweg.diff.parameters import Effect, ParameterPair
from thalweg.diff.text import explain_effects


def test_intervals_are_explained_where_there_are_some() -> None:
    """An interval may leave out 0 beside "not clear"."""
    plain = ParameterPair("rate", "0.1 to 1", "", None, None)
    unclear = ParameterPair("rate", "0.1 to 1", "", Effect(0.31, 0.08, 0.56, "0.1 to 0.2", "not clear"), None)
    assert explain_effects([plain]) == ""
    assert explain_effects([plain, unclear]).startswith("Each interval is of one setting alone")
