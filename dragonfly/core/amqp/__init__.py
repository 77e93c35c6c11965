"""The wire: the only room that imports pika.

connection.py   one AMQP connection and the thread that alone touches it
failure.py      why there is no connection, in words
declarer.py     the channel that declares: exchanges, queues, bindings
publisher.py    the channel that publishes: confirms, returns, refusals
consumer.py     a queue, its bindings, and the channel that consumes it
refusal.py      which message the broker means when it closes a channel
backlog.py      what is kept while there is no connection
alert_gate.py   which alerts may go out soon after a reconnect
alert_tally.py  what became of the alerts, in numbers
packet.py       what goes out, what comes in
"""
