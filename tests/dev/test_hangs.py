"""A test that hangs shows where, and ends the run."""

import os
import subprocess
import sys

import pytest

from tests.docs.pages import ROOT

DEADLINE = 600.0  # it ends what hangs only
HANGS = "__import__('time').sleep(600)"
TESTS = {
    "in a fixture": f"""
import pytest

@pytest.fixture
def given():
    {HANGS}

def test_quick(): pass
def test_it(given): pass
""",
    "after a failure": f"""
def test_failing(): assert False
def test_it(): {HANGS}
""",
}
QUICKLY = [f"-pno:{name}" for name in ("asyncio", "cacheprovider", "django", "hypothesispytest")]


@pytest.mark.parametrize("tests", TESTS.values(), ids=TESTS)
def test_hanging_test_is_shown_and_ends_the_run(tmp_path, tests):
    path = tmp_path / "test_hanging.py"
    path.write_text(tests)
    command = [sys.executable, "-m", "pytest", "-p", "tests.plugins.hangs", "-o", "hang_limit=0.5"]
    done = subprocess.run(
        [*command, *QUICKLY, "-c", os.devnull, path],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert str(path) in done.stderr
