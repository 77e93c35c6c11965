"""Public test kit: a pytest plugin with a broker and a mesh for the tests of services and clients."""

from dragonfly.testing.mesh import Mesh
from dragonfly.testing.rabbitmq import RabbitMQNode

__all__ = ["Mesh", "RabbitMQNode"]
