"""Whatever a config file holds, it is loaded, or all that is wrong with it is told, in a moment."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from dragonfly.loader import ConfigError, load, read_broker
from tests.fuzzing.configs import CONFIGS
from tests.fuzzing.part import part

MOMENT = 20.0  # s; a busy machine may take long for what takes 2 s


@part(CONFIGS, count=200)
def test_any_file_is_loaded_or_all_its_problems_are_told(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "service.yaml")
        file.write_bytes(data)
        began = time.monotonic()
        try:
            loaded = load(file)
            loaded.build_endpoints(loaded.build_service())
        except ConfigError as err:
            lines = len(data.decode("utf-8", "replace").splitlines()) + 2
            assert err.problems and str(err)
            assert all(problem.text and "\n" not in str(problem) for problem in err.problems)
            assert all(problem.line is None or 1 <= problem.line <= lines for problem in err.problems)
        try:
            read_broker(file)
        except ConfigError as err:
            assert err.problems
        assert time.monotonic() - began < MOMENT
