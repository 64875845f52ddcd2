"""kafka-python for the tests: each line of the input is a command in JSON, each line of the output its answer.

Python itself makes values from JSON and from MessagePack, as programs do that use kafka-python. Bytes travel in hex.
"""

import json
import sys

import msgpack
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

BROKERS = sys.argv[1].split(",")

from_hex = bytes.fromhex
to_hex = bytes.hex

ENCODE = {
    "bytes": from_hex,
    "json": lambda value: json.dumps(value).encode(),
    "msgpack": msgpack.packb,
}
DECODE = {"bytes": to_hex, "json": json.loads, "msgpack": msgpack.unpackb}


def nullable(function):
    return lambda value: None if value is None else function(value)


def produce(topic, records, values="bytes", compression=None):
    """Where each record went, in the order given."""
    producer = KafkaProducer(
        bootstrap_servers=BROKERS,
        compression_type=compression,
        # All records are there before the first batch leaves, so that there is something to compress.
        linger_ms=50,
        key_serializer=nullable(from_hex),
        value_serializer=nullable(ENCODE[values]),
    )
    futures = [
        producer.send(
            topic,
            key=record.get("key"),
            value=record["value"],
            headers=[(name, from_hex(value)) for name, value in record.get("headers", [])],
            partition=record.get("partition"),
            timestamp_ms=record.get("timestamp"),
        )
        for record in records
    ]
    producer.flush()
    sent = [future.get(timeout=30) for future in futures]
    producer.close()
    return [{"partition": one.partition, "offset": one.offset} for one in sent]


def consume(topic, count, values="bytes", offset=0, partition=0):
    """So many records of a partition, from an offset on."""
    consumer = KafkaConsumer(
        bootstrap_servers=BROKERS,
        enable_auto_commit=False,
        key_deserializer=nullable(to_hex),
        value_deserializer=nullable(DECODE[values]),
    )
    at = TopicPartition(topic, partition)
    consumer.assign([at])
    consumer.seek(at, offset)
    seen = []
    while len(seen) < count:
        seen += [row for rows in consumer.poll(timeout_ms=1000).values() for row in rows]
    consumer.close()
    return [
        {
            "key": row.key,
            "value": row.value,
            "timestamp": row.timestamp,
            "headers": [[name, None if value is None else to_hex(value)] for name, value in row.headers],
            "offset": row.offset,
        }
        for row in seen
    ]


COMMANDS = {"produce": produce, "consume": consume}

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = {"result": COMMANDS[command.pop("do")](**command)}
    except Exception as error:  # pylint: disable=broad-exception-caught
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
