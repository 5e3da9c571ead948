"""`POST /api/login/`; attempts are counted by address, so most tests bring one of their own."""

import itertools
import json
import time

import pytest
from websockets.exceptions import InvalidStatus

from tests.example.counting import HASHED
from tests.example.system import COUNTING, ExampleSystem

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def listing(tmp_path_factory):
    """A development system for the pages of one origin only."""
    folder = tmp_path_factory.mktemp("listing")
    with ExampleSystem(folder, EXAMPLE_ORIGINS="http://localhost:9") as running:
        yield running


def test_form_login_gives_the_token(system, token):
    answer = system.log_in(username="suraj", password="123", address="127.0.1.1")
    assert (answer.status, answer.json()) == (200, {"token": token})
    assert "no-store" in answer.headers["Cache-Control"]


def test_json_login_gives_the_same_token(system, token):
    body = json.dumps({"username": "suraj", "password": "123"})
    assert system.request("POST", "/api/login/", body, JSON).json() == {"token": token}


@pytest.fixture
def counting(tmp_path):
    """A system of the test's own, which prints a line for each password that it hashes."""
    with ExampleSystem(tmp_path, **COUNTING) as running:
        yield running


@pytest.mark.asvs("6.3.8")
def test_unknown_user_wrong_password_and_inactive_user_look_the_same(counting):
    """To hash is nearly all that a login does: one hash for each takes the same time for each."""
    code = "from django.contrib.auth.models import User as U; "
    code += "U.objects.create_user('gone', password='gone-123', is_active=False)"
    assert counting.manage("shell", "-v0", "-c", code).returncode == 0
    attempts = [("suraj", "wrong"), ("nobody", "wrong"), ("gone", "gone-123"), ("suraj", "")]
    answers, hashed = zip(*(counted_log_in(counting, *each) for each in attempts), strict=True)
    assert {answer.status for answer in answers} == {400}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert list(answers[0].json()) == ["user_not_found"]
    assert hashed == (1, 1, 1, 1)


def counted_log_in(system, username, password):
    """Return the answer, and how many passwords the system has hashed for it."""
    before = system.output.count(HASHED)
    answer = system.log_in(username=username, password=password, address="127.0.2.1")
    return answer, system.output.count(HASHED) - before


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
RIGHT = b'{"username": "suraj", "password": "123"}'
addresses = (f"127.0.2.{number}" for number in itertools.count(1))


def refused(system, body, headers, address=None):
    """Assert that a client of the tutorial reads this answer as a refusal, and return it."""
    address = address or next(addresses)
    answer = system.request("POST", "/api/login/", body, headers, address=address)
    assert list(answer.json()) == ["user_not_found"]
    assert "no-store" in answer.headers["Cache-Control"]
    return answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"suraj"',
        b"\xff\xfe\x00",
        b"[" * 50_000,
        b'{"a":' * 10_000,
        b'{"username": ' + b"9" * 5_000 + b"}",
        b'{"username": "suraj"}',
        b'{"password": "123"}',
        b'{"username": null, "password": null}',
        b'{"username": true, "password": 1e999}',
        b'{"username": NaN, "password": "123"}',
        b'{"username": "su\\u0000raj", "password": "123"}',
        b'{"username": "\\ud800", "password": "123"}',
        b'{"username": {"a": 1}, "password": ["123"]}',
        b'{"username": "\xff", "password": "123"}',
        b'{"username": "' + b"x" * 151 + b'", "password": "123"}',
        b'{"username": "suraj", "password": "' + b"x" * 5_000 + b'"}',
        RIGHT + b" " * 70_000,
        RIGHT + b" " * 3_000_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_malformed_json_is_answered_as_an_unknown_user(system, body):
    assert refused(system, body, JSON).status == 400


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM, b""),
        (FORM, b"username=suraj"),
        (FORM, b"username=su%00raj&password=123"),
        (FORM, b"username=%ff&password=%ff"),
        (FORM, b"username[]=suraj&password[]=123"),
        (FORM, b"&".join(b"a%d=1" % number for number in range(2_000))),
        (FORM, b"x" * 3_000_000),
        (FORM | {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08"),
        (MULTIPART, b""),
        (MULTIPART, PART % (b"username", b"suraj") + b"--b--"),
        (MULTIPART, PART % (b'username"; filename="x', b"suraj") + b"--b--"),
        (MULTIPART, (PART % (b"a", b"")) * 1_500 + b"--b--"),
        ({"Content-Type": "multipart/form-data; boundary=b; charset=rot13"}, PART % (b"a", b"b")),
    ],
    ids=lambda part: repr(part[:40]) if isinstance(part, bytes) else "",
)
def test_malformed_form_is_answered_as_an_unknown_user(system, headers, body):
    assert refused(system, body, headers).status == 400


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "/", ";", "json", "a" * 5_000]
)
def test_wrong_content_type_is_answered_as_an_unknown_user(system, content_type):
    assert refused(system, RIGHT, {"Content-Type": content_type}).status == 400


@pytest.mark.parametrize("charset", ["utf-7", "zlib", "hex", "no-such-charset"])
def test_charset_of_json_is_ignored(system, token, charset):
    headers = {"Content-Type": f"application/json; charset={charset}"}
    answer = system.request("POST", "/api/login/", RIGHT, headers, address=next(addresses))
    assert answer.json() == {"token": token}


def test_login_by_a_multipart_form_gives_the_token(system, token):
    body = PART % (b"username", b"suraj") + PART % (b"password", b"123") + b"--b--\r\n"
    answer = system.request("POST", "/api/login/", body, MULTIPART, address=next(addresses))
    assert answer.json() == {"token": token}


def test_login_works_without_the_last_slash(system, token):
    answer = system.request("POST", "/api/login", RIGHT, JSON, address=next(addresses))
    assert answer.json() == {"token": token}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_answered_as_an_unknown_user(system, method):
    answer = system.request(method, "/api/login/")
    assert (answer.status, list(answer.json())) == (405, ["user_not_found"])


def within_a_minute(attempt, count):
    """Return an address, and the answers to its attempts, all of which count for one throttle.

    On a machine that needs more than a minute for them, the first no longer count for the last.
    """
    for _ in range(5):
        address, began = next(addresses), time.monotonic()
        answers = [attempt(address, number) for number in range(count)]
        if time.monotonic() - began < 60:
            break
    return address, answers


def test_throttled_login_is_answered_as_an_unknown_user(system):
    def attempt(address, _):
        return refused(system, b"username=ada&password=", FORM, address)

    _, answers = within_a_minute(attempt, 11)
    assert {answer.status for answer in answers} == {400, 429}


def test_guessing_one_username_is_throttled_and_its_owner_is_not(system):
    def guess(address, _):
        # Without a password: counted all the same, and nothing is hashed.
        forwarded = {"X-Forwarded-For": str(time.time())}
        return system.log_in(username="suraj", address=address, headers=forwarded)

    address, answers = within_a_minute(guess, 11)
    assert [answer.status for answer in answers] == [400] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert system.log_in(username="someone-else", address=address).status == 400
    other = next(addresses)
    assert system.log_in(username="suraj", password="123", address=other).status == 200


def test_one_address_is_throttled_over_all_usernames(system):
    def attempt(address, number):
        return system.log_in(username=f"user-{number}", address=address)

    _, answers = within_a_minute(attempt, 61)
    assert [answer.status for answer in answers] == [400] * 60 + [429]


LOCAL_PAGES = [
    "null",
    "file://",
    "http://localhost",
    "http://localhost:5173",
    "http://app.localhost:3000",
    "http://127.0.0.1:5500",
    "http://[::1]:8080",
    "https://localhost:8443",
]
OTHER_PAGES = [
    "http://evil.example",
    "http://localhost.evil.example",
    "http://evil-localhost",
    "http://127.0.0.1.evil.example:5500",
    "http://192.168.0.7:5500",
]


@pytest.mark.parametrize("origin", LOCAL_PAGES)
def test_local_page_logs_in_and_connects(system, token, origin):
    headers = JSON | {"Origin": origin}
    answer = system.request("POST", "/api/login/", RIGHT, headers, address=next(addresses))
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.json() == {"token": token}
    system.knock(f"/?token={token}", origin=origin)


@pytest.mark.parametrize("origin", OTHER_PAGES)
def test_other_page_can_neither_read_the_login_nor_connect(system, token, origin):
    answer = system.log_in(username="x", address=next(addresses), headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] is None
    with pytest.raises(InvalidStatus, match="403"):
        system.knock(f"/?token={token}", origin=origin)


@pytest.mark.parametrize("origin", LOCAL_PAGES[2:])
def test_listed_origins_replace_the_local_ones(listing, origin):
    answer = listing.log_in(username="x", address=next(addresses), headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] is None
    with pytest.raises(InvalidStatus, match="403"):
        listing.knock(f"/?token={listing.token()}", origin=origin)


def test_created_superuser_has_a_token(system):
    created = system.manage(
        *("createsuperuser", "--noinput", "--username", "root", "--email", "root@example.com"),
        DJANGO_SUPERUSER_PASSWORD="root-password-1",
    )
    assert created.returncode == 0, created.stderr
    query = "from rest_framework.authtoken.models import Token; "
    query += "print(Token.objects.filter(user__username='root').count())"
    assert system.manage("shell", "-v0", "-c", query).stdout.strip() == "1"
