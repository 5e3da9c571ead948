"""The tests' settings with users unlike Django's: their keys are UUIDs, their names addresses."""

from tests.settings import *  # noqa: F403 - all of them, but for the users
from tests.settings import DATABASES

AUTH_USER_MODEL = "own_users.Member"
# A database of its own: it has other tables, and the other run's may be open.
DATABASES["default"].setdefault("TEST", {}).setdefault("NAME", "test_members")
