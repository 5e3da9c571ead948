"""The queries of a revocation by the row, and the receivers of the row's signals."""

import pytest
from django.db import connection, transaction
from django.db.models.signals import post_delete, pre_delete
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token

from channels_token_auth import revoke_token
from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Location, Secret
from channels_token_auth.core.identity import Grant


def test_token_is_revoked_in_three_queries_without_a_transaction(token, told):
    with CaptureQueriesContext(connection) as queries:
        revoke_token(token.key)
    assert [each["sql"].split()[0] for each in queries] == ["SELECT", "SELECT", "DELETE"]
    assert [name for name, _ in told] == ["token_revoked"]


@pytest.mark.parametrize("signal", [pre_delete, post_delete], ids=["pre_delete", "post_delete"])
def test_receiver_of_the_site_runs_in_the_transaction_of_the_deletion(token, told, signal):
    seen = []

    def receive(*, instance, **_):
        seen.append((instance.pk, connection.in_atomic_block))

    signal.connect(receive, sender=Token)
    try:
        revoke_token(token.key)
    finally:
        signal.disconnect(receive, sender=Token)
    assert seen == [(token.key, True)]
    assert [name for name, _ in told] == ["token_revoked"]
    assert not Token.objects.exists()


def test_backend_that_a_site_calls_itself_announces_the_deletion(token, told):
    digest = Secret(token.key).digest
    of_token = Authentication(backend="drf", token_id=digest, location=Location.HEADER)
    backend = DRFTokenBackend()
    assert backend.revoke([Grant(user_pk=token.user_id, authentication=of_token)]) == [True]
    assert [name for name, _ in told] == ["token_revoked"]


def test_deletion_that_is_rolled_back_revokes_nothing(token, told):
    with transaction.atomic():
        revoke_token(token.key)
        transaction.set_rollback(True)
    assert told == []
    assert Token.objects.get() == token
