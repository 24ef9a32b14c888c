"""Draw whole groups of examples at random: a set of the wanted size, with the wanted classes as far as that allows."""

import hashlib

import numpy as np
from numpy.typing import NDArray

RowsByGroup = dict[str, list[int]]


def draw_groups(
    groups: RowsByGroup,
    classes: NDArray[np.intp],
    target: NDArray[np.floating],
    keep: int,
    seed: int,
    purpose: str,
) -> tuple[list[int], RowsByGroup]:
    """Return whole groups, drawn at random, and the groups left.

    Their number of examples comes near to the sum of `target` [classes], and their classes come near to `target` as far
    as that allows. A greedy pass takes a group if that lessens the sum of the classes' misses. With one class the total
    misses the target by at most half of the smallest group left; with several, `_mend_total` brings it as near. At
    least one group is taken where the target is above 0, and `keep` are always left.
    """
    if not target.any():
        return [], groups
    shuffled = sorted(groups, key=lambda name: hash_name(seed, purpose, name))
    order = classes[[row for name in shuffled for row in groups[name]]]
    whole = target if len(target) == 1 else _round_targets(target, order)
    taken: set[str] = set()
    total = np.zeros(len(target), np.intp)
    for name in shuffled:
        larger = total + np.bincount(classes[groups[name]], minlength=len(target))
        if len(groups) - len(taken) > keep and np.abs(larger - whole).sum() < np.abs(total - whole).sum():
            taken.add(name)
            total = larger
    if len(target) > 1:
        members = [classes[groups[name]] for name in shuffled]
        mended = _mend_total(members, np.array([name in taken for name in shuffled]), whole, target.sum(), keep)
        taken = {shuffled[index] for index in np.flatnonzero(mended)}
    if not taken:
        taken = {min(shuffled, key=lambda name: len(groups[name]))}
    rows = [row for name in shuffled if name in taken for row in groups[name]]
    return rows, {name: members for name, members in groups.items() if name not in taken}


def _round_targets(target: NDArray[np.floating], order: NDArray[np.intp]) -> NDArray[np.floating]:
    """Return whole targets [classes] whose sum is the rounded sum of `target`: the largest remainders are rounded up.

    `order` are the classes of all examples that can be drawn. No class gets a higher target than it has examples. Of
    equal remainders, that of the class with more examples counts as larger, then that of the class that comes first.
    """
    available = np.bincount(order, minlength=len(target))
    whole: NDArray[np.floating] = np.minimum(np.floor(target), available)
    total = round(float(target.sum()), 9)  # the sum of 1.5 in parts may be a little more
    missing = max(1, int(np.ceil(total - 0.5))) - int(whole.sum())
    candidates = [number for number in dict.fromkeys(order.tolist()) if available[number] > whole[number]]
    remainders = (target - whole).round(9)
    candidates.sort(key=lambda number: (-remainders[number], -available[number]))
    whole[candidates[: max(missing, 0)]] += 1
    return whole


def _mend_total(
    members: list[NDArray[np.intp]], taken: NDArray[np.bool_], whole: NDArray[np.floating], total: float, keep: int
) -> NDArray[np.bool_]:
    """Return which groups are taken after single groups were added or put back: first for `total`, then for classes.

    `members` are the classes of each group's examples. Each time the group is moved that leaves the least miss of
    `total` and, of equal ones, the least sum of the misses of `whole`; it ends where no such move lessens them.
    """
    taken = taken.copy()
    sizes = np.array([len(values) for values in members])
    group, kind = np.repeat(np.arange(len(members)), sizes), np.concatenate(members)
    pairs, counts = np.unique(np.stack([group, kind]), axis=1, return_counts=True)
    group, kind = pairs
    while True:
        drawn = np.bincount(kind, counts * taken[group], len(whole))
        signs = np.where(taken, -1, 1)
        moved = np.abs(drawn[kind] + counts * signs[group] - whole[kind]) - np.abs(drawn[kind] - whole[kind])
        class_change = np.bincount(group, moved, len(members))
        total_change = np.abs(drawn.sum() + sizes * signs - total) - abs(drawn.sum() - total)
        movable = taken | (len(members) - taken.sum() > keep)
        changes = np.stack([np.where(movable, total_change, np.inf).round(9), class_change])
        best = np.lexsort(changes[::-1])[0]
        if tuple(changes[:, best]) >= (0, 0):
            return taken
        taken[best] = ~taken[best]


def hash_name(seed: int, purpose: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{purpose}\0{name}".encode()).digest()
