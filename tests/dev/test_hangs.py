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


def run(tests, path, *before, limit):
    path.write_text(tests)
    options = ["-p", "tests.plugins.hangs", "-o", f"hang_limit={limit}", "-c", os.devnull]
    return subprocess.run(
        [*before, sys.executable, "-m", "pytest", *options, *QUICKLY, path],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


@pytest.mark.parametrize("tests", TESTS.values(), ids=TESTS)
def test_hanging_test_is_shown_and_ends_the_run(tmp_path, tests):
    path = tmp_path / "test_hanging.py"
    done = run(tests, path, limit=0.5)
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert str(path) in done.stderr


INTERRUPTED = """
import signal, subprocess

def test_it():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as program:
        program.send_signal(signal.SIGINT)
        assert program.wait(60) == -signal.SIGINT
"""


def test_run_in_the_background_can_interrupt_what_it_starts(tmp_path):
    in_the_background = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
    done = run(INTERRUPTED, tmp_path / "test_it.py", *in_the_background, limit=DEADLINE)
    assert done.returncode == 0, done.stdout
