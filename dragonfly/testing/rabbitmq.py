"""A private RabbitMQ for tests: on loopback, on ports of its own, in a temporary directory, gone afterwards.

1. Nothing of it touches a RabbitMQ, an epmd (the Erlang port mapper) or an Erlang cookie that is here
   already: every path and port is given to it, and what the environment says about RabbitMQ or Erlang is not
   handed on.
2. The server's own script is called, not Debian's wrapper of the same name, which insists on the user
   `rabbitmq`: a node of ours runs as whoever runs the tests, root included.
3. The node would start an epmd as a daemon if it found none. It finds ours, our child as the node is.
4. Two nodes form a cluster when the second is started beside the first: it has the first one's cookie and epmd, and
   joins it at its first start. The first is to be stopped last, since the epmd is its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from dragonfly.testing.processes import Keeper, end, free_ports, listens

SCRIPTS = "/usr/lib/rabbitmq/bin"
# AMQP 0-9-1, 4.2.2: a client opens with these eight bytes; the server answers with a method frame (type 1) on
# channel 0.
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME_ON_CHANNEL_0 = b"\x01\x00\x00"
# A node that has no data yet joins the one that is named here.
CLUSTER = """
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = {}
"""


def answers_amqp(port: int) -> bool:
    """Return whether an AMQP 0-9-1 server on this port of 127.0.0.1 begins its side of the handshake."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(PROTOCOL_HEADER)
            return connection.recv(3) == METHOD_FRAME_ON_CHANNEL_0
    except OSError:
        return False


class RabbitMQNode:
    """A RabbitMQ node of our own, with the user guest (password guest).

    It is ready about five seconds after `start()`. It ends with this process, however that ends.

    Args:
        config: further lines for its rabbitmq.conf, in the `key = value` form of RabbitMQ 3.7 and later.
        beside: a running node with which it forms a cluster.
    """

    def __init__(self, config: str = "", beside: RabbitMQNode | None = None) -> None:
        self.port = 0
        self._config = config
        self._beside = beside
        self._directory: Path | None = None
        self._environment: dict[str, str] = {}
        self._keeper: Keeper | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None

    @staticmethod
    def installed() -> bool:
        """Return whether this machine has a RabbitMQ server to start."""
        return _found("rabbitmq-server") and _found("epmd")

    @property
    def address(self) -> str:
        """The node as `-b` and the YAML key `broker` take it: 127.0.0.1:PORT."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The node as an AMQP URL, with the user guest."""
        return f"amqp://guest:guest@{self.address}/"

    @property
    def directory(self) -> str:
        """Where the node keeps its data and its log, from `start()` to `stop()`."""
        return str(self._directory)

    @property
    def running(self) -> bool:
        """Whether the node's process is there."""
        return self._node is not None and self._node.poll() is None

    def start(self, timeout: float = 60.0) -> None:
        """Start the node and wait until it answers the AMQP handshake.

        After `kill()` it starts again on the same port, with what it had stored.

        Args:
            timeout: seconds to wait for the first answer.

        Raises:
            RuntimeError: RabbitMQ is not installed, or the node ended or did not answer; the text has the
                errors of its log.
        """
        if self.running:
            return
        if not self.installed():
            raise RuntimeError("rabbitmq-server is not installed")
        if self._directory is None:
            if self._beside is not None and not self._beside.running:
                raise RuntimeError("the node beside which this one is to start does not run")
            self._prepare()
        self._start_epmd()
        self._start_node(timeout)

    def stop(self) -> None:
        """End the node in good order and all else that was started for it; remove its directory.

        Twice is harmless.
        """
        self._end_node(signal.SIGTERM)
        if self._epmd is not None:
            end(self._epmd, signal.SIGTERM, patience=5.0)
            self._epmd = None
        if self._keeper is not None:
            self._watch()
            self._keeper.close()
            self._keeper = None
        self._directory = None

    def kill(self) -> None:
        """End the node as a power cut would; `start()` brings it back with what was on its disk."""
        self._end_node(signal.SIGKILL)

    def restart(self, timeout: float = 60.0) -> None:
        """End the node in good order and start it again on the same port, with what it had stored.

        Args:
            timeout: seconds to wait for the first answer.
        """
        self._end_node(signal.SIGTERM)
        self.start(timeout)

    def ctl(self, *arguments: str, timeout: float = 60.0) -> str:
        """Return what `rabbitmqctl ARGUMENTS` prints about this node.

        Args:
            arguments: the command and its arguments, such as "list_queues", "name", "messages".
            timeout: seconds the command may take.

        Raises:
            RuntimeError: the command failed; the text is what it said.
        """
        environment = self._environment
        command = [_program("rabbitmqctl"), "--quiet", "--node", environment["RABBITMQ_NODENAME"], *arguments]
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def _prepare(self) -> None:
        directory = Path(tempfile.mkdtemp(prefix="dragonfly-rabbitmq-"))
        self._keeper = Keeper(directory)
        self._directory = directory
        self.port, epmd_port, distribution_port = free_ports(3)
        cookie, secret, config = directory / ".erlang.cookie", os.urandom(16).hex(), self._config
        if self._beside is not None:
            others = self._beside._environment
            secret = Path(others["HOME"], ".erlang.cookie").read_text()
            epmd_port = int(others["ERL_EPMD_PORT"])
            config += CLUSTER.format(others["RABBITMQ_NODENAME"])
        cookie.write_text(secret)
        cookie.chmod(0o400)
        (directory / "enabled_plugins").write_text("[].\n")
        (directory / "rabbitmq-env.conf").touch()
        (directory / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n{config}\n")
        self._environment = _environment(directory, self.port, epmd_port, distribution_port)

    def _start_epmd(self) -> None:
        if self._beside is not None or (self._epmd is not None and self._epmd.poll() is None):
            return
        self._epmd = self._spawn(_program("epmd"))
        port = int(self._environment["ERL_EPMD_PORT"])
        deadline = time.monotonic() + 10.0
        while not listens(port):
            if self._epmd.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"epmd, the port mapper of Erlang, does not listen on port {port}")
            time.sleep(0.01)

    def _start_node(self, timeout: float) -> None:
        self._node = self._spawn(_program("rabbitmq-server"))
        deadline = time.monotonic() + timeout
        while not answers_amqp(self.port):
            if self._node.poll() is not None or time.monotonic() > deadline:
                how = f"is not ready after {timeout:g} s" if self.running else "ended before it was ready"
                text = self._complaints()
                self.stop()
                raise RuntimeError(f"RabbitMQ {how}:\n{text}")
            time.sleep(0.03)

    def _spawn(self, program: str) -> subprocess.Popen[bytes]:
        """Start a child in a session of its own, which a Ctrl-C does not reach, and have it watched."""
        assert self._directory is not None
        with open(self._directory / "output", "ab") as output:
            child = subprocess.Popen(
                [program],
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._watch(child)
        return child

    def _watch(self, *new: subprocess.Popen[bytes]) -> None:
        """Tell the keeper which of our children live; those we have waited for gave their number back."""
        children = [child for child in (self._epmd, self._node, *new) if child is not None]
        if self._keeper is not None:
            self._keeper.watch(child.pid for child in children if child.returncode is None)

    def _end_node(self, signal_number: int) -> None:
        if self._node is not None:
            end(self._node, signal_number, patience=20.0)
            self._node = None
            self._watch()

    def _complaints(self) -> str:
        """Return the first errors that it logged, or else its last lines; what follows an error are reports of it."""
        assert self._directory is not None
        files = [self._directory / "output", *sorted((self._directory / "log").glob("*.log"))]
        lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
        return "\n".join([line for line in lines if "[error]" in line][:12] or lines[-12:])


def _program(name: str) -> str:
    """Return the path of a program of RabbitMQ, from its own folder before all others, or the bare name."""
    path = os.pathsep.join([SCRIPTS, os.environ.get("PATH", os.defpath)])
    return shutil.which(name, path=path) or name


def _found(name: str) -> bool:
    return os.path.isabs(_program(name))


def _environment(directory: Path, port: int, epmd_port: int, distribution_port: int) -> dict[str, str]:
    foreign = ("RABBITMQ_", "ERL_", "NOTIFY_SOCKET")
    loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
        "HOME": str(directory),
        "ERL_CRASH_DUMP_BYTES": "0",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_NODENAME": f"dragonfly{port}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_CONF_ENV_FILE": str(directory / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "config"),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": loopback,
        "RABBITMQ_CTL_ERL_ARGS": loopback,
        # "May have input" makes the script become the node, with no shell between it and us; it has none.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_START_ARGS": "-noinput",
    }
