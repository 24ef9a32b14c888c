"""The `thalweg` command; `python -m thalweg` has the code of the folder that it runs in."""

import errno
import gc
import sys

OUTPUT_ERRORS = (errno.ENOSPC, errno.EIO, errno.EBADF)
"""Errors of the system at writing to the terminal, or to a file in its place."""
COLLECT_EVERY = 50_000
"""Objects between two searches for garbage in circles. With Python's 700, imports and traces take a sixth longer."""


def main() -> int:
    """Run the command of this process. Nothing slow is imported before an interrupt ends it quietly."""
    from thalweg.system import interrupts

    gc.set_threshold(COLLECT_EVERY)
    interrupts.exit_at_interrupt()
    interrupts.write_any_character()
    try:
        from thalweg import cli

        try:
            code = cli.main()
        finally:  # help exits, too
            if sys.stdout is not None:  # the shell may close it
                sys.stdout.flush()
    except BrokenPipeError:
        interrupts.drop_output()
        return 1
    except OSError as error:  # of the output, or of a library; our own files give a UserError
        interrupts.drop_output()
        source = error.filename or ("output" if error.errno in OUTPUT_ERRORS else type(error).__name__)
        print(f"{source}: {error.strerror or error}", file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
