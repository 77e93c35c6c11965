"""`python -m dragonfly` is `dragonfly`, and both begin here."""
# By this line argcomplete's completion for all Python programs knows that it may ask us: PYTHON_ARGCOMPLETE_OK

import os


def entry() -> None:
    """Run the command line of this process, and leave with its status."""
    try:
        from dragonfly import early_interrupt

        early_interrupt.leave_quietly()
    except KeyboardInterrupt:
        os._exit(130)

    from dragonfly.cli import entry as run  # it takes a tenth of a second: time enough for a Ctrl-C

    run()


if __name__ == "__main__":
    entry()
