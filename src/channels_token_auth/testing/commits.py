"""Publish revocations inside a `TestCase`, whose transaction is never committed.

A revocation is published when its transaction is committed. Django rolls the transaction of a test
back, so that no revocation would be published, and sockets would stay open. So what the test has
revoked counts as committed, as soon as no atomic block of the code under test is open.
"""

from django.db import connections

from ..django_internals import take_test_callbacks
from ..revocation.on_commit import is_ours
from ..tasks import asynchronous

__all__ = ["apublish_revocations", "publish_revocations"]


def publish_revocations() -> None:
    """Publish the revocations of the test so far, as a commit would: sockets close.

    `TokenWebsocketCommunicator` calls this whenever it waits for the application.
    """
    # Of this thread only: another thread's connection has a transaction of its own.
    for connection in connections.all(initialized_only=True):
        for callback in take_test_callbacks(connection, is_ours):
            callback()


apublish_revocations = asynchronous(publish_revocations)
