"""How the demo's servers end."""

import pytest

from tests import launcher
from tests.example.system import EXAMPLE, example_environment

# granian's worker gets Ctrl-C as well. If it ends first, granian exits with 1, as after a crash.
ENDS = """
import sys, django, granian
django.setup()

class Granian:
    def __init__(self, *_, **named): self.interrupt_signal = sys.argv[1] == "Ctrl-C"
    def on_startup(self, hook): hook()
    def serve(self): sys.exit(1)

granian.Granian = Granian
from hello.servers import SERVERS
SERVERS["granian"]("127.0.0.1", 1, lambda: None)
"""


@pytest.mark.parametrize(("cause", "code"), [("Ctrl-C", 0), ("a crash", 1)])
def test_granian_whose_worker_ends_first_fails_only_after_a_crash(cause, code):
    environ = example_environment(EXAMPLE_DATABASE=":memory:", EXAMPLE_DEBUG="1")
    done = launcher.run(["-c", ENDS, cause], cwd=EXAMPLE, env=environ, timeout=launcher.DEADLINE)
    assert (done.returncode, done.stderr) == (code, "")
