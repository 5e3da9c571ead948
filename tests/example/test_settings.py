"""With DEBUG off the example starts only when it is told what it needs."""

import json

import pytest
from websockets.exceptions import InvalidStatus

from tests.example.system import AS_SHIPPED, ExampleSystem, manage

PRODUCTION = {
    "EXAMPLE_SECRET_KEY": "a-key-for-tests-of-more-than-fifty-characters-0123456789",
    "EXAMPLE_ALLOWED_HOSTS": "127.0.0.1",
    "EXAMPLE_ORIGINS": "https://app.example.com",
}


def test_production_passes_the_deployment_check():
    checked = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, **AS_SHIPPED)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.slow  # two commands, each of which starts Django
def test_development_passes_the_check_and_has_all_migrations():
    assert manage("check", "--fail-level", "WARNING").returncode == 0
    assert manage("makemigrations", "--check", "--dry-run").returncode == 0


@pytest.mark.parametrize("missing", PRODUCTION)
def test_missing_variable_is_named(missing):
    variables = PRODUCTION | {missing: "", "EXAMPLE_DEBUG": "0"}
    checked = manage("check", **variables)
    assert checked.returncode != 0
    assert f"Set {missing} " in checked.stderr.splitlines()[-1]


@pytest.mark.parametrize("variable", ["EXAMPLE_DEBUG", "EXAMPLE_PROXIES"])
def test_nonsense_in_a_variable_is_named(variable):
    assert variable in manage("check", **{variable: "maybe"}).stderr.splitlines()[-1]


@pytest.mark.parametrize("command", ["demo_users", "demo"])
@pytest.mark.asvs("6.3.2", "15.2.3")
def test_known_passwords_need_debug(command):
    refused = manage(command, **PRODUCTION)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("CommandError: ")


def serve_production(system, **variables):
    command = ("-m", "uvicorn", "--port={port}", "--log-level=warning")
    return ExampleSystem(
        system.folder,
        *(*command, "config.asgi:application"),
        **(system.variables | PRODUCTION | variables),
    )


def test_production_takes_no_token_from_the_query(system, token):
    with serve_production(system) as production:
        with pytest.raises(InvalidStatus, match="401"):
            production.knock(f"/?token={token}")
        header = {"Authorization": f"Token {token}"}
        production.knock(additional_headers=header, origin="https://app.example.com")
        with pytest.raises(InvalidStatus, match="403"):
            production.knock(subprotocols=["token-auth.v1", f"bearer.{token}"], origin="null")
        redirect = production.request("GET", "/")
        assert redirect.headers["Location"].startswith("https://")
        # As load balancers ask, over plain HTTP.
        assert production.request("GET", "/auth/ready/").status == 200


def test_production_takes_it_from_the_query_when_asked_to(system, token):
    with serve_production(system, EXAMPLE_QUERY_TOKEN="1", EXAMPLE_PROXIES="1") as production:
        with production.socket(f"/?token={token}") as ws:
            ws.send(json.dumps({"command": "Say hello !", "data_string": "x"}))
            assert "data_string_bacK" in ws.recv(timeout=60)
        page = production.request("GET", "/", headers={"X-Forwarded-Proto": "https"})
        assert page.status == 200
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_production_names_nobody_to_log_in_as(system):
    with serve_production(system, EXAMPLE_PROXIES="1") as production:
        demo = production.request("GET", "/api/demo/", headers={"X-Forwarded-Proto": "https"})
        assert demo.json() == {}
