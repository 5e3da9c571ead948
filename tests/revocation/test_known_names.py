"""Misspelt names of backends, issuers and labels: an error, and never a revocation of nothing."""

import pytest

from channels_token_auth import (
    BaseTokenBackend,
    aconnections,
    adisconnect,
    arevoke,
    arevoke_token,
)
from channels_token_auth.living import Living
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.verification import authenticator
from tests.revocation.test_commands import manage
from tests.revocation.test_labels import entry
from tests.verification.odd_caches import cache as cache_of

BACKENDS = "channels_token_auth.backends"
DRF = {"BACKEND": f"{BACKENDS}.drf.DRFTokenBackend"}
SIMPLE_JWT = {"BACKEND": f"{BACKENDS}.simplejwt.SimpleJWTBackend"}
ID = "6f1f34d2-7c3e-4d3b-9d6a-0123456789ab"
SID = {"sid": "s1"}


class OwnBackend(BaseTokenBackend):
    """A backend of a site, with labels of which it declares no names."""

    has_labels = True

    def authenticate(self, credentials):
        return [None] * len(credentials)

    def revalidate(self, grants):
        return [None] * len(grants)


OWN = {"BACKEND": f"{__name__}.OwnBackend", "OPTIONS": {"name": "own"}}


@pytest.fixture(autouse=True)
def names(site, monkeypatch):
    # Routes that other tests keep would have backends with other names.
    monkeypatch.setattr(authenticator, "authenticators", Living())
    use(site, entry("a", "https://a"), entry("b", "https://b"), DRF)
    site.CACHES = cache_of("django.core.cache.backends.locmem.LocMemCache")
    return site


def use(site, *backends):
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "BACKENDS": [*backends]}


CALLS = {
    "backend": lambda: arevoke_token(ID, backend="typo"),
    "issuer": lambda: arevoke_token(ID, issuer="https://typo"),
    "issuer of rows": lambda: arevoke_token(ID, backend="drf", issuer="https://a"),
    "issuer of another": lambda: arevoke_token(ID, backend="b", issuer="https://a"),
    "backend of labels": lambda: arevoke(label=SID, backend="typo"),
    "one of several": lambda: arevoke(label=SID, backend=["a", "typo"]),
    "rows have no labels": lambda: arevoke(label=SID, backend="drf"),
    "issuer of labels": lambda: arevoke(label=SID, issuer="https://typo"),
    "label": lambda: arevoke(label={"sdi": "s1"}),
    "claim of a label": lambda: arevoke(label={"azp": "web"}),
    "one of two labels": lambda: arevoke(label={"sid": "s1", "sdi": "s1"}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_unknown_name_is_an_error(call, told):
    with pytest.raises(ValueError, match=r"'(a|https://a|https://b|sid)'"):
        await call()
    assert not told


KNOWN = {
    "backend": lambda: arevoke_token(ID, backend="a", issuer="https://a"),
    "sessions": lambda: arevoke_token("a" * 32, backend="session"),
    "labels": lambda: arevoke(label={"sid": "s1", "client_id": "web", "tid": "7"}),
    "several": lambda: arevoke(label=SID, backend=iter(["a", "b"]), issuer="https://a"),
}


@pytest.mark.parametrize("call", KNOWN.values(), ids=KNOWN)
async def test_known_names_are_accepted(call, told):
    TokenAuthMiddleware(None)  # a process that serves sockets
    await call()
    assert {name for name, _ in told} == {"token_revoked"}


async def test_backend_of_a_route_is_known(told):
    route = TokenAuthMiddleware(None, backends=[entry("routed", "https://a")])
    await arevoke_token(ID, backend="routed", issuer="https://a")
    assert told
    assert route


FROM_OUTSIDE = {
    "token": lambda: arevoke_token(ID, backend="routed", issuer="https://a"),
    "issuer": lambda: arevoke_token(ID, issuer="https://a"),
}


@pytest.mark.parametrize("call", FROM_OUTSIDE.values(), ids=FROM_OUTSIDE)
async def test_routes_of_the_application_are_known_to_other_processes(call, names, told):
    """As in a command or a task queue, which have not imported `asgi.py`."""
    use(names, entry("b", "https://b"), DRF)
    names.ASGI_APPLICATION = "tests.revocation.routed.application"
    await call()
    assert told


LABELS_FROM_OUTSIDE = {
    "close": lambda: adisconnect(label=SID),
    "close of a backend": lambda: adisconnect(label=SID, backend="routed"),
    "list": lambda: aconnections(label=SID, timeout=0),
}


@pytest.mark.parametrize("call", LABELS_FROM_OUTSIDE.values(), ids=LABELS_FROM_OUTSIDE)
async def test_labels_of_a_route_are_known_to_other_processes(call, names):
    use(names, DRF)
    with pytest.raises(ValueError, match=r"'(sid|routed)'"):
        await call()
    names.ASGI_APPLICATION = "tests.revocation.routed.application"
    await call()


async def test_application_that_cannot_be_imported_has_no_names(names, told):
    names.ASGI_APPLICATION = "tests.revocation.nowhere.application"
    with pytest.raises(ValueError, match="'routed'"):
        await arevoke_token(ID, backend="routed")
    assert not told


@pytest.mark.parametrize(
    ("other", "which"),
    [
        (SIMPLE_JWT, {"issuer": "https://any"}),
        (OWN, {"issuer": "https://any"}),
        (OWN, {"label": {"any": "1"}}),
    ],
)
async def test_names_that_no_option_bounds_are_not_checked(names, other, which, told):
    use(names, entry("a", "https://a"), other)
    TokenAuthMiddleware(None)
    await (arevoke(**which) if "label" in which else arevoke_token(ID, **which))
    assert told


@pytest.mark.parametrize(
    "call",
    [
        ["token_revoke", ID, "--backend=typo"],
        ["token_revoke", ID, "--issuer=https://typo"],
        ["token_revoke", "--label=sdi=s1"],
        ["token_revoke", "--label=sid=s1", "--backend=typo"],
        ["token_revoke", "--user=ada", f"--except={ID}", "--backend=typo"],
        ["token_connections", "--backend=typo"],
        ["token_connections", "--issuer=https://typo"],
        ["token_connections", "--label=sdi=s1"],
    ],
)
@pytest.mark.usefixtures("ada")
async def test_commands_report_an_unknown_name(call):
    code, *text = await manage(*call)
    assert code == 2
    assert "typo" in str(text) or "sdi" in str(text)
