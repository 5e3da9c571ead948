"""The unit files: systemd accepts them, and their commands serve and empty a site."""

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests import launcher
from tests.deploy.incident import DEADLINE, eventually
from tests.deploy.unit import FOLDER, UNITS, read_unit
from tests.docs.project import ended
from tests.services import free_port

pytestmark = pytest.mark.slow
PORT = "8000"


def verify(text, name, folder):
    path = folder / name.replace("@", f"@{PORT}")
    path.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", path], check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def unit_text(project):
    return lambda name: (FOLDER / name).read_text().replace("/srv/mysite", str(project.folder))


@pytest.mark.parametrize("name", UNITS)
def test_systemd_has_nothing_to_say_about_the_unit(name, unit_text, tmp_path):
    assert verify(unit_text(name), name, tmp_path) == (0, "")


def test_systemd_would_report_a_mistake(unit_text, tmp_path):
    text = unit_text("mysite-granian.service").replace("bin/granian", "bin/no-such-server")
    code, output = verify(text, "mysite-granian.service", tmp_path)
    assert code, output


@pytest.fixture
def unit(project, tmp_path):
    def read(name, port):
        return read_unit(
            (FOLDER / name).read_text(),
            **{
                "/srv/mysite": str(project.folder),
                f"--port {PORT}": f"--port {port}",
                f":{PORT} ": f":{port} ",
                "%i": str(port),
                "%H": socket.gethostname(),
                "--over 30": "--over 1",
            },
        )

    return read


@contextmanager
def running(unit, folder):
    """Run ExecStart as systemd does: in the folder, in a process group of its own."""
    log, command = folder / "server.log", unit.command("ExecStart")
    log.write_text("")
    server = launcher.start(command, cwd=folder, env=environ(), output=log, session=True)
    try:
        yield server
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def environ():
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def wait_until_it_listens(port, server, folder):
    deadline = time.monotonic() + 600  # it ends what hangs only
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError((folder / "server.log").read_text())


@pytest.mark.parametrize("name", UNITS)
def test_service_serves_and_is_emptied_before_it_stops(name, unit, project, token):
    port = free_port()
    service = unit(name, port)
    with running(service, project.folder) as server:
        wait_until_it_listens(port, server, project.folder)

        def drain():
            python, *stop = service.command("ExecStop", MAINPID=str(server.pid))
            assert python == str(project.folder / ".venv" / "bin" / "python")
            options = {"cwd": project.folder, "env": environ(), "timeout": DEADLINE}
            stopped = launcher.run(stop, **options)
            assert stopped.returncode == 0, stopped.stderr

        offered = ["token-auth.v1", f"bearer.{token}"]
        url, origin = f"ws://127.0.0.1:{port}/hello/", f"http://127.0.0.1:{port}"
        assert ended(url, act=drain, subprotocols=offered, origin=origin) == 4503
        server.send_signal(signal.SIGTERM)
        server.wait(600)  # it ends what hangs only


def workers(server):
    """Return the ids of the processes that it has started, but those of Python itself."""
    started = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return {int(each) for each in started if not _is_pythons(each)}


def _is_pythons(process):
    with suppress(OSError):  # it has ended meanwhile
        return b"resource_tracker" in Path(f"/proc/{process}/cmdline").read_bytes()
    return True


@pytest.mark.parametrize("name", [name for name in UNITS if "@" not in name])
def test_worker_that_is_killed_is_replaced_and_ends_no_other(name, unit, project):
    port = free_port()
    with running(unit(name, port), project.folder) as server:
        wait_until_it_listens(port, server, project.folder)
        eventually(lambda: len(workers(server)) == 2)
        killed, other = workers(server)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: server.poll() is not None or len(workers(server) - {killed}) == 2)
        assert server.poll() is None
        assert other in workers(server)


@pytest.mark.parametrize("name", UNITS)
def test_there_is_more_time_to_stop_than_a_drain_takes(name):
    service = read_unit((FOLDER / name).read_text())
    over = float(service.command("ExecStop")[-1])
    linger = 30
    assert float(service.values["TimeoutStopSec"]) > over + linger
