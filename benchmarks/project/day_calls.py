"""Run as a module: the process of `bench day` that revokes tokens and creates new ones.

It answers each line of its standard input, even while a service is stopped. A question is the name
of a call and its argument, in JSON; the answer is its result, or its error.
"""

import json
import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402 - needs the line above, as do the others
from django.db import close_old_connections, connection  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from channels_token_auth import revoke_token, revoke_user  # noqa: E402


def revoke(text):
    """Revoke one token: a key or a JWT."""
    revoke_token(text)


def log_out(number):
    """Revoke all tokens of a person."""
    revoke_user(User(pk=number + 1))


def delete(number):
    """Delete the row without a signal, as another program would: only a sweep detects it."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM authtoken_token WHERE user_id = %s", [number + 1])


def deactivate(number):
    """Deactivate a person."""
    _activate(number, is_active=False)


def activate(number):
    """Reactivate a person."""
    _activate(number, is_active=True)


def issue(number_and_key):
    """Create the row of a new token, in place of any other."""
    number, key = number_and_key
    Token.objects.filter(user_id=number + 1).exclude(key=key).delete()
    Token.objects.get_or_create(user_id=number + 1, defaults={"key": key})


def _activate(number, *, is_active):
    user = User.objects.get(pk=number + 1)
    user.is_active = is_active
    user.save()


CALLS = {each.__name__: each for each in (revoke, log_out, delete, deactivate, activate, issue)}


def answer(question):
    """Return the result of a call, or its error as text."""
    name, argument = json.loads(question)
    close_old_connections()
    try:
        return {"result": CALLS[name](argument)}
    except Exception as error:  # noqa: BLE001 - services are stopped on purpose
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
