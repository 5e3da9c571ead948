"""Error reporters show the variables of all frames, and loggers the text: neither has the token."""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from channels_token_auth import (
    BaseTokenBackend,
    Revocations,
    TokenAuthError,
    adisconnect,
    arevoke_token,
    arevoke_user,
    disconnect,
    revoke_token,
    revoke_user,
)

pytestmark = pytest.mark.database
RAW = "tok_" + "k9Qz7Lw2" * 4


class Quoting(BaseTokenBackend):
    """A store that fails to revoke, and whose errors quote the token, as those of drivers do."""

    name = "quoting"
    schemes = frozenset({"bearer"})
    revocations = Revocations.ROWS
    knows_tokens = True

    def authenticate(self, credentials):
        if self.knows_tokens:
            return [None] * len(credentials)
        raise OperationalError(f"cannot find {credentials[0].secret.reveal()}")

    def revalidate(self, grants):
        return [None] * len(grants)

    def revoke(self, grants):
        raise OperationalError(f"cannot delete {[each.authentication.token_id for each in grants]}")

    def revoke_user(self, user_pk, *, except_token_id, issued_before):
        raise OperationalError(f"cannot spare {except_token_id}")


class Away(Quoting):
    """A backend whose errors quote the token, and that cannot verify either."""

    knows_tokens = False


@pytest.fixture
def ada(db):
    return User.objects.create(username="ada")


CALLS = {
    "revoke_token": lambda user: revoke_token(RAW),
    "disconnect": lambda user: disconnect(token=RAW),
    "revoke_user": lambda user: revoke_user(user, except_token=RAW),
}
ASYNC_CALLS = {
    "arevoke_token": lambda user: arevoke_token(RAW),
    "adisconnect": lambda user: adisconnect(token=RAW),
    "arevoke_user": lambda user: arevoke_user(user, except_token=RAW),
}
# A store that answers "unknown" gives `disconnect` no reason to fail.
FAILURES = [
    (kind, name)
    for kind in (Quoting, Away)
    for name in CALLS
    if (kind, name) != (Quoting, "disconnect")
]


def shown_by(error):
    """Return all that a reporter finds in an error: texts, and variables outside of the tests."""
    found = []
    while error is not None:
        found.append(repr(error))
        frame = error.__traceback__
        while frame is not None:
            if frame.tb_frame.f_code.co_filename != __file__:
                found += map(repr, frame.tb_frame.f_locals.values())
            frame = frame.tb_next
        error = error.__cause__ or error.__context__
    return "\n".join(found)


@pytest.mark.parametrize(("kind", "name"), FAILURES)
def test_error_of_a_revocation_shows_no_token(site, ada, caplog, kind, name):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": f"{__name__}.{kind.__name__}"}]}
    with pytest.raises(TokenAuthError, match="unavailable") as caught:
        CALLS[name](ada)
    assert RAW not in shown_by(caught.value)
    assert RAW not in caplog.text
    assert "OperationalError" in caplog.text


@pytest.mark.parametrize(("kind", "name"), FAILURES)
async def test_error_in_asynchronous_code_shows_no_token(site, ada, caplog, kind, name):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": f"{__name__}.{kind.__name__}"}]}
    with pytest.raises(TokenAuthError, match="unavailable") as caught:
        await ASYNC_CALLS[f"a{name}"](ada)
    assert RAW not in shown_by(caught.value)
    assert RAW not in caplog.text
