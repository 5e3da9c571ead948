"""A program that is forked from a ready process does what one of its own interpreter does."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

import pytest

from tests import launcher
from tests.docs.pages import ROOT

ENVIRON = {"PATH": "/usr/bin:/bin", "COLOR": "blue"}
# This program prints everything that it can see of its start.
SEEN = """
import json, os, sys
seen = [sys.argv, sys.path[:2], os.getcwd(), sys.stdin.read(), __name__, sys.executable]
print(json.dumps([*seen, {name: os.environ.get(name) for name in ("COLOR", "HOME")}]))
"""
ENDINGS = {
    "at its end": "",
    "with a code": "raise SystemExit(3)",
    "with a line": "raise SystemExit('no such fox')",
    "with an error": "1 / 0",
    "by a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "interrupted": "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
    "after its exit functions": "import atexit; atexit.register(print, 'over')",
    "after its threads": "import threading; threading.Timer(0.1, print, ['over']).start()",
}


def both(arguments, folder, environ=ENVIRON, typed=""):
    """Return the code, the output and the last line of the errors, of either way to start it."""
    options = {"cwd": folder, "env": environ, "timeout": 600}
    usual = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        input=typed,
        **options,
    )
    return [
        (each.returncode, each.stdout, each.stderr.splitlines()[-1:])
        for each in (launcher.run(arguments, typed=typed, **options), usual)
    ]


@pytest.mark.parametrize("ending", ENDINGS)
def test_program_ends_as_usual(tmp_path, ending):
    ours, usual = both(["-c", ENDINGS[ending]], tmp_path)
    assert ours == usual


WARNING = "import warnings; warnings.warn('a fox', DeprecationWarning)"
IN_A_WORKER = f"""
import multiprocessing
child = multiprocessing.get_context("spawn").Process(target=exec, args=({WARNING!r},))
child.start()
child.join()
raise SystemExit(child.exitcode)
"""


@pytest.mark.parametrize("code", [WARNING, IN_A_WORKER])
def test_warning_is_an_error(code):
    finished = launcher.run_code(code)
    assert finished.returncode == 1
    assert finished.stderr.endswith("DeprecationWarning: a fox\n")


@pytest.mark.parametrize("path", [{}, {"PYTHONPATH": "/one"}])
def test_file_sees_what_it_usually_sees(tmp_path, path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "program.py").write_text(SEEN)
    ours, usual = both(["there/program.py", "a", "--b"], tmp_path, ENVIRON | path)
    assert ours == usual
    assert json.loads(ours[1])[0] == ["there/program.py", "a", "--b"]


def test_code_sees_what_it_usually_sees(tmp_path):
    environ = ENVIRON | {"PYTHONPATH": "/one"}
    ours, usual = both(["-c", SEEN, "a"], tmp_path, environ, "two\nlines\n")
    assert ours == usual
    assert json.loads(ours[1])[3] == "two\nlines\n"


def test_module_sees_what_it_usually_sees(tmp_path):
    (tmp_path / "program.py").write_text(SEEN)
    ours, usual = both(["-m", "program", "a", "--b"], tmp_path, ENVIRON | {"PYTHONPATH": "/one"})
    assert ours == usual
    assert json.loads(ours[1])[0] == [str(tmp_path / "program.py"), "a", "--b"]


def test_spawned_worker_starts_in_the_folder_of_its_program(tmp_path):
    (tmp_path / "work.py").write_text("import os\ndef work(): print(os.getcwd())\n")
    (tmp_path / "program.py").write_text(
        "import multiprocessing, work\n"
        "if __name__ == '__main__':\n"
        "    worker = multiprocessing.get_context('spawn').Process(target=work.work)\n"
        "    worker.start()\n"
        "    worker.join()\n"
    )
    ours, usual = both(["-m", "program"], tmp_path)
    assert ours == usual == (0, f"{tmp_path}\n", [])


def test_modules_that_are_imported_before_have_done_nothing_yet(tmp_path):
    code = (
        "import sys, threading; from django.conf import settings;"
        "print(settings.configured, threading.active_count(), 'pytest' in sys.modules,"
        " 'twisted.internet.reactor' in sys.modules)"
    )
    finished = launcher.run(["-c", code], cwd=tmp_path, env=ENVIRON, timeout=600)
    assert finished.stdout == "False 1 False False\n"


def test_daphne_waits_for_a_client_that_stalls(tmp_path):
    code = (
        "from autobahn.twisted.websocket import WebSocketServerFactory;"
        "print(WebSocketServerFactory().closeHandshakeTimeout)"
    )
    finished = launcher.run(["-c", code], cwd=tmp_path, env=ENVIRON, timeout=600)
    assert finished.stdout == "60\n"


def test_program_is_stopped_by_a_signal(tmp_path):
    code = "import time; print('ready'); time.sleep(600)"
    output = tmp_path / "log"
    program = launcher.start(["-c", code], cwd=tmp_path, env=ENVIRON, output=output, session=True)
    while not output.exists() or "ready" not in output.read_text():
        assert program.poll() is None
        time.sleep(0.02)
    assert os.getsid(program.pid) == program.pid
    program.terminate()
    assert program.wait(600) == -signal.SIGTERM
    program.kill()  # it has ended: nobody gets the signal


def test_program_ends_with_the_process_that_has_started_it(tmp_path):
    code = (
        "import os, pathlib, sys; from tests import launcher\n"
        "where = pathlib.Path(sys.argv[1])\n"
        "program = launcher.start(['-c', 'import time; time.sleep(600)'], cwd=where,"
        " env=dict(os.environ), output=where / 'log', session=True)\n"
        "print(program.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    starter = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert starter.returncode == -signal.SIGKILL
    with contextlib.suppress(ProcessLookupError):  # it has ended, and is forgotten already
        ended = select.poll()
        ended.register(os.pidfd_open(int(starter.stdout)), select.POLLIN)
        assert ended.poll(600_000)  # milliseconds; it ends what is broken only


def test_program_that_hangs_is_ended(tmp_path):
    code = "import time; time.sleep(600)"
    with pytest.raises(subprocess.TimeoutExpired):
        launcher.run(["-c", code], cwd=tmp_path, env=ENVIRON, timeout=0.1)


def test_processor_time_of_a_program_is_counted(tmp_path):
    before = launcher.seconds()
    code = "import time\nwhile time.process_time() < 0.2: pass"
    launcher.run(["-c", code], cwd=tmp_path, env=ENVIRON, timeout=600)
    assert launcher.seconds() - before >= 0.1
