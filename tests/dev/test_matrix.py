"""The matrix of versions: what it records, and what it says of Pythons that a machine lacks."""

import json
from pathlib import Path

import pytest

from tools import matrix
from tools.programs import UserError


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Replace the environments and the tests; Python 3.12 cannot be provided."""

    def find(version):
        if version == "3.12":
            raise UserError(version)
        return Path("python")

    def run(command):
        Path(command[-1]).write_text(json.dumps({"passed": 5, "failed": 0}))
        return 0

    monkeypatch.setattr(matrix, "find_python", find)
    monkeypatch.setattr(matrix, "environment", lambda *_, **__: Path("python"))
    monkeypatch.setattr(matrix, "run", run)
    monkeypatch.setattr(matrix, "RECORD", tmp_path / "supported.json")


@pytest.mark.usefixtures("machine")
def test_cell_that_the_machine_cannot_provide_fails_no_other_and_is_not_recorded():
    assert matrix.run_cells(["3.12-6.0", "3.13-6.0"]) == 0
    assert list(json.loads(matrix.RECORD.read_text())) == ["3.13-6.0"]


@pytest.mark.usefixtures("machine")
def test_matrix_of_which_nothing_can_be_provided_fails():
    assert matrix.run_cells(["3.12-6.0"]) == 1
