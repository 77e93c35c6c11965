"""The verb that prints what makes a shell complete our command lines: completion."""

from __future__ import annotations

import argparse

from dragonfly.subcommands import PROGRAM

_SHELLS = ("bash", "zsh")
_FILES = {"bash": "~/.bashrc", "zsh": "~/.zshrc, below compinit"}


class Completion:
    """Print the lines for the file that a shell reads when it starts."""

    example = "dragonfly completion bash >> ~/.bashrc"

    def update_parser(self, parser: argparse.ArgumentParser, more_options: argparse._ArgumentGroup) -> None:
        """Declare what the verb understands."""
        parser.add_argument("shell", choices=_SHELLS, metavar="SHELL", help="bash or zsh")

    def __call__(self, args: argparse.Namespace) -> int:
        """Print the lines, and return the exit status."""
        from argcomplete.shell_integration import shellcode

        # Without `-o default`: where nothing fits, a shell would offer files in the place of endpoints.
        code = shellcode([PROGRAM], shell=args.shell, complete_arguments=["-o", "nospace"])
        print(f"# {PROGRAM} at TAB; these lines belong into {_FILES[args.shell]}")  # noqa: T201
        print(code.removeprefix(f"#compdef {PROGRAM}\n").strip())  # noqa: T201
        return 0
