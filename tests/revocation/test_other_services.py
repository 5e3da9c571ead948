"""Users who have no row here: a token names them by a key of another service's."""

from channels_token_auth import aconnections, adisconnect
from channels_token_auth.backends.sources.users import primary_key


async def test_user_of_another_service_is_named_by_his_key_there(sockets, token):
    socket = await sockets(token.key)
    assert (await aconnections(user="auth0|7")).total == 0
    await adisconnect(user="auth0|7")
    assert await socket.stays()
    assert primary_key("auth0|7") == "auth0|7"


async def test_key_as_text_is_the_same_user(sockets, token):
    await sockets(token.key)
    assert (await aconnections(user=str(token.user_id))).total == 1
