"""get --watch as a person has it: a real process on a real mesh."""

import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dragonfly.broker import Broker
from dragonfly.testing import Mesh
from tests.mesh.program import DRAGONFLY, STAMP, Program, dragonfly, environment
from tests.waiting import wait_until

CONFIG = """\
name: my_store
endpoints:
  - {name: peaches, module: kv_store_key, initial_value: 0.75}
"""


def line(value: object) -> str:
    return rf"{STAMP} peaches\(ret:0\): {{'value_raw': '{value}'}}\n"


def test_each_change_is_a_line_and_ctrl_c_is_success(mesh: Mesh) -> None:
    mesh.serve(CONFIG)
    with Program(mesh.address, "get", "peaches", "--watch", "0.02") as watch:
        watch.wait_for("stdout", line(0.75))
        for value in (1, 2):
            mesh.client.set("peaches", value)
            watch.wait_for("stdout", line(value))
        done = watch.end(signal.SIGINT)
    assert (done.status, done.stderr) == (0, "")
    assert re.fullmatch("".join(line(value) for value in (0.75, 1, 2)), done.stdout)


def test_json_lines_have_the_time_of_the_reply(mesh: Mesh) -> None:
    mesh.serve(CONFIG)
    with Program(mesh.address, "get", "peaches", "--watch", "0.02", "--json") as watch:
        watch.wait_for("stdout", r'^{"target": "peaches".*"timestamp": "[^"]+Z"}\n')
        assert watch.end(signal.SIGTERM).status == 0


def test_an_unknown_target_is_a_line_too(broker: Any) -> None:
    with Program(broker.address, "get", "plums", "--watch", "0.05") as watch:
        watch.wait_for("stdout", rf"{STAMP} plums\(ret:102\): ")
        assert watch.end().status == 0


def test_it_survives_a_broker_that_goes_and_comes_back(tmp_path: Path) -> None:
    with Broker() as first:
        port = int(first.address.rpartition(":")[2])
        with Mesh(first.address) as mesh:
            mesh.serve(CONFIG)
            with Program(first.address, "get", "peaches", "--watch", "0.05", "--timeout", "0.5") as watch:
                watch.wait_for("stdout", line(0.75))
                first.stop()
                watch.wait_for("stderr", "it goes on when the broker is back")
                with Broker(port=port):
                    assert wait_until(lambda: mesh.client.set("peaches", 5, timeout=5.0).retcode == 0, timeout=20.0)
                    watch.wait_for("stdout", line(5), timeout=20.0)
                    done = watch.end()
    assert done.status == 0
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "status"), [(["get", "broadcast", "--watch", "1"], 2), (["get", "peaches", "--watch", "0"], 2)]
)
def test_what_cannot_be_watched_is_refused(words: list[str], status: int, unused_address: str) -> None:
    assert dragonfly(unused_address, *words).status == status


def test_without_a_broker_it_fails_as_any_get(unused_address: str) -> None:
    done = dragonfly(unused_address, "get", "peaches", "--watch", "1")
    assert (done.status, done.stdout, len(done.stderr.splitlines())) == (3, "", 1)


def test_a_closed_pipe_ends_it_quietly(mesh: Mesh) -> None:
    mesh.serve(CONFIG)
    program = " ".join([*DRAGONFLY, "get", "peaches", "--watch", "0.02"])
    shell = ["bash", "-c", f"{program} | head -1; echo ${{PIPESTATUS[0]}}"]
    reader = subprocess.Popen(
        shell, env=environment(mesh.address), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert re.fullmatch(line(0.75), reader.stdout.readline())
    for value in range(1, 4):  # the second line that it writes finds the pipe closed
        mesh.client.set("peaches", value)
    out, err = reader.communicate(timeout=20)
    assert (out, err) == ("0\n", "")
