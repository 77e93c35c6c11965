"""Public test kit: a pytest plugin with a broker and a mesh for the tests of services and clients."""

from dragonfly.testing.clock import ManualClock
from dragonfly.testing.fault_proxy import FaultProxy
from dragonfly.testing.mesh import Mesh
from dragonfly.testing.rabbitmq import RabbitMQNode
from dragonfly.testing.scripted_instrument import ScriptedInstrument, ScriptError

__all__ = ["FaultProxy", "ManualClock", "Mesh", "RabbitMQNode", "ScriptError", "ScriptedInstrument"]
