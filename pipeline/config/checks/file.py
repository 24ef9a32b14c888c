"""What is wrong with a file, its search space left aside."""

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from thalweg.config.checks.task import is_implied_by_wrong_kind, task_problems
from thalweg.config.checks.tree import without_problems
from thalweg.config.checks.values import cross_field_problems
from thalweg.config.experiment import Config
from thalweg.schema.problem import Problem, Tree, problem
from thalweg.schema.section import member_of
from thalweg.tasks.base import Task


def file_problems(tree: Tree) -> list[Problem]:
    """List what is wrong with a file: single values, rules across values, what does not go with the task."""
    wrong = value_problems(tree)
    good = without_problems(tree, wrong)
    task = read_task(good)
    if task:
        wrong = [one for one in wrong if not is_implied_by_wrong_kind(one, task)]
    return [*wrong, *cross_field_problems(good), *(task_problems(good, task) if task else ())]


def read_task(good: Tree) -> Task | None:
    """The task, without the options of it that are wrong; None where not even its kind is right."""
    try:
        task: Task = member_of("thalweg.tasks")(good["task"])
    except (KeyError, ValidationError, PydanticCustomError):
        return None
    return task


def value_problems(tree: Tree) -> list[Problem]:
    """List what is wrong with single values; a misspelt key is not missing, too."""
    try:
        Config.model_validate(tree)
    except ValidationError as error:
        wrong = [problem(detail) for detail in error.errors(include_url=False)]
        misspelt = {(*one.path[:-1], one.near) for one in wrong if one.what == "unknown key"}
        return [one for one in wrong if one.what != "is missing" or one.path not in misspelt]
    return []
