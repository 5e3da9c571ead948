"""The settings on the pages of identity providers pass the library's own checks."""

import os
import re

import pytest
from django.core.checks import WARNING

from channels_token_auth.checks import check_settings
from channels_token_auth.verification.authenticator import site_authenticator
from tests.docs.pages import ROOT, read
from tests.verification.odd_caches import Remote, cache

FOLDER = ROOT / "docs" / "how-to" / "identity-provider"
OWN = "own-provider"
"""A page of several recipes, which `tests/providers/test_own_provider.py` runs."""
PAGES = sorted({path.stem for path in FOLDER.glob("*.md")} - {OWN})
WITHOUT_LOGOUTS = {"cognito", "entra", "firebase"}
WARNED_OF = {"firebase": {"channels_token_auth.W123"}}
"""Check ids of risks that a page itself mentions, and that its settings leave."""


def settings_of(page):
    """Return the settings on a page."""
    blocks = re.findall(
        r"```python\n(.*?)```", read(f"docs/how-to/identity-provider/{page}.md"), re.DOTALL
    )
    (block,) = [each for each in blocks if "CHANNELS_TOKEN_AUTH = {" in each]
    code = block[block.index("CHANNELS_TOKEN_AUTH") :]
    names = {"os": os}
    exec(compile(code, page, "exec"), names)
    return names["CHANNELS_TOKEN_AUTH"]


@pytest.fixture(params=PAGES)
def page(request, settings, monkeypatch):
    monkeypatch.setenv("INTROSPECTION_SECRET", "a-secret")
    settings.CACHES = cache(Remote)
    settings.CHANNELS_TOKEN_AUTH = settings_of(request.param)
    if "accounts.sso.find_user" in repr(settings.CHANNELS_TOKEN_AUTH):
        (entry,) = settings.CHANNELS_TOKEN_AUTH["IDENTITY_PROVIDERS"]
        entry["USER"] = "tests.providers.users.by_email"
        settings.CHANNELS_TOKEN_AUTH = {**settings.CHANNELS_TOKEN_AUTH}
    return request.param


@pytest.mark.django_db
def test_settings_of_the_page_pass_the_checks(page):
    of_tests = {"channels_token_auth.W007"}  # the channel layer of the tests
    messages = [each for each in check_settings() if each.level >= WARNING]
    found = {each.id for each in messages} - of_tests
    assert found == WARNED_OF.get(page, set())


def test_page_has_an_entry_if_the_provider_reports_anything(page, settings):
    assert bool(settings.CHANNELS_TOKEN_AUTH.get("IDENTITY_PROVIDERS")) is (
        page not in WITHOUT_LOGOUTS
    )
    assert len(site_authenticator().backends) == 1
