"""From a YAML file to a tree of objects."""

from dragonfly.loader.config import Config, ConfigError, Problem, load, read_broker

__all__ = ["Config", "ConfigError", "Problem", "load", "read_broker"]
