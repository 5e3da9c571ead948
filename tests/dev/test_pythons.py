"""Other Pythons: the machine's, else one from Debian's archive, else a clear refusal."""

import sys

import pytest

from tools import pythons

PROGRAM = """
from tools import programs, pythons
pythons.SUITES["9.9"] = ["old", "new"]
try:
    print(pythons.find_python({!r}))
except programs.UserError as error:
    raise SystemExit(str(error))
"""
APT = """#!/bin/sh
case "$*" in
    *update) grep -q 'Error-Mode "any"' "$APT_CONFIG" && [ -e "$0.unreachable" ] || exit 0
        echo "E: unreachable"; exit 100;;
    indextargets*) echo "http://mirror.test/debian";;
    *install*) cat "$(dirname "$APT_CONFIG")/etc/sources.list" >> "$(dirname "$0")/../apt"
        echo "E: Unable to locate package python9.9"; exit 100;;
esac
"""


def refusal(finished):
    assert finished.returncode == 1
    (line,) = finished.stderr.splitlines()
    return line


def test_own_version_is_this_python():
    assert str(pythons.find_python(pythons.own_version())) == sys.executable


def test_python_on_the_path_is_used(checkout):
    checkout.add_program("python9.8", "#!/bin/sh\necho /opt/python9.8\n")
    assert checkout.execute(PROGRAM.format("9.8")).stdout == "/opt/python9.8\n"


def test_python_on_the_path_that_does_not_run_is_not_used(checkout):
    checkout.add_program("python9.8", "#!/bin/sh\nexit 127\n")
    line = refusal(checkout.execute(PROGRAM.format("9.8")))
    assert line.startswith("Python 9.8 is needed, and no suite of Debian has it: ")


def test_version_that_debian_does_not_offer_names_the_package_and_the_remedy(checkout):
    checkout.add_program("apt-get", APT)
    finished = checkout.execute(PROGRAM.format("9.9"))
    line = refusal(finished)
    assert "Debian's new does not offer it" in line
    assert "install the package python9.9" in line
    assert "Unable to locate package" in line


def test_each_suite_is_tried_on_the_mirror_of_the_machine(checkout, tmp_path):
    checkout.add_program("apt-get", APT)
    checkout.execute(PROGRAM.format("9.9"))
    tried = [line.split("] ")[1] for line in (tmp_path / "apt").read_text().splitlines()]
    assert tried == [f"http://mirror.test/debian {suite} main" for suite in ("old", "new")]


def test_archive_that_is_not_reached_is_named_as_the_reason(checkout):
    checkout.add_program("apt-get", APT)
    checkout.add_program("apt-get.unreachable", "")
    line = refusal(checkout.execute(PROGRAM.format("9.9")))
    assert "python9.9-venv" in line
    assert "E: unreachable" in line


@pytest.mark.parametrize(("own", "other"), [("3.11", "3.14"), ("3.13", "3.14"), ("3.14", "3.11")])
def test_gate_takes_the_other_end_of_the_range(monkeypatch, own, other):
    monkeypatch.setattr(pythons, "own_version", lambda: own)
    assert pythons.other_end() == other
