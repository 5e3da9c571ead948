"""Signals that are connected once Django has started."""

import subprocess
import sys

WITHOUT_SESSIONS = """
from tests.lone_site import set_up

set_up()

from django.db.models.signals import post_delete
from rest_framework.authtoken.models import Token

print(post_delete.has_listeners(Token))
"""


def test_deleted_tokens_are_noticed_on_a_site_without_sessions():
    command = [sys.executable, "-c", WITHOUT_SESSIONS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
