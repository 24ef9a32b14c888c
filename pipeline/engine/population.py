"""Many lanes through one compiled program, spread over the devices.

Lanes with the same seed, fold and step make a block. A call of the program advances `BlockShape.blocks` blocks of
`BlockShape.lanes` lanes on every device; inactive lanes fill the empty slots. A call changes none of its inputs, so a
failed call can be repeated. Between calls lanes lie on the host, as trees of NumPy arrays, or stay mostly on the device
(`thalweg.engine.resident`).
"""

import logging
import math
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import NamedSharding, PartitionSpec
from numpy.typing import NDArray

from thalweg.engine import block_layout, fit
from thalweg.engine.block_layout import BlockShape
from thalweg.engine.devices import device_mesh
from thalweg.engine.fit import LaneState
from thalweg.engine.lane_map import map_sequential, map_vmapped
from thalweg.engine.launchers import Workers
from thalweg.engine.program import Data, Hyper, Program
from thalweg.engine.resident import Slot, count_bytes, find_kept_lanes, has_room, keep_lanes
from thalweg.system import timing

LANES_PER_BLOCK = 8  # on a CPU, where inactive lanes cost only their memory
LARGE_LANE_BYTES = 16 * 2**20  # a larger lane is a CPU's whole block
MIN_RELATIVE_SPEED = 0.9  # calibration: a narrower shape must reach this share of the best throughput
WIDTH_DIVISOR = 4  # calibration: how much narrower the next width is
MAX_PROGRAMS = 32  # kept compiled; each takes 500 memory maps and more of a process's 65,530; beyond them XLA crashes

LaneJob = tuple[LaneState, Hyper, int]
"""One lane's work in a call: its state, its numbers, and its target epoch."""
Call = Sequence[Sequence[LaneJob]]
"""Blocks of lanes that train at once."""

log = logging.getLogger(__name__)

QUICK_OPTIONS: dict[str, str | bool] = {"xla_backend_optimization_level": "0", "xla_cpu_use_fusion_emitters": False}
"""Options of XLA for a program that runs for a moment: on a CPU it is compiled in a quarter of the time."""

CompiledProgram = Callable[[LaneState, Hyper, Data, NDArray[np.int32]], LaneState]
_compiled: dict[Hashable, CompiledProgram] = {}
"""Compiled programs, the latest used last."""
shapes: dict[Program, BlockShape] = {}
"""The shape of an accelerator's calls, by program, once it is chosen."""


def init_lane(program: Program, hyper: Hyper, seed: int, fold: int) -> LaneState:
    """Make a lane before its first step, on the host, with the numbers of its trial."""
    state = _draw_lane(program, seed, fold)
    learner = program.scale_learner(hyper, state.learner)
    return replace(state, learner=learner, best_weights=program.select_weights(learner))


@lru_cache(maxsize=64)
def _draw_lane(program: Program, seed: int, fold: int) -> LaneState:
    """Draw a lane's start from its seed alone; cached, because paired trials share it."""
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
    resident: bool = False,
) -> list[LaneState]:
    """Advance each lane to its target epoch, or until it stops by itself. Returns the states in order, on the host.

    On an accelerator `width` lanes train at once (None: calibrate). If its memory is too small, half as many train from
    then on, and nothing is lost. With `workers` their processes do the work. With `resident`, and without workers, the
    lanes' weights stay on the device if there is room.
    """
    after = list(states)
    waiting = [lane for lane, state in enumerate(states) if has_work_left(program, state, target_epochs[lane])]
    while waiting:
        clocks = [(int(states[i].seed), int(states[i].fold), int(states[i].step)) for i in waiting]
        lanes = [(states[i], hypers[i], target_epochs[i]) for i in waiting]
        shape = _choose_shape(program, clocks, lanes, data, width, workers)
        devices, processes = (workers.devices, workers.count_processes()) if workers else (jax.device_count(), 1)
        calls = block_layout.plan_calls(clocks, shape, devices, processes)
        jobs = [[[lanes[i] for i in block] for block in call] for call in calls]
        arrived: list[int] = []
        try:
            stays = resident and has_room(len(calls) * math.prod(shape), lanes[0][0])
            for index, finished in _run_calls(program, shape, jobs, data, workers, stays):
                for i, state in zip([i for block in calls[index] for i in block], finished, strict=True):
                    after[waiting[i]] = state
                    arrived.append(i)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error) or shape == (1, 1) or jax.default_backend() == "cpu":
                raise
            shapes[program] = block_layout.halve_shape(shape)
            new_count, old_count = math.prod(shapes[program]), math.prod(shape)
            timing.OUT_OF_MEMORY_RETRIES.append(new_count)
            log.warning("a device's memory is too small for %d lanes at once; now %d", old_count, new_count)
        waiting = [lane for i, lane in enumerate(waiting) if i not in set(arrived)]
    return after


def has_work_left(program: Program, state: LaneState, target_epoch: int) -> bool:
    """Say whether a lane still trains and is short of epoch `target_epoch`."""
    return bool(fit.is_training(program, state)) and int(state.step) < target_epoch * program.steps_per_epoch


def _choose_shape(
    program: Program,
    clocks: Sequence[Hashable],
    lanes: Sequence[LaneJob],
    data: Data,
    width: int | None,
    workers: Workers | None = None,
) -> BlockShape:
    """Choose the shape of a device's calls, once for a program, so that a lane's bits do not depend on the others."""
    if jax.default_backend() == "cpu":
        return BlockShape(1, LANES_PER_BLOCK if count_bytes(lanes[0][0]) <= LARGE_LANE_BYTES else 1)
    if program not in shapes:
        if width:
            devices = workers.devices if workers else jax.device_count()
            shapes[program] = block_layout.shape_for_width(clocks, width, devices)
        elif workers:
            shapes[program] = workers.submit(_calibrate_shape, program, clocks, lanes).result()
        else:
            shapes[program] = _calibrate_shape(program, clocks, lanes, data)
    return shapes[program]


def _calibrate_shape(program: Program, clocks: Sequence[Hashable], lanes: Sequence[LaneJob], data: Data) -> BlockShape:
    """Return the narrowest shape whose throughput is within 10 % of the best, trying wide shapes first.

    A narrow shape wastes less when few lanes remain. Most of the cost is one more compilation.
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
    """Measure a call to the next validation: its number of lanes, and its seconds."""
    first = block_layout.plan_calls(clocks, shape, jax.device_count())[0]
    jobs = [
        (state, hyper, int(state.step) // program.steps_per_epoch + program.validate_every) for state, hyper, _ in lanes
    ]
    call = [[jobs[i] for i in block] for block in first]
    _run_call(program, shape, call, data)
    began = time.perf_counter()
    _run_call(program, shape, call, data)
    return sum(map(len, first)), time.perf_counter() - began


def is_out_of_memory(error: Exception) -> bool:
    """Say whether a device, or the machine itself, had too little memory."""
    return "RESOURCE_EXHAUSTED" in str(error)


def _run_calls(
    program: Program, shape: BlockShape, calls: Sequence[Call], data: Data, workers: Workers | None, stays: bool
) -> Iterator[tuple[int, list[LaneState]]]:
    """Yield each call's index and its lanes' states, in the order in which calls finish."""
    if workers is None:
        for index, call in enumerate(calls):
            yield index, _run_call(program, shape, call, data, stays)
        return
    if workers.devices == jax.device_count():  # compile once, here: the workers find it in the compilation cache
        _compile_program(program, _build_arguments(shape, calls[0], data))
    futures = {workers.submit(_run_call, program, shape, call): index for index, call in enumerate(calls)}
    for future in as_completed(futures):
        yield futures[future], future.result()


def _run_call(program: Program, shape: BlockShape, call: Call, data: Data, stays: bool = False) -> list[LaneState]:
    """Call the program once. Returns the lanes' states afterwards, in order, with `stays` mostly on the device."""
    arguments = _build_arguments(shape, call, data)
    after = _compile_program(program, arguments)(*arguments)
    if stays:
        return keep_lanes(after, _list_slots(call))
    return unstack_tree(jax.tree.map(lambda leaf: leaf[arguments[-1] > 0], jax.device_get(after)))


def _build_arguments(shape: BlockShape, call: Call, data: Data) -> tuple[LaneState, Hyper, Data, NDArray[np.int32]]:
    """Stack a call's lanes into the program's arguments; lanes with target epoch 0 (inactive) fill the empty slots."""
    size = jax.device_count() * shape.blocks, shape.lanes
    filled = [[*block, *[(*block[0][:2], 0)] * (shape.lanes - len(block))] for block in call]
    slots = [*filled, *[[(*filled[0][0][:2], 0)] * shape.lanes] * (size[0] - len(call))]
    flat = [lane for block in slots for lane in block]
    placed = list(zip(_list_slots(call), [state for block in call for state, *_ in block], strict=True))
    kept = find_kept_lanes(placed, size)
    if kept is not None:
        flat = [(replace(state, learner=(), best_weights=()), hyper, target) for state, hyper, target in flat]
    states, hypers = jax.tree.map(
        lambda leaf: leaf.reshape(*size, *leaf.shape[1:]), stack_trees([(state, hyper) for state, hyper, _ in flat])
    )
    if kept is not None:
        states = replace(states, learner=kept[0], best_weights=kept[1])
    return states, hypers, data, np.array([target for *_, target in flat], np.int32).reshape(size)


def _list_slots(call: Call) -> list[Slot]:
    """List the slot of each lane of a call, in order."""
    return [(number, place) for number, block in enumerate(call) for place in range(len(block))]


def stack_trees(trees: Sequence[Any]) -> Any:
    """Stack trees of one shape into one tree with a leading axis of lanes."""
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *trees)


def unstack_tree(tree: Any) -> list[Any]:
    """Undo `stack_trees`."""
    lanes = len(jax.tree.leaves(tree)[0])
    return [jax.tree.map(lambda leaf, i=i: np.asarray(leaf)[i], tree) for i in range(lanes)]


@lru_cache(maxsize=MAX_PROGRAMS)
def _compile_init(program: Program) -> Callable[[Array, Array], LaneState]:
    lowered = jax.jit(partial(fit.init_state, program)).lower(jnp.int32(0), jnp.int32(0))
    if jax.default_backend() == "cpu":
        with suppress(jax.errors.JaxRuntimeError):  # a version of XLA without these options
            return lowered.compile(compiler_options=QUICK_OPTIONS)
    return lowered.compile()


def _compile_program(program: Program, arguments: tuple[LaneState, Hyper, Data, NDArray[np.int32]]) -> CompiledProgram:
    """Compile a program for arguments of these shapes, once while it is among the MAX_PROGRAMS latest used."""
    shapes = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), arguments)
    key = program, (jax.tree.structure(shapes), tuple(jax.tree.leaves(shapes)))
    compiled = _compiled.pop(key, None)
    if compiled is None:
        lanes, whole = PartitionSpec("lanes"), PartitionSpec()  # type: ignore[no-untyped-call]
        began = time.perf_counter()
        sharded = jax.shard_map(
            partial(_advance_blocks, program),
            mesh=device_mesh(),
            in_specs=(lanes, lanes, whole, lanes),
            out_specs=lanes,
            check_vma=False,
        )
        by_lane, alike = (NamedSharding(device_mesh(), spec) for spec in (lanes, whole))
        compiled = jax.jit(sharded, in_shardings=(by_lane, by_lane, alike, by_lane)).lower(*arguments).compile()
        timing.COMPILE_SECONDS.append(time.perf_counter() - began)
    _compiled[key] = compiled
    while len(_compiled) > MAX_PROGRAMS:
        del _compiled[next(iter(_compiled))]
    return compiled


def _advance_blocks(program: Program, states: LaneState, hypers: Hyper, data: Data, target_epochs: Array) -> LaneState:
    """Advance one device's blocks [blocks, lanes] in a call."""
    cpu = jax.default_backend() == "cpu"

    def advance_block(inputs: tuple[LaneState, Hyper, Array]) -> LaneState:
        states, hypers, target_epochs = inputs
        return fit.advance_block(program, map_sequential if cpu else map_vmapped, hypers, states, data, target_epochs)

    blocks = states, hypers, target_epochs
    if not cpu:
        return jax.vmap(advance_block)(blocks)
    # a CPU's call has one block: compile no loop
    after: LaneState = jax.tree.map(lambda leaf: leaf[None], advance_block(jax.tree.map(lambda leaf: leaf[0], blocks)))
    return after
