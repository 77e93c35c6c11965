"""Benchmarks: the product beside its floor, in one run. They are no tests, and nothing here judges a time.

comparison.py       alternating rounds, ratios, targets, the table
setting.py          what a benchmark is run with
children.py         processes that end with the benchmark; workers, which measure
servers.py          the brokers, the product's service and the bare echo, each in a process of its own
configs.py          config files of services with many endpoints
usage.py            memory and processor time of a process
wire.py             AMQP over a plain socket
load.py             the load generator that drives services, ours and the floor
crowd.py            the same, as many clients at once
listening.py        the rate of what listens to alerts
answering.py        the loop of a worker
echo_service.py     the floor of a service
bare_client.py      the floor of a client
bare_many.py        the floor of request_many
bare_listener.py    the floor of a monitor and of an alert consumer
bare_ticker.py      the floor of a logging service
many_client.py      the product's client as a worker
stamped_service.py  the product's service, which notes when each of its functions is reached
results.py          the results file of a run
page.py             that file as the tables of the page docs/explanations/performance
plots.py            the same as its drawings
peer_*.py           other systems
all other files     one benchmark each
"""

# What `python -m tests.bench NAME` runs: modules of this package, each with a function `run`.
BENCHMARKS = (
    "sequential_get",
    "pipelined_get",
    "set_log_on_set",
    "alerts_out",
    "monitor",
    "alert_consumer",
    "request_many",
    "start_up",
    "command_get",
    "embedded",
    "clients",
    "services",
    "growth",
    "hops",
    "peers",
)
