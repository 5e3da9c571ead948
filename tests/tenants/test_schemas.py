"""Real django-tenants: two schemas in PostgreSQL, each with a user 1 and a token of its own."""

import json
import subprocess
import sys

import pytest

from tests.services import postgresql

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found():
    with postgresql() as server:
        done = subprocess.run(
            [sys.executable, "-m", "tests.tenants.schemas", json.dumps(server.settings)],
            check=False,
            capture_output=True,
            text=True,
            timeout=600,  # it ends what hangs only
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # django-tenants prints, too


@pytest.mark.asvs("8.4.1")
@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("batch", ["accept", "close", "close", "accept"] * 5 + ["close"]),
        ("users", [["acme-1", "acme"], ["globex-1", "globex"]]),
        ("stateless", ["accept", "close", "close"]),
        ("ticket", [200, "close", "accept"]),
        ("check", [200, 401]),
        ("listed", [7, 5]),
        ("second", ["accept", "accept"]),
        ("swept", [4410, []]),
        ("not believed", "close"),
        ("forwarded", ["accept", "close"]),
        ("tickets", [200] * 8 + [429, 200]),
        ("logins", ["accept", "accept"]),
        ("logout", [200, 400]),
        ("logged out", [4410, []]),
        ("logout of b", 200),
        ("logged out of b", 4410),
        ("third", ["accept", "accept"]),
        ("replaced", [4419, []]),
        ("again", "accept"),
        ("margin", [4419, []]),
        ("revoked", [4410] * 5),
        ("still open", [[]] * 5),
        ("denied", ["close", "accept"]),
        ("deleted", [4410] * 5),
        ("second at the end", []),
    ],
)
def test_tenants_never_meet(found, scene, expected):
    assert found[scene] == expected
