"""Values that no user and no token can have: a documented error, or nobody. Never an outage."""

from decimal import Decimal

import pytest

from channels_token_auth import aconnections, adisconnect, arevoke_token, arevoke_user
from channels_token_auth.backends.sources.users import named_user
from channels_token_auth.core.identity import FOREIGN, UserKey
from tests.revocation.test_commands import manage
from tests.revocation.test_given import CALLS, backends, has_revoked  # noqa: F401 - a fixture

BY_USER = {name: CALLS[name] for name in ("revoke", "revoke_token", "disconnect", "connections")}
BY_USER["revoke_user"] = arevoke_user
NO_USERS = [1.5, float("inf"), float("nan"), 10**5000, Decimal("Infinity"), b"1", ["1"], object()]
NO_USERS += ["\udcff"]


@pytest.mark.parametrize("value", NO_USERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", [*BY_USER])
async def test_value_that_no_user_has_as_a_key_is_an_error(name, value, sockets, token, told):
    """Django reads 1.5 and b"1" as the key 1."""
    socket = await sockets(token.key)
    with pytest.raises((TypeError, ValueError)):
        await BY_USER[name](user=value)
    assert await socket.stays()
    assert not has_revoked(told)


@pytest.mark.parametrize("value", NO_USERS, ids=lambda value: type(value).__name__)
def test_value_that_is_no_key_is_an_error_where_keys_are_texts(value, settings):
    """Django reads each of them as a text."""
    settings.AUTH_USER_MODEL = "own_users.Entry"
    with pytest.raises((TypeError, ValueError)):
        named_user(value)


def test_text_that_no_row_can_have_is_not_looked_for(settings):
    settings.AUTH_USER_MODEL = "own_users.Entry"
    assert named_user("\x00") == UserKey(kind=FOREIGN, key="\x00")


@pytest.mark.parametrize("key", [-1, 10**20, 10**400, "inf", "x", "x" * 1000, "\x00"])
@pytest.mark.parametrize("name", [*BY_USER])
async def test_key_that_no_user_of_this_site_can_have_selects_nobody_here(
    name, key, sockets, token
):
    """Another service may have such a user."""
    socket = await sockets(token.key)
    await BY_USER[name](user=key)
    assert await socket.stays()


async def test_key_that_no_user_of_a_backend_can_have_is_no_outage():
    for key in ("x", 10**400):
        await arevoke_token("t" * 32, user=key, backend="drf")


@pytest.mark.parametrize(
    "call",
    [
        arevoke_token,
        lambda token: adisconnect(token=token),
        lambda token: arevoke_user(1, except_token=token),
        lambda token: aconnections(token_id=token),
    ],
)
async def test_token_that_is_not_unicode_is_an_error(call):
    with pytest.raises(ValueError, match="surrogate"):
        await call("t\udcff")


async def test_argument_of_a_command_that_is_not_unicode_is_an_error(ada):
    calls = [["\udcff"], ["--user=\udcff"], ["--user=ada", "--except=\udcff"]]
    calls += [["--label=sid=\udcff"], ["--issuer=\udcff", "x"]]
    assert [(await manage("token_revoke", *call))[0] for call in calls] == [2] * 5
