"""Debian packages: fresh package lists first, then one clear line for what is wrong."""

import os
import time

import pytest

APT = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/../apt-calls"
case "$*" in *update) touch "$(dirname "$0")/../lists";; esac
case "$*" in
    *Error-Mode=any*"{fails}"* | *install*"{fails}"*) echo "E: no such host"; exit 100;;
    *"{fails}"*) echo "W: no such host";;
esac
"""
PROGRAM = """
from pathlib import Path
from tools import debian, programs
debian.LISTS = Path({lists!r})
debian.os.geteuid = lambda: {user}
try:
    debian.install_packages(["nginx"])
except programs.UserError as error:
    raise SystemExit(str(error))
"""


@pytest.fixture
def lists(tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    return lists


@pytest.fixture
def install(checkout, lists, tmp_path):
    """Installs nginx with an apt-get that records its arguments."""

    def install(fails="nothing", user=0, **environ):
        checkout.add_program("apt-get", APT.format(fails=fails))
        finished = checkout.execute(PROGRAM.format(lists=str(lists), user=user), **environ)
        calls = tmp_path / "apt-calls"
        return finished, calls.read_text().split("\n")[:-1] if calls.exists() else []

    return install


def age(lists, days):
    moment = time.time() - days * 24 * 60 * 60
    os.utime(lists, (moment, moment))


def test_fresh_lists_are_used_as_they_are(install):
    _, (call,) = install()
    assert call.endswith("install --no-install-recommends nginx")


def test_lists_older_than_a_day_are_refreshed_and_it_says_so(install, lists):
    age(lists, 90)
    finished, (update, _) = install()
    assert update.endswith(" update")
    assert "package lists, which are 90.0 days old" in finished.stdout


def test_missing_lists_are_fetched(install, lists):
    lists.rmdir()
    finished, (update, _) = install()
    assert update.endswith(" update")
    assert "package lists, which are missing" in finished.stdout


def test_failed_refresh_is_reported_and_the_old_lists_are_tried(install, lists):
    age(lists, 2)
    finished, (_, call) = install(fails="update")
    assert "E: no such host" in finished.stdout
    assert "nginx" in call
    assert finished.returncode == 0


def test_failed_refresh_is_tried_again_by_the_next_run(install, lists):
    age(lists, 2)
    install(fails="update")
    _, calls = install()
    assert [call.split()[-1] for call in calls] == ["update", "nginx", "update", "nginx"]


def test_refreshed_lists_are_fresh_for_the_next_run(install, lists):
    age(lists, 2)
    install()
    _, calls = install()
    assert [call.split()[-1] for call in calls] == ["update", "nginx", "nginx"]


def test_failed_installation_is_one_line(install):
    finished, _ = install(fails="install")
    (line,) = finished.stderr.splitlines()
    assert "nginx" in line
    assert "E: no such host" in line


def test_user_who_may_not_install_gets_the_command_to_type(checkout, install, lists):
    checkout.add_program("sudo", "#!/bin/sh\nexit 1\n")
    age(lists, 2)
    finished, calls = install(user=1000)
    assert finished.stderr.endswith("sudo apt-get update && sudo apt-get install nginx\n")
    assert calls == []


def test_command_to_type_has_no_sudo_where_there_is_none(checkout, install):
    (checkout.root.parent / "bin" / "dirname").symlink_to("/usr/bin/dirname")
    finished, _ = install(user=1000, PATH=str(checkout.root.parent / "bin"))
    assert "sudo" not in finished.stderr
    assert "nginx" in finished.stderr
