"""The original's requests, in the order in which they were observed, on one fresh service."""

import json
from pathlib import Path

from dragonfly.testing import Mesh
from tests.mesh.observed import OBSERVED, SENDER_INFO, Observed
from tests.mesh.raw import RawClient

TUTORIAL = Path(__file__).parents[2] / "examples" / "kv_store_tutorial.yaml"


def test_a_client_of_the_original_gets_the_replies_that_it_got(mesh: Mesh) -> None:
    mesh.serve(TUTORIAL)
    with RawClient(mesh.address) as client:
        alerts = client.listen("alerts-of-the-test", "alerts", "#")
        for row in OBSERVED:
            if row.reply is None:
                returned = []
                client.channel.confirm_delivery()
                try:
                    client.channel.basic_publish(
                        "requests", row.routing_key, b"{}", client.properties(), mandatory=True
                    )
                except Exception as err:  # noqa: BLE001 - its class is pika's
                    returned.append(type(err).__name__)
                assert returned == ["UnroutableError"], row.typed
            else:
                check_reply(client, row)
            if row.alert is not None:
                check_alert(client, alerts, row)
        assert client.next(alerts, timeout=0.2) is None, "one alert per set, and no other"


def check_reply(client: RawClient, row: Observed) -> None:
    assert row.reply is not None
    payload, retcode, text = row.reply
    body = {
        "timestamp": "2026-11-24T06:04:45Z",
        "msgop": row.msgop,
        "msgtype": 3,
        "sender_info": SENDER_INFO,
        "payload": row.payload,
    }
    if row.lockout_key:
        body["lockout_key"] = row.lockout_key
    correlation_id = client.publish(row.routing_key, json.dumps(body).encode())
    seen = client.next()
    assert seen is not None, row.typed
    assert seen.method.exchange == "requests"
    assert seen.method.routing_key == client.reply_queue
    assert seen.properties.correlation_id == correlation_id
    assert seen.properties.content_encoding == "application/json"
    assert seen.properties.app_id == "dripline.core.Service"
    assert seen.properties.reply_to == client.reply_queue
    reply = json.loads(seen.body)
    assert sorted(reply) == ["msgtype", "payload", "retcode", "return_msg", "sender_info", "timestamp"]
    assert (reply["msgtype"], reply["payload"], reply["retcode"]) == (2, payload, retcode), row.typed
    if text is not None:
        assert reply["return_msg"] == text, row.typed
    info = reply["sender_info"]
    assert list(info) == ["username", "exe", "package", "hostname", "version", "commit", "service_name"]
    assert (info["package"], info["service_name"]) == ("dripline", "my_store")


def check_alert(client: RawClient, queue: str, row: Observed) -> None:
    seen = client.next(queue)
    assert seen is not None, row.typed
    assert (seen.method.exchange, seen.method.routing_key) == ("alerts", "sensor_value.peaches")
    assert seen.properties.content_encoding == "application/json"
    assert seen.properties.app_id == "dripline.core.Service"
    assert seen.properties.delivery_mode == 2
    alert = json.loads(seen.body)
    assert sorted(alert) == ["msgtype", "payload", "sender_info", "timestamp"]
    assert (alert["msgtype"], alert["payload"]) == (4, row.alert)
