"""The matrix and the contract, for users with a UUID as key who log in with their mail address."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = "tests.matrix.member_settings"
CONTRACT = "tests/backends/test_contract.py"
# Where a token stands makes no difference to its user: good ones everywhere, others anywhere.
PLACES = "header or cookie or ticket"
# Promises that no user model changes.
OTHERS = "no_text or name_is or package or base_class"
PART = f"(good_token and ({PLACES})) or falls or (test_contract and not ({OTHERS}))"


@pytest.mark.slow  # a process of its own, since a user model cannot be replaced in a running one
@pytest.mark.database
def test_matrix_holds_for_a_user_model_with_another_key_and_another_name():
    command = [sys.executable, "-m", "pytest", "tests/matrix/test_matrix.py", CONTRACT, "-k", PART]
    command += [f"--ds={SETTINGS}", "-p", "no:cacheprovider"]
    finished = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert finished.returncode == 0, finished.stdout
    assert f"settings: {SETTINGS}" in finished.stdout
