"""End a command quietly at Ctrl-C, and write to any terminal."""

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from io import TextIOWrapper
from typing import NoReturn

GRACE_SECONDS = 3.0
"""How long an interrupted command may clean up. All that is finished is on disk already."""
EXIT_CODE = 130
"""128 + SIGINT, as shells have it."""
MESSAGE = "stopped; run the same command again to continue"

_interrupted, _said = threading.Event(), threading.Lock()


def end_quietly() -> None:
    """End this process at the latest `GRACE_SECONDS` after Ctrl-C, with `EXIT_CODE` and `MESSAGE`.

    Python raises KeyboardInterrupt in the main thread. That may come late, while XLA compiles, or be swallowed in a
    library's callback. So a thread waits for the signal, too.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_wait_for_interrupt, args=(receiver, sender), daemon=True).start()
    sys.unraisablehook = _hide_interrupt


def exit_at_interrupt() -> None:
    """Exit at once at a later Ctrl-C: the command is over, and only libraries clean up."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(EXIT_CODE))


def exit_quietly() -> NoReturn:
    """Exit now. Python would end itself by the signal if a library has printed the interrupt, which gives no 130."""
    say_stopped()
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(EXIT_CODE)


def is_interrupted() -> bool:
    """Return whether Ctrl-C was pressed."""
    return _interrupted.is_set()


def _wait_for_interrupt(receiver: socket.socket, _sender: socket.socket) -> None:
    while signal.SIGINT not in receiver.recv(64):
        pass
    _interrupted.set()
    say_stopped()
    time.sleep(GRACE_SECONDS)
    os._exit(EXIT_CODE)


def say_stopped() -> None:
    """Tell the user once that the command was interrupted, and how to go on."""
    if _said.acquire(blocking=False):
        print(f"\n{MESSAGE}", file=sys.stderr, flush=True)


def _hide_interrupt(unraisable: "sys.UnraisableHookArgs") -> None:
    """Report an exception that nothing can catch, unless it is an interrupt."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)


def write_any_character() -> None:
    """Let output in another encoding than UTF-8 show an escape where it lacks a character."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Send output that cannot be written nowhere: its reader has gone (`thalweg check | head -1`), the disk is full."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None where the shell closed it
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
