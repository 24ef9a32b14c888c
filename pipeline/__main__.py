"""The `thalweg` command; `python -m thalweg` has the code of the folder that it runs in."""

import sys


def main() -> int:
    """Run the command of this process. Nothing slow is imported before an interrupt ends it quietly."""
    from thalweg.system import interrupts

    try:
        interrupts.end_quietly()
        interrupts.write_any_character()
        from thalweg import cli

        code = cli.main()
        if sys.stdout is not None:  # the shell may close it
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        interrupts.say_stopped()
        return interrupts.EXIT_CODE
    except BrokenPipeError:
        interrupts.drop_output()
        return 1
    except OSError as error:  # of the output, or of a library; our own files give a UserError
        interrupts.drop_output()
        print(f"{error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except Exception:
        if interrupts.is_interrupted():  # a library made another error of the interrupt
            return interrupts.EXIT_CODE
        raise
    finally:
        interrupts.exit_at_interrupt()


if __name__ == "__main__":
    sys.exit(main())
