"""An instrument that is not there: it knows what it will be sent, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, ClassVar

from dragonfly.core.provider import Provider

Exchange = tuple[str | Sequence[str], Any]


class ScriptError(AssertionError):
    """What was sent is not what the script says."""


class ScriptedInstrument(Provider):
    """A provider that answers from a script, so that a class can be tested without its instrument.

    The script is a list of exchanges `(sent, reply)`, in their order. `sent` is the command, or the list of commands of
    one `send`. `reply` is what the instrument answers: `None` for nothing, and an exception is raised, as a broken
    cable would have it. Each of these is an error that says which exchange: another command than the script has, one
    more than it has, and, in `done`, one that never came. In a `with` block `done` is called at the end.

    Example:
        with ScriptedInstrument([("TEMP?", "+21.50")]) as instrument:
            oven = OvenTemperature(name="oven_temperature")
            instrument.add_endpoint(oven)
            assert oven.on_get()["value_raw"] == "+21.50"

    Further Keyword Args:
        script (list): the exchanges, each a pair of what is sent and what is answered
    """

    not_for_the_mesh: ClassVar[frozenset[str]] = frozenset({"done"})

    def __init__(self, script: Iterable[Exchange], name: str = "instrument", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._script = [(_commands(sent), reply) for sent, reply in script]
        self._position = 0
        # A service turns what `send` raises into a reply, so a test might never see it: it is kept for `done`.
        self._failure: ScriptError | None = None

    def __enter__(self) -> ScriptedInstrument:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.done()

    def send(self, commands: list[str]) -> Any:
        """Answer as the script says.

        Raises:
            ScriptError: the script has something else here, or has ended.
        """
        if self._position == len(self._script):
            raise self._fail(f"{_shown(commands)} was sent after the end of the script ({self._position} exchanges)")
        expected, reply = self._script[self._position]
        if list(commands) != expected:
            place = f"exchange {self._position + 1} of {len(self._script)}"
            raise self._fail(f"{place}: {_shown(expected)} was expected, {_shown(commands)} was sent")
        self._position += 1
        if isinstance(reply, BaseException) or (isinstance(reply, type) and issubclass(reply, BaseException)):
            raise reply
        return reply

    def done(self) -> None:
        """Check that everything in the script was sent, and nothing else.

        Raises:
            ScriptError: it was not, or `send` had found something wrong before.
        """
        if self._failure is not None:
            raise self._failure
        missing = [_shown(sent) for sent, _ in self._script[self._position :]]
        if missing:
            raise ScriptError(f"{self.name}: never sent were {', '.join(missing)}")

    def _fail(self, text: str) -> ScriptError:
        failure = ScriptError(f"{self.name}: {text}")
        self._failure = self._failure or failure
        return failure


def _commands(sent: str | Sequence[str]) -> list[str]:
    return [sent] if isinstance(sent, str) else list(sent)


def _shown(commands: Sequence[str]) -> str:
    return repr(commands[0]) if len(commands) == 1 else repr(list(commands))
