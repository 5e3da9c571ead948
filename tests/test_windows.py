"""The library runs where Unix is missing: Windows has no forks, for example."""

import subprocess
import sys

PROGRAM = """
import os
import sys

for name in ("fork", "forkpty", "getegid", "geteuid", "getgid", "getuid", "register_at_fork"):
    delattr(os, name)
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None

from tests.lone_site import set_up

set_up(
    CHANNEL_LAYERS={"default": {"BACKEND": "tests.revocation.layer.SharedLayer"}},
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)

from channels_token_auth import connections, disconnect, middleware
from channels_token_auth.management.commands import token_connect

disconnect(address="192.0.2.7")
print(connections(timeout=0.1).total)
"""


def test_site_runs_without_what_only_unix_has():
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")
