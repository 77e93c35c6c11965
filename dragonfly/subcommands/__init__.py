"""The verbs of the command line, in the order of the help: module, class, sentence.

A verb is a class with `update_parser(parser, more_options)` and `__call__(args) -> int`, the exit status. Its
module is imported when somebody uses the verb, and what the verb needs when it is called.
"""

PROGRAM = "dragonfly"

VERBS = {
    "get": ("agent", "Get", "return the value of an endpoint or a property of an endpoint if specified"),
    "set": ("agent", "Set", "set the value of an endpoint, or a property of an endpoint if specified"),
    "config": ("agent", "Config", "<deprecated> query or set the value of a property of an endpoint"),
    "run": ("agent", "Run", "send an OP_RUN, further details are endpoint specific"),
    "cmd": ("agent", "Cmd", "have an endpoint execute an internal function"),
    "send": ("agent", "Send", "have an endpoint (which is probably also a provider) execute a send"),
    "monitor": (
        "message_monitor",
        "Monitor",
        "utility for listening in on AMQP messages (does not prevent delivery but may prevent undeliverable "
        "errors if there is no other valid target)",
    ),
    "serve": (
        "serve",
        "Serve",
        "start a long-running dripline service based on a provided config file (formerly open_spimescape_portal)",
    ),
    "watchdog": ("watchdog", "Watchdog", "utility for making sure some data is always showing up"),
}

# What the tutorial does not have.
MORE_VERBS = {
    "list": ("list", "List", "show the services and endpoints that are alive, as a tree"),
    "check": ("check", "Check", "look for all that is wrong with config files, without starting anything"),
    "doc": ("doc", "Doc", "show the keys of a class for config files, or which classes there are"),
    "completion": (
        "completion",
        "Completion",
        "print what makes a shell complete subcommands, options and names at TAB",
    ),
    "broker": (
        "broker",
        "Broker",
        "run a small AMQP broker on this machine, for trying things out (for production use RabbitMQ)",
    ),
}

ALL_VERBS = {**VERBS, **MORE_VERBS}
