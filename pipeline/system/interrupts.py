"""End a command quietly at Ctrl-C, and write to any terminal."""

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from io import TextIOWrapper
from typing import NoReturn

EXIT_CODE = 130
"""128 + SIGINT, as shells have it."""
MESSAGE = "stopped; run the same command again to continue"
FLUSH_SECONDS = 1.0
"""How long a reader of the output may keep the process."""


def exit_at_interrupt() -> None:
    """End this process at Ctrl-C, whatever it does, with `EXIT_CODE` and `MESSAGE`.

    A thread does so at once: all that is finished is on disk, and a later run removes what is half done. Python's
    KeyboardInterrupt would come late while XLA compiles, be swallowed in a library's callback, or abort the process
    while a compiled module is imported.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.signal(signal.SIGINT, lambda *_: None)  # a handler of Python's is needed to wake the thread
    signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_wait_for_interrupt, args=(receiver, sender), daemon=True).start()


def _wait_for_interrupt(receiver: socket.socket, _sender: socket.socket) -> NoReturn:
    while signal.SIGINT not in receiver.recv(64):
        pass
    print(f"\n{MESSAGE}", file=sys.stderr, flush=True)
    flush = threading.Thread(target=_flush_output, daemon=True)
    flush.start()
    flush.join(FLUSH_SECONDS)
    os._exit(EXIT_CODE)


def _flush_output() -> None:
    with suppress(OSError, ValueError):
        if sys.stdout is not None:  # the shell may close it
            sys.stdout.flush()


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
