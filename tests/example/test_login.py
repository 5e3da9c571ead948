"""`POST /api/login/`; attempts are counted by address, so most tests bring one of their own."""

import json
import time

import pytest

JSON = {"Content-Type": "application/json"}


def test_form_login_gives_the_token(system, token):
    answer = system.log_in(username="suraj", password="123", address="127.0.1.1")
    assert (answer.status, answer.json()) == (200, {"token": token})
    assert "no-store" in answer.headers["Cache-Control"]


def test_json_login_gives_the_same_token(system, token):
    body = json.dumps({"username": "suraj", "password": "123"})
    assert system.request("POST", "/api/login/", body, JSON).json() == {"token": token}


def test_unknown_user_wrong_password_and_inactive_user_look_the_same(system):
    code = "from django.contrib.auth.models import User as U; "
    code += "U.objects.create_user('gone', password='gone-123', is_active=False)"
    assert system.manage("shell", "-v0", "-c", code).returncode == 0
    attempts = [("suraj", "wrong"), ("nobody", "wrong"), ("gone", "gone-123"), ("suraj", "")]
    answers, seconds = [], []
    for username, password in attempts:
        started = time.monotonic()
        answers.append(system.log_in(username=username, password=password, address="127.0.1.2"))
        seconds.append(time.monotonic() - started)
    assert {answer.status for answer in answers} == {400}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert list(answers[0].json()) == ["user_not_found"]
    # One password is hashed each time; not doing so would be a hundred times as fast.
    assert min(seconds) > max(seconds) / 10


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"username": "suraj"}',
        b'{"password": "123"}',
        b'{"username": "su\\u0000raj", "password": "123"}',
        b'{"username": "\\ud800", "password": "123"}',
        b'{"username": {"a": 1}, "password": ["123"]}',
        b'{"username": "\xff", "password": "123"}',
        b'{"username": "' + b"x" * 151 + b'", "password": "123"}',
    ],
)
def test_malformed_login_is_answered_with_400_and_no_token(system, body):
    answer = system.request("POST", "/api/login/", body, JSON, address="127.0.1.3")
    assert answer.status == 400
    assert "token" not in answer.json()


def test_guessing_one_username_is_throttled_and_its_owner_is_not(system):
    def guess():
        # Without a password: counted all the same, and nothing is hashed.
        return system.log_in(
            username="suraj", address="127.0.1.4", headers={"X-Forwarded-For": str(time.time())}
        )

    answers = [guess() for _ in range(11)]
    assert [answer.status for answer in answers] == [400] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert system.log_in(username="someone-else", address="127.0.1.4").status == 400
    assert system.log_in(username="suraj", password="123", address="127.0.1.5").status == 200


def test_one_address_is_throttled_over_all_usernames(system):
    statuses = [
        system.log_in(username=f"user-{number}", address="127.0.1.6").status for number in range(61)
    ]
    assert statuses == [400] * 60 + [429]


@pytest.mark.parametrize(("origin", "allowed"), [("null", "null"), ("http://evil.example", None)])
def test_login_may_be_read_by_allowed_origins_only(system, origin, allowed):
    answer = system.log_in(username="x", address="127.0.1.7", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == allowed


def test_created_superuser_has_a_token(system):
    created = system.manage(
        *("createsuperuser", "--noinput", "--username", "root", "--email", "root@example.com"),
        DJANGO_SUPERUSER_PASSWORD="root-password-1",
    )
    assert created.returncode == 0, created.stderr
    query = "from rest_framework.authtoken.models import Token; "
    query += "print(Token.objects.filter(user__username='root').count())"
    assert system.manage("shell", "-v0", "-c", query).stdout.strip() == "1"
