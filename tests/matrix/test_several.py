"""Several backends at once: what a token costs that none of them knows, and who decides on one."""

import pytest

from channels_token_auth.core.credentials import Location
from tests.matrix.kind import new_user
from tests.matrix.kinds import KINDS
from tests.matrix.kinds.jwts import RESTFramework
from tests.matrix.site import asking, site, visit

pytestmark = [pytest.mark.database, pytest.mark.django_db]
BY_NAME = {kind.name: kind for kind in KINDS}
ROWS = [BY_NAME[name] for name in ("drf", "knox", "oauth2", "allauth")]
JWTS = [BY_NAME[name] for name in ("simplejwt", "jwt", "allauth_jwt")]


@pytest.mark.parametrize("kind", [*ROWS, *JWTS], ids=repr)
def test_unknown_token_costs_one_query_at_most_however_many_backends_there_are(kind):
    with site(*ROWS, *JWTS):
        token = kind.unknown(new_user())
        with asking(1):
            assert visit(token, Location.HEADER).slug == "token_invalid"


@pytest.mark.parametrize("kind", JWTS, ids=repr)
def test_jwt_that_nobody_has_signed_costs_no_query_at_any_backend_of_jwts(kind):
    with site(*JWTS):
        token = kind.unknown(new_user())
        with asking(0):
            assert visit(token, Location.HEADER).slug == "token_invalid"


@pytest.mark.parametrize(
    ("location", "names"),
    [
        (Location.COOKIE, ["session", "allauth"]),
        (Location.HEADER, ["simplejwt", "rest_framework"]),
    ],
)
def test_token_that_two_backends_accept_is_the_firsts(location, names):
    first, second = (BY_NAME[name] for name in names)
    for kinds in [(first, second), (second, first)]:
        with site(*kinds, cookie="sessionid"):
            token = second.valid(new_user())
            assert visit(token, location).scope["auth"].backend == kinds[0].name


class Unlisted(RESTFramework):
    """The package's own class, which does not look into the blacklist."""

    options = {  # noqa: RUF012 - see Kind
        "authentication_classes": ["rest_framework_simplejwt.authentication.JWTAuthentication"]
    }


def test_token_that_the_first_backend_refuses_is_not_shown_to_the_next():
    kinds = [BY_NAME["simplejwt"], Unlisted()]
    with site(*kinds):
        token = kinds[0].revoked(new_user())
        assert visit(token, Location.HEADER).slug == "token_revoked"
    with site(*reversed(kinds)):
        assert visit(token, Location.HEADER).scope
