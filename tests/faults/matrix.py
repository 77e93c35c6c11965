"""What is promised to whom when what breaks: the table of docs/explanations/reliability_matrix.rst, for the tests.

A cell has one word or several; promises.py says what each of them means, and the page says it in sentences.
"""

from __future__ import annotations

# As a test's name has it, and as the page does.
SUBJECTS = {
    "serve": "serve",
    "get": "get",
    "interface": "Interface",
    "monitor": "monitor",
    "consumer": "AlertConsumer",
    "spime": "logging Spime",
}
FAULTS = {
    "restart": "The broker is stopped and started again",
    "kill": "The broker is killed (kill -9) and started again",
    "cut": "The connections are cut",
    "half-open": "A link is half open: the broker does not hear that a connection was lost",
    "slow": "The broker is not there yet, and slow to answer",
    "exchange": "The exchanges are deleted and made again",
    "queue": "The queues are deleted",
    "channel": "The broker closes the channels",
    "name": "The name is taken",
    "refused": "The user is refused",
    "alarm": "The broker takes no messages (memory alarm)",
    "cluster": "Of a cluster's two nodes, the one that all are connected to dies",
    "stall": "Nothing comes through for a while",
}
_CELLS = {
    #             serve | get | interface | monitor | consumer | spime
    "restart": "back | told, unreachable | told, unreachable | gap | back, stored | back, kept",
    "kill": "back | told, unreachable | told, unreachable | gap | back, stored | back, kept",
    "cut": "back | told | told | gap | back, stored | back, kept",
    "half-open": "released | told | told | gap | released, stored | released, kept",
    "slow": "waits | unreachable | unreachable | ends | waits | waits",
    "exchange": "rebound | timeout | timeout | rebound, unheard | rebound, unheard | rebound, reads",
    "queue": "back | told | told | gap | back, unheard | back, reads",
    "channel": "back | told | told | gap | back, stored | back, kept",
    "name": "taken | none | none | none | taken | taken",
    "refused": "back, shut out | told, unreachable | told, unreachable | gap, shut out | back, stored, shut out"
    " | back, kept, shut out",
    "alarm": "mute | alarm | alarm | late | mute, stored | mute, kept",
    "cluster": "back | told | told | gap | back, stored | back, kept",
    "stall": "back | timeout, unreachable | timeout | late | back, stored | back, kept",
}
CELLS = {
    fault: {subject: tuple(words.strip().split(", ")) for subject, words in zip(SUBJECTS, row.split("|"), strict=True)}
    for fault, row in _CELLS.items()
}
