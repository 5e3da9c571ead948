"""The matrix of versions: what it records, and what it says of Pythons that a machine lacks."""

import json
import sys
from pathlib import Path

import pytest

from tools import debian, matrix, pythons
from tools.environments import LOWEST, NEWEST
from tools.programs import UserError


class Machine:
    """A machine without Python 3.12 and without Django 6.1, which cannot reach Debian's archive.

    `codes`: of the runs of cells. `failed`: how many tests fail in each.
    """

    def __init__(self):
        self.codes = {}
        self.failed = 0
        self.built = []
        self.prepared = []

    def find_python(self, version):
        if version == "3.12":
            raise pythons.NotOfferedError(version)
        if version == "3.14":
            raise UserError("no network")
        return Path(version)

    def full_environment(self):
        self.prepared.append("npm")

    def require_packages(self, packages):
        self.prepared += packages

    def environment(self, name, group, *, python=sys.executable, instead=()):
        if "django~=6.1.0" in instead:
            raise UserError(name)
        self.built.append((str(python), *instead))
        return Path(name)

    def run(self, command):
        assert set(self.prepared) == {"npm", *debian.PACKAGES}, "tests start these"
        Path(command[-1]).write_text(json.dumps({"passed": 5, "failed": self.failed}))
        return self.codes.get(str(command[0]), int(bool(self.failed)))


@pytest.fixture
def machine(monkeypatch, tmp_path):
    machine = Machine()
    for name in ("find_python", "environment", "full_environment", "run"):
        monkeypatch.setattr(matrix, name, getattr(machine, name))
    monkeypatch.setattr(debian, "require_packages", machine.require_packages)
    monkeypatch.setattr(matrix, "RECORD", tmp_path / "supported.json")
    return machine


@pytest.mark.usefixtures("machine")
def test_cell_that_the_machine_cannot_provide_fails_no_other_and_is_not_recorded():
    assert matrix.run_cells(["3.12-6.0", "3.13-6.0"]) == 0
    assert list(json.loads(matrix.RECORD.read_text())) == ["3.13-6.0"]


@pytest.mark.usefixtures("machine")
def test_matrix_of_which_nothing_can_be_provided_fails():
    assert matrix.run_cells(["3.12-6.0"]) == 1


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("name", ["3.13-6.1", "3.14-6.0"], ids=["packages", "Python"])
def test_cell_that_cannot_be_downloaded_fails(name):
    assert matrix.run_cells(["3.13-6.0", name]) == 1


def test_run_that_fails_leaves_the_last_good_one_in_the_record(machine):
    matrix.run_cells(["3.13-6.0"])
    good = matrix.RECORD.read_text()
    machine.failed = 1
    assert matrix.run_cells(["3.13-6.0"]) == 1
    assert matrix.RECORD.read_text() == good


def test_cell_whose_run_fails_without_a_failing_test_fails(machine):
    machine.codes["matrix-3.13-6.0"] = 3
    assert matrix.run_cells(["3.13-6.0"]) == 1


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("3.11", ("3.14",)),
        ("3.12", ("3.14", "django~=5.2.0")),
        ("3.13", ("3.14", "django~=5.2.0")),
        ("3.14", ("3.11",)),
    ],
)
def test_gate_covers_both_djangos_on_every_python(monkeypatch, machine, own, other):
    monkeypatch.setattr(matrix, "find_python", Path)
    for module in (matrix, pythons):
        monkeypatch.setattr(module, "own_version", lambda: own)
    matrix.other_environment()
    assert machine.built == [other]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lowest", ("3.11", *LOWEST)),
        ("newest", ("3.14", *NEWEST)),
        ("3.13-6.0", ("3.13", "django~=6.0.0")),
    ],
)
def test_cell_is_built_on_its_python_whatever_this_one_is(monkeypatch, machine, name, expected):
    monkeypatch.setattr(matrix, "find_python", Path)
    matrix.cell_environment(name)
    assert machine.built == [expected]
