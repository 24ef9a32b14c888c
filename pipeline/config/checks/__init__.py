"""Validate an experiment: single values, rules across values, the search space."""

from thalweg.config.checks.file import find_file_problems
from thalweg.config.checks.model_sizes import advise_condition
from thalweg.config.checks.search_space import find_space_problems
from thalweg.schema.problem import ParamsTree, Problem


def find_problems(tree: ParamsTree) -> list[Problem]:
    """Return all problems in the content of a params file."""
    problems = find_file_problems(tree)
    space_problems = find_space_problems(tree, problems)
    return [*(advise_condition(tree, problem) for problem in problems), *space_problems]
