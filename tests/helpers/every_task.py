"""Every task, and examples that all of them can use."""

from collections.abc import Callable, Iterator
from typing import Literal, cast, get_args, get_origin

import numpy as np

from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.schema.section import find_members
from thalweg.tasks import Task
from thalweg.tasks.detect import Detect

N = 7
SIZE = (10, 16, 3)
CLASSES = ("a", "b", "c")


def list_task_variants() -> Iterator[Task]:
    """Every task at its defaults, and with every other value of its options that are a choice."""
    for kind in find_members("thalweg.tasks").values():
        task = cast(Callable[..., Task], kind)
        yield task()
        for name, field in kind.model_fields.items():
            if get_origin(field.annotation) is Literal and name != "kind":
                yield from (task(**{name: value}) for value in get_args(field.annotation)[1::2])
            if field.annotation is bool:
                yield task(**{name: not field.default})
    yield Detect(side=3.0, classes=False)  # positions alone


def draw_examples() -> Examples:
    """Examples of which everything is known that a source can know."""
    draw = np.random.default_rng(0)
    present = draw.random((N, 4)) < 0.7
    corner, side = draw.random((N, 4, 2)) * (SIZE[1], SIZE[0]), draw.random((N, 4, 2)) * 3
    return Examples(
        images=draw.integers(0, 256, (N, *SIZE), np.uint8),
        names=np.array([f"image {i}" for i in range(N)]),
        groups=np.array([f"place {i % 2}" for i in range(N)]),
        split=np.full(N, ""),
        labels={
            "count": present.sum(1).astype(np.float32),
            "label": draw.integers(0, len(CLASSES), N).astype(np.int32),
            "points": corner.astype(np.float32),
            "boxes": np.concatenate([corner, corner + side], -1).astype(np.float32),
            "kinds": draw.integers(0, len(CLASSES), (N, 4)).astype(np.int32),
            "present": present,
        },
        classes=CLASSES,
    )


EXAMPLES = draw_examples()
SPEC = DataSpec(SIZE, len(CLASSES))
