"""The parser of the command line: one layout of the help on every Python, and options may stand anywhere.

argparse has changed its headings, its metavars and its colours between Python 3.9 and 3.14. What people see
here is the layout of the tutorial, so the few methods that differ are written out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from typing import Any

from dragonfly.core.near_miss import did_you_mean

_COLUMNS = 80


class _EndOfOptions(str):
    """The `--` that stands before all positional words; one that is among them is a value."""


class HelpFormatter(argparse.HelpFormatter):
    """Lay out the help as the tutorial shows it: at most 80 columns, no colours, no defaults."""

    def __init__(self, prog: str, **layout: Any) -> None:
        layout.setdefault("width", min(_COLUMNS, _terminal_columns()) - 2)
        super().__init__(prog, **layout)

    def _set_color(self, *_ignored: Any, **_also_ignored: Any) -> None:
        # Python 3.14 and newer: whatever the parser asks for, plain text.
        parent = getattr(super(), "_set_color", None)
        if parent is not None:
            parent(False)

    def _format_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], groups: Any, prefix: str | None
    ) -> str:
        shown = [action for action in actions if not getattr(action, "unlisted", False)]
        options = [self._usage_part(action) for action in shown if action.option_strings]
        positionals = [self._usage_part(action) for action in shown if not action.option_strings]
        lead = f"usage: {self._prog}"
        if len(" ".join([lead, *options, *positionals])) <= self._width:
            lines = [" ".join([lead, *options, *positionals])]
        else:
            indent = " " * len(lead)
            lines = [*self._filled(lead, options), *self._filled(indent, positionals)]
        return "\n".join(lines) + "\n\n"

    def _filled(self, first: str, parts: list[str]) -> list[str]:
        lines = [first]
        for part in parts:
            if len(lines[-1]) + 1 + len(part) > self._width and lines[-1].strip():
                lines.append(" " * len(first))
            lines[-1] += f" {part}"
        return [line for line in lines if line.strip()]

    def _usage_part(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return self._format_args(action, self._get_default_metavar_for_positional(action))
        name = action.option_strings[0]
        if action.nargs == 0:
            return f"[{name}]"
        return f"[{name} {self._format_args(action, self._get_default_metavar_for_optional(action))}]"

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return super()._format_action_invocation(action)
        if action.nargs == 0:
            return ", ".join(action.option_strings)
        words = self._format_args(action, self._get_default_metavar_for_optional(action))
        return ", ".join(f"{name} {words}" for name in action.option_strings)

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        if action.nargs != argparse.ZERO_OR_MORE:
            return super()._format_args(action, default_metavar)
        (name,) = self._metavar_formatter(action, default_metavar)(1)
        return f"[{name} [{name} ...]]"


def _terminal_columns() -> int:
    if os.environ.get("COLUMNS", "").isdigit():
        return max(int(os.environ["COLUMNS"]), 40)
    try:
        return max(os.get_terminal_size(1).columns, 40)
    except OSError:  # stdout is no terminal, or closed
        return _COLUMNS


class CommandParser(argparse.ArgumentParser):
    """Parse the words after `dragonfly` or after a verb.

    `more_options` is the group for what the tutorial does not have: it comes last, and not in the usage line. After it,
    the help ends with `example`, a command that works.
    """

    def __init__(self, prog: str, **kwargs: Any) -> None:
        super().__init__(prog=prog, formatter_class=HelpFormatter, allow_abbrev=False, **kwargs)
        self._optionals.title = "optional arguments"
        self.more_options = self.add_argument_group("more options")
        self.example = ""
        self._hint = ""

    def list_in_group(self, title: str, entries: dict[str, str]) -> None:
        """Show names with a sentence each in a group of the help's own; argparse itself has but one of subcommands."""
        group = self.add_argument_group(title)
        for name, sentence in entries.items():
            group._group_actions.append(argparse.Action([], dest=name, nargs=0, metavar=name, help=sentence))

    def parse(self, words: list[str]) -> argparse.Namespace:
        """Return what the words mean; options may stand before, between and after the others.

        Raises:
            SystemExit: the help or the version has been printed, or what is wrong with the words.
        """
        options, positionals = self._sort_out(list(words))
        if positionals and not any(not action.option_strings for action in self._actions):
            self.error(f"there is no argument {positionals[0]!r}; this verb has options only (a file is named with -c)")
        return self.parse_args([*options, _EndOfOptions("--"), *positionals] if positionals else options)

    def without(self, words: list[str], option: str) -> list[str]:
        """Return words without an option, in whatever form it stands there, and without what it takes.

        Args:
            words: what `parse` understands.
            option: one of the names of the option, such as `-t`.
        """
        action = self._option_string_actions[option]
        _, positionals = self._sort_out(list(words))
        left = list(words)
        kept: list[str] = []
        options: list[str] = []
        while left and left[0] != "--":
            word = left.pop(0)
            if not _looks_like_option(word):
                kept.append(word)
                continue
            taken = _words_for(self._action_that_takes_more(word), left)
            rest = self._cut(word, action)
            part = [word, *taken] if rest == word else [rest] if rest else []
            kept += part
            options += part
        # Of `-b -t NAME peaches`, -b must not take what -t kept it from.
        is_same = self._sort_out([*kept, *left])[1] == positionals
        return [*kept, *left] if is_same else [*options, "--", *positionals]

    def format_usage(self) -> str:
        """Return the usage line alone."""
        self._mark_unlisted()
        return super().format_usage()

    def format_help(self) -> str:
        """Return the whole help."""
        self._mark_unlisted()
        example = f"\nexample:\n  {self.example}\n" if self.example else ""
        return super().format_help() + example

    def error(self, message: str) -> Any:
        """Print the usage and what is wrong, and leave with status 2, as argparse wants it."""
        self.complain(message)
        self.exit(2)

    def complain(self, message: str) -> None:
        """Print the usage and what is wrong."""
        self.print_usage(sys.stderr)
        self._print_message(f"{self.prog}: error: {message}{self._hint}\n", sys.stderr)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Return what the words of an argument mean."""
        words = [word for word in arg_strings if not isinstance(word, _EndOfOptions)]
        if "--" not in words:
            return super()._get_values(action, words)
        # argparse would take the first away, which of Python's releases from which argument differs.
        values = [self._get_value(action, word) for word in words]
        for value in values:
            self._check_value(action, value)
        return values if action.nargs == argparse.ZERO_OR_MORE else values[0]

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse is content with a help that was never written; what nobody can read on stderr is lost, though.
        stream = sys.stderr if file is None else file
        try:
            stream.write(message)
        except OSError:
            if stream is not sys.stderr:
                raise

    def _mark_unlisted(self) -> None:
        for action in self.more_options._group_actions:
            action.unlisted = True  # type: ignore[attr-defined]

    def _sort_out(self, words: list[str]) -> tuple[list[str], list[str]]:
        options: list[str] = []
        positionals: list[str] = []
        optional_words: list[tuple[str, str]] = []
        while words:
            word = words.pop(0)
            if word == "--":
                positionals += words
                break
            if not _looks_like_option(word):
                positionals.append(word)
                continue
            options.append(word)
            action = self._action_that_takes_more(word)
            taken = _words_for(action, words)
            if taken and action is not None and action.nargs == argparse.OPTIONAL:
                optional_words.append((word, taken[0]))
            options += taken
        self._explain_swallowed(optional_words, positionals)
        return options, positionals

    def _explain_swallowed(self, optional_words: list[tuple[str, str]], positionals: list[str]) -> None:
        """Remember the hint for `get -b peaches`, in which the broker's option takes the target."""
        required = [action for action in self._actions if action.required and not action.option_strings]
        if optional_words and len(positionals) < len(required):
            option, word = optional_words[0]
            name = required[0].dest
            self._hint = (
                f"; {option} took {word!r}, the word after it: write the {name} first and {option} last, "
                f"or give {option} a word of its own"
            )

    def _action_that_takes_more(self, word: str) -> argparse.Action | None:
        """Return the option that may take the words after this one; None where it takes no word more."""
        known = self._option_string_actions
        if word in known:
            return None if known[word].nargs == 0 else known[word]
        if word.startswith("--"):
            name, glued, _ = word.partition("=")
            if not (glued and name in known):
                self._unknown_option(name)
            return None
        for position, letter in enumerate(word[1:], start=1):
            action = known.get(f"-{letter}")
            if action is None:
                self._unknown_option(word)
            elif action.nargs != 0:
                return action if position == len(word) - 1 else None
        return None

    def _cut(self, word: str, action: argparse.Action) -> str:
        """Return a word of options without one of them, which is the last in it; nothing where it was alone."""
        known = self._option_string_actions
        if word in known or word.startswith("--"):
            return "" if known[word.partition("=")[0]] is action else word
        for position, letter in enumerate(word[1:], start=1):
            if known[f"-{letter}"] is action:
                return word[:position] if position > 1 else ""
            if known[f"-{letter}"].nargs != 0:
                break
        return word

    def _unknown_option(self, word: str) -> None:
        otherwise = "a value that begins with '-' goes after '--'"
        self.error(f"there is no option {word}{did_you_mean(word, self._option_string_actions, otherwise)}")


def _looks_like_option(word: str) -> bool:
    """Tell an option from a value: negative numbers and a lone '-' are values."""
    if len(word) < 2 or not word.startswith("-"):
        return False
    return not (word[1].isdigit() or word[1] == "." or word.lower() in ("-inf", "-infinity", "-nan"))


def _words_for(action: argparse.Action | None, words: list[str]) -> list[str]:
    """Take from `words` what belongs to an option."""
    if action is None:
        return []
    limit = len(words) if action.nargs == argparse.ZERO_OR_MORE else 1
    taken: list[str] = []
    while words and len(taken) < limit and words[0] != "--" and not _looks_like_option(words[0]):
        taken.append(words.pop(0))
    return taken
