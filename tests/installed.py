"""Programs that some tests need: without them a person's tests are skipped, and those of a CI fail that says so."""

import os
import shutil

import pytest


def require(program: str) -> None:
    """Skip the test where a program is not installed; fail it where DRAGONFLY_REQUIRE_<PROGRAM> is 1."""
    if shutil.which(program) is not None:
        return
    variable = f"DRAGONFLY_REQUIRE_{program.upper()}"
    if os.environ.get(variable) == "1":
        pytest.fail(f"{program} is not installed, and {variable}=1", pytrace=False)
    pytest.skip(f"{program} is not installed")
