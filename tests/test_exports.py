"""The public API: the names that sites import, none more and none fewer."""

import inspect
import re
import subprocess
import sys
from importlib import import_module

import pytest

import channels_token_auth
from tests.docs.pages import PAGES, snippets

PUBLIC = {
    "Authentication",
    "Authority",
    "BaseTokenBackend",
    "CloseReason",
    "Connections",
    "Credential",
    "Detail",
    "Grant",
    "Identity",
    "IssuedToken",
    "LiveConnection",
    "Location",
    "RevocationSignal",
    "Revocations",
    "RevokedTokens",
    "Secret",
    "Site",
    "TokenAuthError",
    "TokenBackend",
    "Undecided",
    "Unrecognized",
    "Verdict",
    "aconnections",
    "adisconnect",
    "admit",
    "arevoke",
    "arevoke_token",
    "arevoke_user",
    "connections",
    "disconnect",
    "remember_login",
    "requires_scopes",
    "revoke",
    "revoke_token",
    "revoke_user",
}
MODULES = {
    "consumers": {"AsyncConsumer", "AsyncJsonWebsocketConsumer", "AsyncWebsocketConsumer"},
    "middleware": {"TokenAuthMiddleware", "TokenAuthMiddlewareStack"},
    "signals": {
        "connection_authenticated",
        "connection_closed",
        "connection_reauthenticated",
        "connection_refused",
        "identity_injected",
        "reauthentication_refused",
        "request_refused",
        "token_revoked",
    },
    "tenants": {"Tenants"},
    "testing": {
        "FakeTokenBackend",
        "FakeTokens",
        "FrozenClock",
        "TokenWebsocketCommunicator",
        "apublish_revocations",
        "fake_tokens",
        "frozen_clock",
        "publish_revocations",
    },
}
"""The exports of the other public modules."""

BOTH_FORMS = ["revoke", "revoke_token", "revoke_user", "disconnect", "connections"]
ORDER = ["user", "token", "token_id", "backend", "issuer", "label", "connection_id", "address"]
ORDER += ["node", "except_token", "issued_before", "margin", "code", "limit", "timeout"]
"""The order of arguments in all functions: what selects tokens and sockets, then the options."""


def test_package_exports_these_names():
    assert set(channels_token_auth.__all__) == PUBLIC


@pytest.mark.parametrize(("module", "names"), MODULES.items())
def test_public_module_exports_these_names(module, names):
    assert set(import_module(f"channels_token_auth.{module}").__all__) == names


def test_every_export_can_be_imported():
    assert {name for name in PUBLIC if getattr(channels_token_auth, name, None) is None} == set()


def test_dir_lists_every_export():
    assert set(dir(channels_token_auth)) >= PUBLIC


def test_import_of_the_package_loads_no_django():
    program = "import channels_token_auth, sys; print('django' in sys.modules)"
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, text=True).strip() == "False"


@pytest.mark.parametrize("name", BOTH_FORMS)
def test_both_forms_of_a_function_have_its_name_arguments_and_documentation(name):
    plain, other = (getattr(channels_token_auth, each) for each in (name, f"a{name}"))
    assert inspect.signature(plain) == inspect.signature(other)
    assert (plain.__name__, other.__name__) == (name, f"a{name}")
    assert plain.__doc__
    assert other.__doc__
    assert inspect.iscoroutinefunction(other)


@pytest.mark.parametrize("name", BOTH_FORMS)
def test_optional_arguments_are_named_and_in_one_order(name):
    given = inspect.signature(getattr(channels_token_auth, name)).parameters.values()
    optional = [each for each in given if each.default is not each.empty]
    assert {each.kind for each in optional} == {inspect.Parameter.KEYWORD_ONLY}
    places = [ORDER.index(each.name) for each in optional]
    assert places == sorted(places)


def members():
    """Yield each exported function and class, and the public methods of each class."""
    for module in ["", *(f".{each}" for each in MODULES)]:
        home = import_module(f"channels_token_auth{module}")
        for name in home.__all__:
            value = getattr(home, name)
            if inspect.isclass(value) or callable(value):
                yield name, value
            if inspect.isclass(value):
                for each, member in vars(value).items():
                    function = getattr(member, "__func__", member)
                    if not each.startswith("_") and inspect.isfunction(function):
                        yield f"{name}.{each}", function


def test_every_public_function_class_and_method_is_documented():
    assert [name for name, value in members() if not inspect.getdoc(value)] == []


IMPORT = re.compile(
    r"^\s*from (channels_token_auth[\w.]*) import \(?([\w\s,]+?)(?:\)|$)", re.MULTILINE
)


def imports_of_documents():
    for page in PAGES:
        for code in snippets(page, "python"):  # some are parts of a module, which cannot be parsed
            for module, names in IMPORT.findall(code):
                yield page, module, re.findall(r"\w+", names)


def test_documents_import_public_names_only():
    allowed = {"channels_token_auth": PUBLIC} | {
        f"channels_token_auth.{name}": names for name, names in MODULES.items()
    }
    found = [*imports_of_documents()]
    assert found
    assert [
        (page, module, name)
        for page, module, names in found
        for name in names
        if name not in allowed.get(module, ())
        and not module.startswith("channels_token_auth.backends.")
    ] == []
