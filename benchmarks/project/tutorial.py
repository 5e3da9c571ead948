"""A middleware of the shape that tutorials teach."""

from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser
from rest_framework.authtoken.models import Token

from benchmarks.project.stock import for_users

__all__ = ["application"]


@database_sync_to_async
def get_user(key):
    """Make two queries, in the one thread that all handshakes share."""
    try:
        return Token.objects.get(key=key).user
    except Token.DoesNotExist:
        return AnonymousUser()


async def application(scope, receive, send):
    """Look for `?token=` before the consumer starts."""
    query = parse_qs(scope["query_string"].decode())
    scope["user"] = await get_user(query["token"][0])
    await for_users(scope, receive, send)
