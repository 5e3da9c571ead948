"""The pages on backends: their settings are right, and their tables list what the code has."""

import inspect
import sys
from types import ModuleType

import pytest
from django.core.checks import ERROR
from django.utils.module_loading import import_string
from rest_framework.authentication import TokenAuthentication

from channels_token_auth.backends.jwt.options import JWTOptions
from channels_token_auth.checks import check_settings
from docs import make_features
from tests.docs.pages import read, snippets, table
from tests.matrix.kinds import KINDS

kinds = pytest.mark.parametrize("kind", KINDS, ids=repr)


@pytest.fixture(autouse=True)
def _class_of_the_sites_own(monkeypatch):
    module = ModuleType("accounts.authentication")
    module.DeviceAuthentication = TokenAuthentication
    monkeypatch.setitem(sys.modules, module.__name__, module)


def page_of(kind):
    return f"docs/how-to/backends/{kind.page}.md"


def test_overview_is_drawn_from_the_matrix():
    drawn = make_features.page()
    assert read("docs/how-to/backends/index.md") == drawn, "run: python -m docs.make_features"


@kinds
def test_settings_on_its_page_name_it_and_pass_the_checks(kind, settings):
    written = [s for s in snippets(page_of(kind), "python") if "CHANNELS_TOKEN_AUTH =" in s]
    settings.DEBUG = True  # as in the reader's project
    names = {}
    for snippet in written:
        exec(snippet, names)
    for name in filter(str.isupper, names):
        setattr(settings, name, names[name])
    assert kind.path in "".join(written)
    assert [message for message in check_settings() if message.level >= ERROR] == []


@kinds
def test_its_page_lists_every_option_with_its_default(kind):
    options = list(_options(import_string(kind.path)))
    listed = {name: default for name, default, _ in table(page_of(kind), "option")}
    missing = [o.name for o in options if _default(o) not in listed.get(o.name, "").split(", ")]
    assert missing == []


@kinds
def test_its_page_names_what_has_to_be_installed(kind):
    assert kind.extra is None or f'pip install "channels-token-auth[{kind.extra}]"' in read(
        page_of(kind)
    )


def _options(backend):
    for option in inspect.signature(backend).parameters.values():
        is_any = option.kind is option.VAR_KEYWORD  # of `jwt`: these
        yield from _options(JWTOptions) if is_any else [option]


def _default(option):
    required = option.default is option.empty
    return "required" if required else repr(option.default).replace("'", '"')
