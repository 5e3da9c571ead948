import io
import sys

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.authtoken.models import Token


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada", password="pw")


@pytest.fixture
def token(ada):
    return Token.objects.create(user=ada)


@pytest.fixture
def manage(monkeypatch):
    """Run a command with this standard input; return its exit code, and all that it printed."""

    def run(*arguments, stdin="", **options):
        given = io.StringIO(stdin) if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", given)
        out = io.StringIO()
        try:
            call_command(*arguments, stdout=out, no_color=True, **options)
        except CommandError as error:
            return error.returncode, f"{out.getvalue()}{error}\n"
        return 0, out.getvalue()

    return run
