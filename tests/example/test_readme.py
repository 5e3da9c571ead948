"""The example's README: what it says to type works, and its table names every variable."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from shlex import join, quote

import pytest
from websockets.exceptions import InvalidStatus

from tests.docs.pages import ROOT, snippets, table
from tests.example.system import AS_SHIPPED, EXAMPLE, ExampleSystem, example_environment

PAGE = "example/README.md"
BY_HAND, PUBLIC = snippets(PAGE, "sh")
SUPERUSER = {
    "DJANGO_SUPERUSER_USERNAME": "ada",
    "DJANGO_SUPERUSER_EMAIL": "ada@example.com",
    "DJANGO_SUPERUSER_PASSWORD": "lovelace-1",
}
# Each argument is a command of `manage.py`.
COMMANDS = """
import runpy, sys
for command in sys.argv[1:]:
    sys.argv = ["manage.py", *command.split()]
    runpy.run_path("manage.py", run_name="__main__")
"""


def script(block):
    """Return a block up to its last line, and that line: it serves until it is stopped."""
    *lines, last = block.strip().splitlines()
    return "\n".join(["set -eu", *lines]), last


def run(lines, folder, **variables):
    environ = example_environment(**variables)
    subprocess.run(["bash", "-c", lines], cwd=folder, env=environ, check=True, timeout=1800)


def quickly(lines):
    """Return the lines with uv in place of pip, and the commands of Django in one process.

    pip takes ten times as long to do the same, and each process half a second to import Django.
    """
    uv = shutil.which("uv") or ROOT / ".dev" / "uv"
    lines = lines.replace("python3 -m venv", f"{uv} venv --quiet").replace('"pip>=25.1"', "pip")
    lines = lines.replace("pip install", f"{uv} pip install --quiet")
    lines, *commands = lines.split("\npython manage.py ")
    return f"{lines}\npython -c {quote(COMMANDS)} {join(commands)}"


@pytest.mark.slow  # installs the example into an empty environment
@pytest.mark.parametrize("installed", [quickly, pytest.param(str, marks=pytest.mark.measured)])
def test_steps_by_hand_serve_the_page_the_admin_and_a_socket(tmp_path, installed):
    lines, last = script(BY_HAND)
    lines = lines.replace("createsuperuser", "createsuperuser --noinput")
    lines = installed(lines).replace(".venv", str(tmp_path / "venv"))
    database = str(tmp_path / "db.sqlite3")
    variables = {"EXAMPLE_DATABASE": database, **AS_SHIPPED}
    run(lines, ROOT, **variables, **SUPERUSER)
    python, *arguments = last.split()
    command = (str(tmp_path / "venv" / "bin" / python), *arguments, "--noreload", "{port}")
    with ExampleSystem(tmp_path, *command, **variables) as system:
        assert system.request("GET", "/admin/login/").status == 200
        assert system.log_in(username="ada", password="lovelace-1").status == 200
        system.knock(f"/?token={system.token()}")


@pytest.mark.slow  # Django's commands, one after the other
def test_steps_for_the_public_serve_the_page_and_refuse_a_token_in_the_query(tmp_path):
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("db.sqlite3*", "staticfiles"))
    lines, last = script(PUBLIC)
    lines = lines.replace("ALLOWED_HOSTS=app.example.com", "ALLOWED_HOSTS=127.0.0.1")
    path = f"PATH={Path(sys.executable).parent}:$PATH"
    served = f"cd {folder}; {path}\n{lines}\nexec {last.replace('8000', '{port}')}"
    with ExampleSystem(tmp_path, "bash", "-c", served, **AS_SHIPPED) as system:
        https = {"X-Forwarded-Proto": "https"}
        assert system.request("GET", "/", headers=https).status == 200
        static = "/static/channels_token_auth/token-socket.classic.js"
        assert system.request("GET", static, headers=https).status == 200
        with pytest.raises(InvalidStatus, match="401"):
            system.knock("/?token=anything")


def test_table_names_every_variable_that_the_code_reads():
    code = "".join(path.read_text() for path in EXAMPLE.rglob("*.py"))
    read = set(re.findall(r"EXAMPLE_[A-Z_]+", code))
    assert {row[0] for row in table(PAGE, "variable")} == read
