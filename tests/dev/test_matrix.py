"""The matrix of versions: what it records, and what it says of Pythons that a machine lacks."""

import json
import sys
from pathlib import Path

import pytest

from tools import matrix, pythons
from tools.programs import UserError


class Machine:
    """A machine without Python 3.12 and without Django 6.1. `codes`: of the runs of cells."""

    def __init__(self):
        self.codes = {}
        self.built = []

    def find_python(self, version):
        if version == "3.12":
            raise UserError(version)
        return Path(version)

    def environment(self, name, group, *, python=sys.executable, instead=()):
        if "django~=6.1.0" in instead:
            raise UserError(name)
        self.built.append((str(python), *instead))
        return Path(name)

    def run(self, command):
        Path(command[-1]).write_text(json.dumps({"passed": 5, "failed": 0}))
        return self.codes.get(str(command[0]), 0)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    machine = Machine()
    for name in ("find_python", "environment", "run"):
        monkeypatch.setattr(matrix, name, getattr(machine, name))
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
def test_cell_whose_packages_cannot_be_installed_fails():
    assert matrix.run_cells(["3.13-6.0", "3.13-6.1"]) == 1


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
    for module in (matrix, pythons):
        monkeypatch.setattr(module, "own_version", lambda: own)
    matrix.other_environment()
    assert machine.built == [other]
