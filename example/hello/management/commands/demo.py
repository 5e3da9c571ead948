"""`manage.py demo`: from nothing to a served page, in one process."""

import contextlib
import os
import socket

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from accounts.demo_users import (
    ADMINISTRATOR,
    DEMO_USERS,
    create_demo_users,
    renew_administrator,
)
from hello.addresses import is_loopback, names, url
from hello.servers import SERVERS


class Command(BaseCommand):
    help = "Prepare the database and the demo users, then serve (only while DEBUG is on)."
    requires_system_checks = ()  # it has to be quick

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
        parser.add_argument("--port", default=8000, type=int, help="default: %(default)s")
        parser.add_argument("--server", default="daphne", choices=SERVERS)

    def handle(self, *args, host, port, server, **options):
        if not settings.DEBUG:
            raise CommandError("The demo has known passwords: only with EXAMPLE_DEBUG=1.")
        _check_free(host, port)
        _allow(names(host))
        with contextlib.suppress(KeyboardInterrupt):
            call_command("migrate", verbosity=0)
            create_demo_users()
            # The admin shows every user: its password is not for others on the network.
            password = renew_administrator() if is_loopback(host) else None
            greeting = _greeting(url(host, port), password)
            SERVERS[server](host, port, lambda: self._print(greeting))
        self.stdout.write("\nStopped.")

    def _print(self, greeting):
        self.stdout.write(greeting)
        self.stdout.flush()


def _greeting(page, password):
    lines = [f"Open {page} and log in as one of"]
    lines += [f"  {name} / {known}" for name, known in DEMO_USERS.items()]
    if password:
        lines += [f"The admin is at {page}admin/ for", f"  {ADMINISTRATOR} / {password}"]
    else:
        lines += [f"The admin is at {page}admin/: create its user with manage.py createsuperuser."]
    return "\n".join([*lines, "Stop with Ctrl-C."])


def _check_free(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:  # the latter: no such port number
        reason = getattr(error, "strerror", None) or error
        raise CommandError(
            f"Cannot serve on {host}, port {port}: {reason}. Try another --port.", returncode=2
        ) from error


def _allow(hosts):
    """Answer to these hosts too, here and in the processes that a server starts."""
    settings.ALLOWED_HOSTS = list(dict.fromkeys([*settings.ALLOWED_HOSTS, *hosts]))
    os.environ["EXAMPLE_ALLOWED_HOSTS"] = ",".join(settings.ALLOWED_HOSTS)
