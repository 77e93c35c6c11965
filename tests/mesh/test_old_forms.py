"""The deprecated half of the tutorial, command by command: what it typed, and the lines it printed."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragonfly.testing import RabbitMQNode
from dragonfly.testing.plugin import RunningBroker
from tests.mesh.program import Ended, Program, dragonfly
from tests.waiting import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
OLD_FORM = str(EXAMPLES / "kv_store_old_form.yaml")
PORTAL = [sys.executable, "-c", "from dragonfly.old_programs import portal_entry; portal_entry()"]
AGENT = [sys.executable, "-c", "from dragonfly.old_programs import agent_entry; agent_entry()"]
READY = "starting event loop for node my_store"

AnyBroker = RunningBroker | RabbitMQNode

# Command, what it prints, exit status.
ANSWERS = [
    ("get peaches", "peaches: 0.75", 0),
    ("get waffles", "waffles: 4.0", 0),
    ("get chips", "chips: 1.75", 0),
    ("set chips 1.79", "chips->1.79: complete", 0),
    ("get chips", "chips: 1.79", 0),
    ("cmd peaches ping", "peaches->ping: complete", 0),
    ("get plums", "plums: failed (ret:102)", 1),
]


@pytest.fixture
def old_service(broker: AnyBroker) -> Iterator[Program]:
    """Start the old portal with the file of the old form."""
    words = ["-c", OLD_FORM, "-b", broker.address, "-vvv"]
    with Program(broker.address, *words, program=PORTAL) as program:
        program.wait_for("stderr", READY)
        yield program


def test_the_old_commands_print_the_old_lines(broker: AnyBroker, old_service: Program) -> None:
    for words, line, status in ANSWERS:
        # As the tutorial types it: the option, with a word of its own, before the verb.
        done = dragonfly(broker.address, "-b", broker.address, *words.split(), program=AGENT)
        assert (done.stdout, done.status) == (f"{line}\n", status), words
        assert done.stderr == "", words


def test_options_may_stand_before_and_after(broker: AnyBroker, old_service: Program) -> None:
    before = dragonfly(broker.address, "-vvv", "get", "waffles", program=AGENT)
    assert before.stdout == "waffles: 4.0\n"
    assert "connecting to broker" in before.stderr
    assert "dripline_agent is an old name: dragonfly get replaces it" in before.stderr
    after = dragonfly(broker.address, "get", "waffles", "-b", broker.address, program=AGENT)
    assert (after.stdout, after.stderr) == ("waffles: 4.0\n", "")


def test_the_old_portal_says_what_replaces_it_and_then_what_serve_says(old_service: Program) -> None:
    done = old_service.end(signal.SIGINT)
    texts = [line.partition(" -> ")[2] for line in done.stderr.splitlines() if "] dragonfly." in line]
    beginnings = [
        "open_spimescape_portal is an old name: dragonfly serve replaces it",
        f"{OLD_FORM} has the old form: name and endpoints replace nodename and providers",
        "starting my_store",
        "connecting to broker",
        "creating a <kv_store> with args: ",
        *["creating a <kv_store_key> with args: "] * 3,
        "Configuration of my_store complete, starting consumption",
        READY,
    ]
    order = iter(texts)
    for beginning in beginnings:
        assert any(text.startswith(beginning) for text in order), beginning
    assert done.status == 0


def test_without_v_both_are_silent(broker: AnyBroker) -> None:
    with Program(broker.address, "-c", OLD_FORM, "-b", broker.address, program=PORTAL) as program:
        answers: list[Ended] = []

        def is_answered() -> bool:
            answers.append(dragonfly(broker.address, "-b", broker.address, "get", "peaches", program=AGENT))
            return answers[-1].status == 0

        assert wait_until(is_answered, timeout=20.0)
        assert (answers[-1].stdout, answers[-1].stderr) == ("peaches: 0.75\n", "")
        ended = program.end()
        assert (ended.stdout, ended.stderr, ended.status) == ("", "", 0)


def test_the_portal_runs_todays_file_as_well(broker: AnyBroker) -> None:
    words = ["-c", str(EXAMPLES / "kv_store_tutorial.yaml"), "-b", broker.address, "-vvv"]
    with Program(broker.address, *words, program=PORTAL) as program:
        program.wait_for("stderr", READY)
        done = dragonfly(broker.address, "-b", broker.address, "set", "chips", "1.79", program=AGENT)
        assert (done.stdout, done.stderr) == ("chips->1.79: complete\n", "")
        assert dragonfly(broker.address, "get", "chips").stdout.startswith("chips(ret:0): {'value_cal': 5.37")


def test_without_a_broker_the_agent_says_so(unused_address: str) -> None:
    done = dragonfly(unused_address, "-b", unused_address, "get", "peaches", program=AGENT)
    assert (done.stdout, done.status) == ("", 3)
    assert "unable to connect to broker" in done.stderr
