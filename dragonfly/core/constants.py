"""The numbers and names that every program on a mesh has to agree on."""

OP_SET = 0
OP_GET = 1
OP_CONFIG = 6
OP_SEND = 7
OP_RUN = 8
OP_CMD = 9

T_REPLY = 2
T_REQUEST = 3
T_ALERT = 4
T_INFO = 5

OPERATION_NAMES = {OP_SET: "set", OP_GET: "get", OP_CONFIG: "config", OP_SEND: "send", OP_RUN: "run", OP_CMD: "cmd"}

REQUESTS = "requests"
ALERTS = "alerts"
EXCHANGES = (REQUESTS, ALERTS)
BROADCAST = "broadcast"
# First word of the routing key of the alerts by which a service says that it is there.
HEARTBEAT = "heartbeat"
# AMQP 0-9-1, 4.2.5.3: a short string has at most 255 bytes. Queue names, routing keys and binding keys are such.
MAX_SHORT_STRING = 255
MAX_NAME = 200
REPLY_QUEUE_PREFIX = "request_reply"

# Both are constants of the protocol: the original's programs look at them, whoever the sender is.
APP_ID = "dripline.core.Service"
PACKAGE = "dripline"
CONTENT_ENCODING = "application/json"

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

# AMQP headers of a request: the caller's clock (UTC, ms) after which nobody waits any more, and
# the mark of a question that a program asks for its own sake.
DEADLINE_HEADER = "deadline"
PROBE_HEADER = "probe"

DEFAULT_TIMEOUT = 10.0
# s; RabbitMQ counts a message's expiration in milliseconds, in 32 bits.
LONGEST_TIMEOUT = 4_294_967
# A broadcast ends so long after the last reply, s.
DEFAULT_QUIET_TIME = 0.5
COMPLETED_SILENTLY = "operation completed silently"
NOT_DELIVERABLE = "message not deliverable"

# Levels of log records that are shown without -v although nothing is wrong: what a person should notice, and the
# messages that a monitor shows.
LEVEL_NOTICE = 25
LEVEL_MESSAGE = 35
