"""Measure what clients meet before and after each migration: `python -m tests.docs.migrations`.

The pages in docs/how-to/migrating and the comparison show these outcomes, and a test measures them
again. Each project is made of the code blocks of its page, and served by `manage.py runserver`.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.docs.pages import ROOT
from tests.docs.project import DEADLINE, Project, ended, outcome, section

__all__ = ["MIGRATIONS", "OUTCOMES", "after", "before"]

OUTCOMES = ROOT / "docs" / "how-to" / "migrating" / "outcomes.json"
FOREIGN = "https://elsewhere.example"
SERVED, NOBODY = "is served", "connects as nobody"
QUIET, UNKNOWN = 1.0, 4.0  # seconds; the second is longer than the token that expires
Wait = Callable[[str], float]
SAY_HELLO = json.dumps({"command": "Say hello !", "data_string": "ada"})
# Runs code inside the server's process, where signals of Django are sent.
HARNESS = """
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from mysite.urls import urlpatterns

@csrf_exempt
def run(request):
    names = {}
    exec(request.body.decode(), names)
    return HttpResponse(names.get("result", ""))

urlpatterns = [*urlpatterns, path("harness/", run)]
"""
DELETE_TOKENS = "from rest_framework.authtoken.models import Token\nToken.objects.all().delete()"
DEACTIVATE = """
from django.contrib.auth import get_user_model
user = get_user_model().objects.get(username="ada")
user.is_active = False
user.save()
"""
LOGOUT = """
from django.contrib.sessions.models import Session
for session in Session.objects.all():
    session.delete()
"""
TABLES = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
NEW_USER = """
from django.contrib.auth import get_user_model
get_user_model().objects.all().delete()
get_user_model().objects.create_superuser("ada", password="swordfish")
"""
NEW_TOKEN = """
from django.contrib.auth import get_user_model
from rest_framework.authtoken.models import Token
result = Token.objects.get_or_create(user=get_user_model().objects.get())[0].key
"""
SHORT_LIVED = """
from datetime import timedelta
from django.contrib.auth import get_user_model
from rest_framework_simplejwt.tokens import AccessToken
result = AccessToken.for_user(get_user_model().objects.get())
result.set_exp(lifetime=timedelta(seconds=2))
"""


@dataclass(frozen=True, kw_only=True)
class Client:
    """How a client presents its token: where it gets it, and what of a handshake carries it."""

    token: Callable[[str], str]
    path: str = "/hello/"
    query: str = ""
    options: Callable[[str], dict[str, Any]] = lambda token: {}
    then: str | None = None

    def visit(self, base: str, token: str, **more: Any) -> dict[str, Any]:
        query = f"?{self.query}={token}" if self.query and token else ""
        options = self.options(token) if token else {"subprotocols": ["chat"]}
        url = f"ws://{base}{self.path}{query}"
        return {"url": url, "then": self.then, "origin": f"http://{base}", **options, **more}


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One page: its clients, and what ends an open socket (a name, and code to run)."""

    before: Client
    after: Client
    endings: dict[str, str]
    has_pages: bool = True
    expires: bool = False
    wrong: str = "0123456789012345678901234567890123456789"


def before(name: str, recorded: Mapping[str, str]) -> dict[str, str]:
    """Return what clients meet before a migration: the outcome of each thing that happens."""
    migration = MIGRATIONS[name]
    # It does not have the library yet, nor its checks.
    with _project(name, is_forked=False) as project:
        return _measured(project, migration, migration.before, recorded)


def after(name: str, recorded: Mapping[str, str]) -> dict[str, str]:
    """Return what clients meet when its page was followed. `recorded`: what they met before."""
    migration = MIGRATIONS[name]
    with _project(name) as project:
        project.write(section(_page(name), "## After"))
        return _measured(project, migration, migration.after, recorded)


@contextmanager
def _project(name: str, *, is_forked: bool = True) -> Iterator[Project]:
    """Make the project that is to be migrated."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), is_forked=is_forked)
        project.write(section(_page(name), "## Before"))
        (project.folder / "mysite" / "harness.py").write_text(HARNESS)
        with (project.folder / "mysite" / "settings.py").open("a") as settings:
            settings.write('\nROOT_URLCONF = "mysite.harness"\n')
        yield project


def _page(name: str) -> str:
    return f"docs/how-to/migrating/{name}.md"


def _measured(
    project: Project, migration: Migration, client: Client, recorded: Mapping[str, str]
) -> dict[str, str]:
    def wait(what: str) -> float:
        # A machine that is busy may take long to close. Where no close is recorded, none comes.
        end = recorded.get(what, "")
        return (DEADLINE if end.startswith("closed") else QUIET) if end else UNKNOWN

    # `runserver` stops at an error of the system checks, so they need no command of their own.
    with project.serve() as base:
        _run(base, TABLES)
        _run(base, NEW_USER)
        if client is migration.after and migration.before.query in ("token", "sessionid"):
            # The old client works as before: the page says so.
            old = migration.before
            assert _text(outcome(**old.visit(base, old.token(base)), wait=0.5)) == SERVED
        handshakes = dict(_handshakes(base, migration, client, wait))
        return handshakes | dict(_ends(base, migration, client, wait))


def _handshakes(
    base: str, migration: Migration, client: Client, wait: Wait
) -> Iterator[tuple[str, str]]:
    def meet(what: str, token: str, served: str = SERVED, **more: Any) -> tuple[str, str]:
        return what, _text(outcome(**client.visit(base, token, **more), wait=wait(what)), served)

    yield meet("a good token", client.token(base))
    yield meet("a wrong token", migration.wrong, NOBODY)
    yield meet("no token", "", NOBODY)
    if migration.has_pages:
        yield meet("a page of another site", client.token(base), origin=FOREIGN)


def _ends(base: str, migration: Migration, client: Client, wait: Wait) -> Iterator[tuple[str, str]]:
    if migration.expires:
        what, short = "the token expires", client.visit(base, _run(base, SHORT_LIVED))
        yield what, _end(ended(**short, wait=wait(what)))
    for what, code in migration.endings.items():
        visit = client.visit(base, client.token(base))
        yield what, _end(ended(**visit, wait=wait(what), act=lambda code=code: _run(base, code)))


def _run(base: str, code: str) -> str:
    answer = requests.post(f"http://{base}/harness/", data=code, timeout=DEADLINE)
    answer.raise_for_status()
    return answer.text


def _text(met: list[str | int], served: str = SERVED) -> str:
    """Say what a handshake came to."""
    *_, end = met
    if end == "open":
        return served
    if not end:
        return "no answer"
    return f"HTTP {end}" if end < 600 else f"closed with {end}"


def _end(code: int | None) -> str:
    return f"closed with {code}" if code else "stays open"


def _drf_token(base: str) -> str:
    return _run(base, NEW_TOKEN)


def _session(base: str) -> str:
    return log_in(base).cookies["sessionid"]


def log_in(base: str) -> requests.Session:
    """Return a browser's session, logged in to the admin."""
    browser = requests.Session()
    url = f"http://{base}/admin/login/"
    browser.get(url, timeout=DEADLINE)
    form = {"username": "ada", "password": "swordfish", "next": "/admin/"}
    form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
    browser.post(url, data=form, timeout=DEADLINE).raise_for_status()
    return browser


def _jwt(base: str) -> str:
    form = {"username": "ada", "password": "swordfish"}
    return requests.post(f"http://{base}/api/token/", data=form, timeout=DEADLINE).json()["access"]


def _uuid(base: str) -> str:
    url = f"http://{base}/api/auth/auth_for_ws_connection/"
    return requests.get(url, headers=_header_of(base), timeout=DEADLINE).json()["uuid"]


def _ticket(base: str) -> str:
    url = f"http://{base}/api/auth/ticket/"
    return requests.post(url, headers=_header_of(base), timeout=DEADLINE).json()["ticket"]


def _header_of(base: str) -> dict[str, str]:
    return {"Authorization": f"Token {_drf_token(base)}"}


def _subprotocol(token: str) -> dict[str, Any]:
    return {"subprotocols": ["token-auth.v1", f"bearer.{token}"]}


def _header(token: str) -> dict[str, Any]:
    return {"additional_headers": {"Authorization": f"Token {token}"}, "origin": None}


def _cookie(token: str) -> dict[str, Any]:
    return {"additional_headers": {"Cookie": f"sessionid={token}"}}


ENDINGS = {"its token is deleted": DELETE_TOKENS, "its user is deactivated": DEACTIVATE}
QUERY = Client(query="token", token=_drf_token)

MIGRATIONS = {
    "tutorial-middleware": Migration(
        before=Client(path="/", query="token", token=_drf_token, then=SAY_HELLO),
        after=Client(path="/", options=_subprotocol, token=_drf_token, then=SAY_HELLO),
        endings=ENDINGS,
    ),
    "auth-middleware-stack": Migration(
        before=Client(options=_cookie, token=_session),
        after=Client(options=_cookie, token=_session),
        endings={"the user logs out": LOGOUT, "its user is deactivated": DEACTIVATE},
    ),
    "channels-auth-token-middlewares": Migration(
        before=QUERY,
        after=Client(options=_subprotocol, token=_drf_token),
        endings=ENDINGS,
    ),
    "django-channels-jwt-auth-middleware": Migration(
        before=Client(query="token", token=_jwt),
        after=Client(options=_subprotocol, token=_jwt),
        endings={"its user is deactivated": DEACTIVATE},
        expires=True,
        wrong="a.b.c",
    ),
    "django-channels-jwt": Migration(
        before=Client(query="uuid", token=_uuid),
        after=Client(query="ticket", token=_ticket),
        endings=ENDINGS,
        wrong="unknown",
    ),
    "chanx": Migration(
        before=Client(options=_header, token=_drf_token),
        after=Client(options=_header, token=_drf_token),
        endings=ENDINGS,
        has_pages=False,
    ),
}


if __name__ == "__main__":
    measured = json.loads(OUTCOMES.read_text()) if OUTCOMES.exists() else {}
    for each in sys.argv[1:] or MIGRATIONS:
        old, new = before(each, {}), after(each, {})
        measured[each] = {what: [old[what], new[what]] for what in old}
    OUTCOMES.write_text(json.dumps(measured, indent=2) + "\n")
