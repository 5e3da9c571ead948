"""The users that the tutorial logs in with."""

from django.contrib.auth import get_user_model

__all__ = ["DEMO_USERS", "create_demo_users"]

DEMO_USERS = {"testuserone": "testing123", "suraj": "123"}


def create_demo_users():
    """Creates those that are missing and leaves the others as they are."""
    users = get_user_model().objects
    present = set(users.filter(username__in=DEMO_USERS).values_list("username", flat=True))
    for username, password in DEMO_USERS.items():
        if username not in present:
            users.create_user(username, password=password)
