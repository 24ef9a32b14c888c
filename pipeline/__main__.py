"""The `thalweg` command; `python -m thalweg` has the code of the folder that it runs in."""

import sys


def main() -> int:
    """Run the command of this process. Nothing slow is imported before an interrupt ends it quietly."""
    from thalweg.system import interrupts

    try:
        interrupts.end_quietly()
        interrupts.write_any_character()
        from thalweg import cli

        return cli.main()
    except KeyboardInterrupt:
        interrupts.say_stopped()
        return interrupts.EXIT_CODE
    except BrokenPipeError:
        interrupts.drop_output()
        return 1
    except Exception:
        if interrupts.is_interrupted():  # a library made another error of the interrupt
            return interrupts.EXIT_CODE
        raise
    finally:
        interrupts.exit_at_interrupt()


if __name__ == "__main__":
    sys.exit(main())
