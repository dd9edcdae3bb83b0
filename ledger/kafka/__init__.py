"""The copy of the ledger on Kafka: messages, topics, publisher, check and restore.

Nothing else imports kafka-python, and here only `ledger.kafka.client.broker` does.

Source: docs/kafka.md; docs/adr/0014-kafka.md.
"""
