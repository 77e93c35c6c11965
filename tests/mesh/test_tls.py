"""Encrypted connections to a RabbitMQ whose certificate our own authority signed: who is accepted, and who is not."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from dragonfly.broker import Broker
from dragonfly.core import Interface
from dragonfly.core.exceptions import DriplineAMQPConnectionError, DriplineError
from dragonfly.testing import RabbitMQNode
from dragonfly.testing.plugin import require_rabbitmq
from dragonfly.testing.processes import free_ports
from tests.mesh.certificates import Authority
from tests.mesh.program import Program, dragonfly, serve

TUTORIAL = Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


class Encrypted(NamedTuple):
    """A RabbitMQ that speaks TLS on these two ports, the second for those only who have a certificate."""

    port: int
    cacertfile: Path
    certfile: Path
    keyfile: Path
    other_authority: Path
    plain: str

    def url(self, **parameters: object) -> str:
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"amqps://127.0.0.1:{self.port}/?{query}".rstrip("?")


def settings(certificate: Path, key: Path, authority: Path, port: int, wants_certificate: bool) -> str:
    return f"""listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {authority}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {key}
ssl_options.verify = {"verify_peer" if wants_certificate else "verify_none"}
ssl_options.fail_if_no_peer_cert = {str(wants_certificate).lower()}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("certificates")
    authority, other = Authority(directory, "laboratory"), Authority(directory, "somebody")
    server, server_key = authority.sign("broker", "IP:127.0.0.1")
    client, client_key = authority.sign("client", "DNS:client")
    stranger, stranger_key = other.sign("stranger", "DNS:client")
    expired, expired_key = authority.sign("expired", "IP:127.0.0.1", days=0)
    return {
        "authority": authority.certificate,
        "other": other.certificate,
        "server": server,
        "server_key": server_key,
        "client": client,
        "client_key": client_key,
        "stranger": stranger,
        "stranger_key": stranger_key,
        "expired": expired,
        "expired_key": expired_key,
    }


def encrypted_node(files: dict[str, Path], wants_certificate: bool, server: str = "server") -> Iterator[Encrypted]:
    require_rabbitmq()
    (port,) = free_ports(1)
    certificate, key = files[server], files[f"{server}_key"]
    node = RabbitMQNode(settings(certificate, key, files["authority"], port, wants_certificate))
    node.start()
    yield Encrypted(port, files["authority"], files["client"], files["client_key"], files["other"], node.address)
    node.stop()


@pytest.fixture(scope="module")
def encrypted(files: dict[str, Path]) -> Iterator[Encrypted]:
    yield from encrypted_node(files, wants_certificate=False)


@pytest.fixture(scope="module")
def strict(files: dict[str, Path]) -> Iterator[Encrypted]:
    yield from encrypted_node(files, wants_certificate=True)


@pytest.fixture(scope="module")
def outdated(files: dict[str, Path]) -> Iterator[Encrypted]:
    yield from encrypted_node(files, wants_certificate=False, server="expired")


def answer(url: str) -> str:
    """Return what a get of a name that nobody has says: that it is nobody's is the answer of a mesh."""
    with Interface(url, timeout=10.0, confirm_retcodes=False) as interface:
        return str(interface.get("nobody").payload["values"][0])


def refusal(url: str) -> str:
    with pytest.raises(DriplineAMQPConnectionError) as caught:
        answer(url)
    (line,) = str(caught.value).splitlines()
    return line


def test_a_broker_is_accepted_with_the_authority_that_signed_its_certificate(encrypted: Encrypted) -> None:
    assert answer(encrypted.url(cacertfile=encrypted.cacertfile)) == "message not deliverable"


def test_a_broker_is_not_accepted_without_it(encrypted: Encrypted) -> None:
    for url in (encrypted.url(), encrypted.url(cacertfile=encrypted.other_authority)):
        assert refusal(url).startswith(
            f"unable to connect to broker 127.0.0.1:{encrypted.port}: its certificate is not accepted: "
        )


def test_a_certificate_for_another_name_is_not_accepted(encrypted: Encrypted) -> None:
    text = refusal(encrypted.url(cacertfile=encrypted.cacertfile, server_name_indication="broker.lab"))
    assert "its certificate is not accepted: Hostname mismatch" in text


def test_a_certificate_that_has_expired_is_not_accepted(outdated: Encrypted) -> None:
    text = refusal(outdated.url(cacertfile=outdated.cacertfile))
    assert text.endswith("its certificate is not accepted: certificate has expired")


def test_a_person_may_decide_to_accept_anything(encrypted: Encrypted) -> None:
    assert answer(encrypted.url(verify="verify_none")) == "message not deliverable"


def test_the_two_kinds_of_port_are_told_apart(encrypted: Encrypted) -> None:
    with Broker() as broker:
        assert refusal(f"amqps://{broker.address}").endswith("what answers there does not encrypt")
    assert refusal(f"amqp://127.0.0.1:{encrypted.port}").startswith("unable to connect to broker 127.0.0.1:")


def test_a_client_shows_its_certificate_where_the_broker_wants_one(strict: Encrypted) -> None:
    own = {"certfile": strict.certfile, "keyfile": strict.keyfile}
    assert answer(strict.url(cacertfile=strict.cacertfile, **own)) == "message not deliverable"


def test_a_client_s_certificate_of_another_authority_is_not_accepted(strict: Encrypted, files: dict[str, Path]) -> None:
    own = {"certfile": files["stranger"], "keyfile": files["stranger_key"]}
    text = refusal(strict.url(cacertfile=strict.cacertfile, **own))
    reasons = ("tlsv1 alert unknown ca", "perhaps it wants a client's certificate (certfile and keyfile)")
    assert text.endswith(tuple(f"the broker ended the encryption: {reason}" for reason in reasons))


def test_a_service_and_its_clients_meet_behind_the_encryption(strict: Encrypted) -> None:
    """All of it: requests, replies, alerts, and a client that comes over the line that is not encrypted."""
    url = strict.url(cacertfile=strict.cacertfile, certfile=strict.certfile, keyfile=strict.keyfile)
    with Program(url, "monitor", "-e", "alerts", "-v", "-b", url) as monitor, serve(url, str(TUTORIAL)):
        monitor.wait_for("stderr", "starting to monitor")
        assert dragonfly(url, "set", "waffles", "4.5").status == 0
        monitor.wait_for("stdout", "sensor_value.waffles")
        for address in (url, strict.plain):
            got = dragonfly(address, "get", "waffles")
            assert got.stdout == "waffles(ret:0): {'value_cal': 4.5, 'value_raw': '4.5'}\n"


def test_a_client_without_a_certificate_is_told_that_the_broker_wants_one(strict: Encrypted) -> None:
    text = refusal(strict.url(cacertfile=strict.cacertfile))
    # Which of them depends on whether the broker's reason arrives before the end of the connection does.
    reasons = ("tlsv13 alert certificate required", "perhaps it wants a client's certificate (certfile and keyfile)")
    assert text.endswith(tuple(f"the broker ended the encryption: {reason}" for reason in reasons))


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"cacertfile": "/none.pem"}, "cacertfile /none.pem of the broker's address cannot be used: No such file"),
        (
            {"cacertfile": __file__},
            "test_tls.py of the broker's address cannot be used: it is encrypted, no certificate",
        ),
        ({"certfile": "/none.pem"}, "certfile /none.pem of the broker's address cannot be used: No such file"),
        ({"certfile": __file__}, "keyfile .*test_tls.py of the broker's address cannot be used: it is encrypted, no"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence_before_anything_is_sent(
    parameters: dict[str, str], sentence: str, unused_address: str
) -> None:
    url = f"amqps://{unused_address}?" + "&".join(f"{name}={value}" for name, value in parameters.items())
    with pytest.raises(DriplineError, match=sentence) as caught:
        answer(url)
    assert len(str(caught.value).splitlines()) == 1


def test_an_encrypted_key_is_not_asked_about(files: dict[str, Path], unused_address: str, tmp_path: Path) -> None:
    locked = tmp_path / "locked.key"
    words = ["rsa", "-aes128", "-passout", "pass:word", "-in", str(files["client_key"]), "-out", str(locked)]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    with pytest.raises(DriplineError, match=r"keyfile .*locked.key .* cannot be used: it is encrypted"):
        answer(f"amqps://{unused_address}?certfile={files['client']}&keyfile={locked}")


def test_the_command_line_says_it_in_one_sentence(encrypted: Encrypted) -> None:
    done = dragonfly("", "get", "nobody", "-b", encrypted.url(cacertfile=encrypted.cacertfile))
    assert (done.status, done.stdout) == (1, "nobody(ret:102): {'values': ['message not deliverable']}\n")
    refused = dragonfly("", "get", "nobody", "-b", encrypted.url())
    assert (refused.status, refused.stdout, len(refused.stderr.splitlines())) == (3, "", 1)
    assert "its certificate is not accepted" in refused.stderr
    broken = dragonfly("", "get", "nobody", "-b", encrypted.url(cacertfile="/none.pem"))
    assert (broken.status, len(broken.stderr.splitlines())) == (5, 1)
