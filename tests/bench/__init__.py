"""Benchmarks: the product beside its floor, in one run. They are no tests, and nothing here judges a time.

comparison.py     alternating rounds, ratios, the table
servers.py        the brokers, the product's service and the bare echo, each in a process of its own
load.py           the load generator that drives both
echo_service.py   the floor of a service
bare_client.py    the floor of a client
bare_listener.py  the floor of a monitor and of an alert consumer
all other files   one benchmark each
"""

# What `python -m tests.bench NAME` runs: modules of this package, each with a function `run`.
BENCHMARKS = ("sequential_get", "command_get", "brokers", "monitor", "alert_consumer")
