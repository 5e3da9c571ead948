"""Publish revocations inside a `TestCase`, whose transaction is never committed.

A revocation is published when its transaction is committed. Django rolls a test's transaction back,
so that it would never be published, and sockets would stay open. Outside of the test's own atomic
blocks, such as a view's, all that the test did counts as committed.
"""

from asgiref.sync import sync_to_async
from django.db import connections

from ..django_internals import take_test_callbacks
from ..revocation.on_commit import is_ours

__all__ = ["apublish_revocations", "publish_revocations"]


def publish_revocations() -> None:
    """Close the sockets of what the test has revoked so far, as a commit would.

    `TokenWebsocketCommunicator` does so by itself whenever it waits for the application.
    """
    for connection in connections.all(initialized_only=True):
        for callback in take_test_callbacks(connection, is_ours):
            callback()


async def apublish_revocations() -> None:
    """`publish_revocations` for asynchronous tests."""
    await sync_to_async(publish_revocations)()
