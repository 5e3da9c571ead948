"""`manage.py demo`: from nothing to a served page, in one process."""

import contextlib
import socket

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from accounts.demo_users import DEMO_USERS, create_demo_users
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
        with contextlib.suppress(KeyboardInterrupt):
            call_command("migrate", verbosity=0)
            create_demo_users()
            SERVERS[server](host, port, lambda: self._greet(host, port))
        self.stdout.write("\nStopped.")

    def _greet(self, host, port):
        users = "".join(f"  {name} / {password}\n" for name, password in DEMO_USERS.items())
        self.stdout.write(f"Open {_url(host, port)} and log in as one of\n{users}Stop with Ctrl-C.")
        self.stdout.flush()


def _check_free(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except (OSError, OverflowError) as error:  # the latter: no such port number
        reason = getattr(error, "strerror", None) or error
        raise CommandError(
            f"Cannot serve on {host}, port {port}: {reason}. Try another --port.", returncode=2
        ) from error


def _url(host, port):
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
