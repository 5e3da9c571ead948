"""The code in docs/how-to/scopes.md is run as a site's developer would run it."""

import sys

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from channels_token_auth.testing import TokenWebsocketCommunicator, fake_tokens
from channels_token_auth.testing.tokens import PATH
from tests.docs.pages import snippets


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The application of the page, where a token's user says who is on the staff."""
    consumer, asgi, function, configuration = snippets("docs/how-to/scopes.md", "python")
    (tmp_path / "chat").mkdir()
    (tmp_path / "chat" / "consumers.py").write_text(consumer)
    (tmp_path / "chat" / "scopes.py").write_text(function)
    monkeypatch.syspath_prepend(tmp_path)
    written = {}
    exec(asgi + configuration, written)
    (entry,) = written["CHANNELS_TOKEN_AUTH"]["BACKENDS"]
    users = {name: User(pk=7, username=name, is_staff=name == "ada") for name in ("ada", "bob")}
    given = {"BACKENDS": [{**entry, "BACKEND": PATH}]}
    with fake_tokens(users), override_settings(CHANNELS_TOKEN_AUTH=given):
        yield written["application"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "chat"]:
        del sys.modules[name]


async def connect(site, token):
    client = TokenWebsocketCommunicator(site, "/chat/", token=token)
    assert await client.connect() == (True, None)
    return client


async def test_who_may_read_is_greeted_and_who_may_delete_deletes(site):
    client = await connect(site, "ada")
    await client.send_json_to({})
    assert await client.receive_json_from() == {"hello": "ada"}
    await client.send_json_to({"delete": 5})
    assert await client.receive_json_from() == {"deleted": 5}
    await client.disconnect()


async def test_who_may_only_read_is_closed_with_4403_on_deleting(site):
    client = await connect(site, "bob")
    await client.send_json_to({"delete": 5})
    await client.wait()
    assert client.close_code == 4403
