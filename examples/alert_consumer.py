"""An alert consumer of one's own: it writes sensor values into a file of SQLite, each once."""

import sqlite3
from typing import Any

from dragonfly.core import AlertConsumer
from dragonfly.core.exceptions import DriplineBusyError, DriplineValueError, ServiceStartError

# An alert may come a second time; it has the same message_id then, and UNIQUE keeps it single. (One that the original
# dragonfly sent has no message_id: each such is stored.)
TABLE = """
CREATE TABLE IF NOT EXISTS sensor_values (
    message_id TEXT UNIQUE, timestamp TEXT, endpoint TEXT, value_raw, value_cal
)"""


class SensorTable(AlertConsumer):
    """Sensor values in an SQLite table.

    Further Keyword Args:
        file (str): the file of the table, which is made where there is none
    """

    def __init__(self, file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._file = file
        self._database: Any = None

    def start(self) -> None:
        """Open the file, then listen."""
        try:
            # start, this_consume and stop run on different threads, but never two of them at the same time.
            self._database = sqlite3.connect(self._file, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")  # others can read while we write
            self._database.execute(TABLE)
        except sqlite3.Error as err:
            raise ServiceStartError(f"{self.name} cannot use the file {self._file}: {err}") from err
        super().start()

    def stop(self) -> None:
        """Listen no more, then close the file."""
        super().stop()
        if self._database is not None:
            self._database.close()

    def this_consume(self, message: Any, method: Any) -> None:
        """Store one sensor value; when this has returned, the alert is acknowledged."""
        endpoint = method.routing_key.partition(".")[2]
        values = message.payload
        if not isinstance(values, dict) or "value_raw" not in values:
            raise DriplineValueError(f"{endpoint}: a sensor value has a value_raw, {values!r:.80} has none")
        row = (method.message_id, message.timestamp, endpoint, values["value_raw"], values.get("value_cal"))
        try:
            with self._database:  # a transaction: stored as a whole, or not at all
                self._database.execute("INSERT OR IGNORE INTO sensor_values VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.OperationalError as err:
            # The disk is full, or the file is locked: the same alert comes again after a while.
            raise DriplineBusyError(f"{self._file}: {err}") from err
