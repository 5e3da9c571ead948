"""The demo's users: those of the tutorial, and an administrator."""

import secrets

from django.contrib.auth import get_user_model

__all__ = ["ADMINISTRATOR", "DEMO_USERS", "create_demo_users", "renew_administrator"]

DEMO_USERS = {"testuserone": "testing123", "suraj": "123"}
ADMINISTRATOR = "demo-admin"


def create_demo_users():
    """Create those that are missing and leave the others as they are."""
    users = get_user_model().objects
    present = set(users.filter(username__in=DEMO_USERS).values_list("username", flat=True))
    for username, password in DEMO_USERS.items():
        if username not in present:
            users.create_user(username, password=password)


def renew_administrator():
    """Give the demo's administrator a new random password, and return it.

    Never a known one: a demo that was started on this machine only may be started on the network
    the next day, with the same database.
    """
    password = secrets.token_hex(8)
    user, _ = get_user_model().objects.get_or_create(username=ADMINISTRATOR)
    user.is_active = user.is_staff = user.is_superuser = True
    user.set_password(password)
    user.save()
    return password
