"""What is wrong with an experiment: with each value, with what no value can tell alone, and with the search space."""

from thalweg.config.checks.file import file_problems
from thalweg.config.checks.search_space import space_problems
from thalweg.schema.problem import Problem, Tree


def problems(tree: Tree) -> list[Problem]:
    """Everything that is wrong with the content of a params file."""
    found = file_problems(tree)
    return [*found, *space_problems(tree, found)]
