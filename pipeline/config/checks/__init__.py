"""What is wrong with an experiment: with each value, with what no value can tell alone, and with the search space."""

from thalweg.config.checks.file import find_file_problems
from thalweg.config.checks.search_space import find_space_problems
from thalweg.schema.problem import ParamsTree, Problem


def find_problems(tree: ParamsTree) -> list[Problem]:
    """Everything that is wrong with the content of a params file."""
    found = find_file_problems(tree)
    return [*found, *find_space_problems(tree, found)]
