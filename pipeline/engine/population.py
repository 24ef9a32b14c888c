"""Many lanes through one compiled program, spread over the devices.

Lanes of one seed and fold that stand at one step make a block. A call of the program advances `BlockShape.blocks`
blocks of `BlockShape.lanes` lanes on every device; what is missing is filled up with lanes that are off. Between calls
lanes lie on the host, as trees of NumPy arrays: what there was before a call that failed is there to call again.
"""

import logging
import math
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import as_completed
from functools import cache, lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import PartitionSpec
from numpy.typing import NDArray

from thalweg.engine import block_layout, fit
from thalweg.engine.block_layout import BlockShape
from thalweg.engine.fit import LaneState
from thalweg.engine.lane_map import map_sequential, map_vmapped
from thalweg.engine.program import Data, Hyper, Program
from thalweg.engine.workers import Workers, device_mesh
from thalweg.system import timing

LANES_PER_BLOCK = 8
"""Lanes of a block on a CPU, where those that are off cost nothing but their place."""
LARGE_LANE_BYTES = 16 * 2**20
"""Bytes of a lane from which on a CPU's block is a single one."""

MIN_RELATIVE_SPEED = 0.9
WIDTH_DIVISOR = 4
"""Calibration: a share of the fastest that will do, and how much narrower the next try is."""

LaneJob = tuple[LaneState, Hyper, int]
"""A lane on its way to the device: where it stands, its numbers, and the epoch to go to."""
Call = Sequence[Sequence[LaneJob]]
"""Blocks of lanes that go at once."""

log = logging.getLogger(__name__)

CompiledProgram = Callable[[LaneState, Hyper, Data, NDArray[np.int32]], LaneState]
_compiled: dict[Hashable, CompiledProgram] = {}
shapes: dict[Program, BlockShape] = {}
"""What an accelerator does in one call of a program, once that is settled."""


@lru_cache(maxsize=64)
def init_lane(program: Program, seed: int, fold: int) -> LaneState:
    """A lane before its first step, on the host; the last ones are kept, as trials that are paired begin alike."""
    state: LaneState = jax.device_get(_compile_init(program)(jnp.int32(seed), jnp.int32(fold)))
    return state


def advance_lanes(
    program: Program,
    hypers: Sequence[Hyper],
    states: Sequence[LaneState],
    data: Data,
    target_epochs: Sequence[int],
    width: int | None = None,
    workers: Workers | None = None,
) -> list[LaneState]:
    """Advance lanes, each from its state to its epoch `target_epochs` or to where it stops by itself; in order, on the host.

    On an accelerator `width` lanes go at once (None: as many as there are); where its memory does not suffice, half as
    many from there on, and nothing is lost. With `workers` their processes do the work.
    """
    after = list(states)
    left = [lane for lane, state in enumerate(states) if has_work_left(program, state, target_epochs[lane])]
    while left:
        clocks = [(int(states[i].seed), int(states[i].fold), int(states[i].step)) for i in left]
        lanes = [(states[i], hypers[i], target_epochs[i]) for i in left]
        shape = _choose_shape(program, clocks, lanes, data, width)
        made = block_layout.plan_calls(clocks, shape, jax.device_count(), workers.processes if workers else 1)
        sent = [[[lanes[i] for i in block] for block in call] for call in made]
        arrived: list[int] = []
        try:
            for place, ends in _run_calls(program, shape, sent, data, workers):
                for i, state in zip([i for block in made[place] for i in block], ends, strict=True):
                    after[left[i]] = state
                    arrived.append(i)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error) or shape == (1, 1) or jax.default_backend() == "cpu":
                raise
            shapes[program] = block_layout.halve_shape(shape)
            now, wanted = math.prod(shapes[program]), math.prod(shape)
            timing.OUT_OF_MEMORY_RETRIES.append(now)
            log.warning("a device's memory is too small for %d lanes at once; now %d", wanted, now)
        left = [lane for i, lane in enumerate(left) if i not in set(arrived)]
    return after


def has_work_left(program: Program, state: LaneState, target_epoch: int) -> bool:
    """Whether a lane has some way to go to epoch `target_epoch`."""
    return bool(fit.is_training(program, state)) and int(state.step) < target_epoch * program.steps_per_epoch


def _choose_shape(
    program: Program, clocks: Sequence[Hashable], lanes: Sequence[LaneJob], data: Data, width: int | None
) -> BlockShape:
    """Choose what a device does in one call, once for a program: a lane has the same bits in whatever company."""
    if jax.default_backend() == "cpu":
        bytes_of_lane = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(lanes[0][0]))
        return BlockShape(1, LANES_PER_BLOCK if bytes_of_lane <= LARGE_LANE_BYTES else 1)
    if program not in shapes:
        wide = block_layout.shape_for_width(clocks, width, jax.device_count()) if width else None
        shapes[program] = wide or _calibrate_shape(program, clocks, lanes, data)
    return shapes[program]


def _calibrate_shape(program: Program, clocks: Sequence[Hashable], lanes: Sequence[LaneJob], data: Data) -> BlockShape:
    """The narrowest shape that trains about as many lanes a second as any wider one, from all lanes at once downwards.

    The narrower, the less is lost where few lanes are left. Most of what it takes is one more compilation.
    """
    devices = jax.device_count()
    width = block_layout.next_power_of_two(math.ceil(len(clocks) / devices))
    chosen, fastest = block_layout.shape_for_width(clocks, width, devices), 0.0
    while width >= 1:
        shape = block_layout.shape_for_width(clocks, width, devices)
        try:
            number, seconds = _time_call(program, shape, clocks, lanes, data)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error) or width == 1:
                raise
            width //= 2
            continue
        if number / seconds < MIN_RELATIVE_SPEED * fastest:
            break
        chosen, fastest = shape, max(fastest, number / seconds)
        width //= WIDTH_DIVISOR
    return chosen


def _time_call(
    program: Program, shape: BlockShape, clocks: Sequence[Hashable], lanes: Sequence[LaneJob], data: Data
) -> tuple[int, float]:
    """How many lanes go in a call, and the seconds that it takes to the next validation."""
    first = block_layout.plan_calls(clocks, shape, jax.device_count())[0]
    one_period = [
        (state, hyper, int(state.step) // program.steps_per_epoch + program.validate_every) for state, hyper, _ in lanes
    ]
    call = [[one_period[i] for i in block] for block in first]
    _run_call(program, shape, call, data)
    began = time.perf_counter()
    _run_call(program, shape, call, data)
    return sum(map(len, first)), time.perf_counter() - began


def is_out_of_memory(error: Exception) -> bool:
    """Whether a device, or the machine itself, had too little memory."""
    return "RESOURCE_EXHAUSTED" in str(error)


def _run_calls(
    program: Program, shape: BlockShape, sent: Sequence[Call], data: Data, workers: Workers | None
) -> Iterator[tuple[int, list[LaneState]]]:
    """The states after each call, with its place among them, as they come back."""
    if workers is None:
        for place, call in enumerate(sent):
            yield place, _run_call(program, shape, call, data)
        return
    # compiled here, once: the workers find it in the compilation cache
    _compile_program(program, _build_arguments(shape, sent[0], data))
    futures = {workers.submit(_run_call, program, shape, call): place for place, call in enumerate(sent)}
    for future in as_completed(futures):
        yield futures[future], future.result()


def _run_call(program: Program, shape: BlockShape, call: Call, data: Data) -> list[LaneState]:
    """One call of the program; the lanes' states afterwards, in order."""
    arguments = _build_arguments(shape, call, data)
    after = jax.device_get(_compile_program(program, arguments)(*arguments))
    return unstack_tree(jax.tree.map(lambda leaf: leaf[arguments[-1] > 0], after))


def _build_arguments(shape: BlockShape, call: Call, data: Data) -> tuple[LaneState, Hyper, Data, NDArray[np.int32]]:
    """What the program is called with; what is missing of blocks and lanes are lanes to epoch 0, which are off."""
    size = jax.device_count() * shape.blocks, shape.lanes
    filled = [[*block, *[(*block[0][:2], 0)] * (shape.lanes - len(block))] for block in call]
    slots = [*filled, *[[(*filled[0][0][:2], 0)] * shape.lanes] * (size[0] - len(call))]
    flat = [lane for block in slots for lane in block]
    states, hypers = jax.tree.map(
        lambda leaf: leaf.reshape(*size, *leaf.shape[1:]), stack_trees([(state, hyper) for state, hyper, _ in flat])
    )
    return states, hypers, data, np.array([until for *_, until in flat], np.int32).reshape(size)


def stack_trees(trees: Sequence[Any]) -> Any:
    """Trees of one shape as one tree with a leading axis of lanes."""
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *trees)


def unstack_tree(tree: Any) -> list[Any]:
    """The inverse of `stack`."""
    lanes = len(jax.tree.leaves(tree)[0])
    return [jax.tree.map(lambda leaf, i=i: np.asarray(leaf)[i], tree) for i in range(lanes)]


@cache
def _compile_init(program: Program) -> Callable[[Array, Array], LaneState]:
    return jax.jit(partial(fit.init_state, program))


def _compile_program(program: Program, arguments: tuple[LaneState, Hyper, Data, NDArray[np.int32]]) -> CompiledProgram:
    """The compiled function of a program for arguments of these shapes."""
    shapes = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), arguments)
    key = program, (jax.tree.structure(shapes), tuple(jax.tree.leaves(shapes)))
    if key not in _compiled:
        lanes, whole = PartitionSpec("lanes"), PartitionSpec()  # type: ignore[no-untyped-call]
        began = time.perf_counter()
        sharded = jax.shard_map(
            partial(_advance_blocks, program),
            mesh=device_mesh(),
            in_specs=(lanes, lanes, whole, lanes),
            out_specs=lanes,
            check_vma=False,
        )
        _compiled[key] = jax.jit(sharded).lower(*arguments).compile()
        timing.COMPILE_SECONDS.append(time.perf_counter() - began)
    return _compiled[key]


def _advance_blocks(program: Program, states: LaneState, hypers: Hyper, data: Data, until: Array) -> LaneState:
    """What one device does in a call: its blocks [blocks, lanes]."""
    cpu = jax.default_backend() == "cpu"

    def block(one: tuple[LaneState, Hyper, Array]) -> LaneState:
        states, hypers, until = one
        return fit.advance_block(program, map_sequential if cpu else map_vmapped, hypers, states, data, until)

    all_blocks = states, hypers, until
    if not cpu:
        return jax.vmap(block)(all_blocks)
    # a CPU's call has one block: no loop is to be compiled
    only: LaneState = jax.tree.map(lambda leaf: leaf[None], block(jax.tree.map(lambda leaf: leaf[0], all_blocks)))
    return only
