"""The metrics count from the start of the process on, in each worker, next to other exporters."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from channels_token_auth.metrics.registry import forget_dead_processes
from tests import launcher
from tests.metrics.site import HIT, SCRAPE, SITE, python


def test_events_count_before_any_request():
    """A process that serves WebSockets only never loads the site's URLs."""
    program = f"""
from prometheus_client import REGISTRY
emit(CacheHit())
print(REGISTRY.get_sample_value("{HIT}"))
"""
    assert python(program).strip() == "1.0"


def test_site_without_prometheus_client_starts():
    absent = "import sys; sys.modules['prometheus_client'] = None\n"
    assert python("print(CacheHit.is_wanted())", first=absent).strip() == "False"


def test_shared_folder_that_is_missing_is_an_error_that_names_it(tmp_path):
    first = f"""
from django.core.exceptions import ImproperlyConfigured
import sys
def show(kind, error, _):
    print(issubclass(kind, ImproperlyConfigured), {str(tmp_path)!r} in str(error), flush=True)
    import os; os._exit(0)
sys.excepthook = show
"""
    assert python("", first=first, PROMETHEUS_MULTIPROC_DIR=f"{tmp_path}/no") == "True True\n"


def test_django_prometheus_exports_them():
    program = """
emit(CacheHit())
from django.test import Client
print(Client().get("/metrics").content.decode())
"""
    output = python(program, apps="'django_prometheus', 'channels_token_auth'")
    assert f"{HIT} 1.0" in output


SERVE = """
import signal
from channels_token_auth.metrics.sockets import open_connections
emit(CacheHit())
open_connections.set(7)
print("ready", flush=True)
signal.pause()
"""


@pytest.fixture
def worker(tmp_path):
    """Start worker processes."""
    started = []

    def start():
        output = tmp_path / f"{len(started)}.log"
        process = launcher.start(
            ["-c", SITE.format(apps="'channels_token_auth'") + SERVE],
            cwd=tmp_path,
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            output=output,
        )
        started.append(process)
        while not output.exists() or output.read_text() != "ready\n":
            assert process.poll() is None
            time.sleep(0.02)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_sockets_of_a_worker_that_was_killed_are_not_open(worker, tmp_path):
    def scrape():
        return python(SCRAPE, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))

    killed, _ = worker(), worker()
    assert "channels_token_auth_open_connections 14.0" in scrape()
    killed.kill()
    killed.wait()
    after = scrape()
    assert "channels_token_auth_open_connections 7.0" in after
    assert f"{HIT} 2.0" in after


def test_django_prometheus_adds_up_the_workers(worker, tmp_path):
    worker()
    worker()
    program = """
from django.test import Client
print(Client().get("/metrics").content.decode())
"""
    output = python(
        program,
        apps="'django_prometheus', 'channels_token_auth'",
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path),
    )
    assert f"{HIT} 2.0" in output


def test_sweep_forgets_the_sockets_of_a_worker_that_was_killed(worker, tmp_path):
    """Other exporters of the shared folder do not do it."""
    killed, _ = worker(), worker()
    killed.kill()
    killed.wait()
    program = """
from channels_token_auth.observability.events import SweepFinished
emit(SweepFinished(node="n", tokens=0, closed=0, seconds=0.1, unavailable=()))
from django.test import Client
print(Client().get("/metrics").content.decode())
"""
    output = python(
        program,
        apps="'django_prometheus', 'channels_token_auth'",
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path),
    )
    assert "channels_token_auth_open_connections 7.0" in output


def test_worker_that_another_one_forgets_at_the_same_moment_is_no_error(tmp_path, monkeypatch):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gauges = tmp_path / f"gauge_livesum_{ended.pid}.db"
    gauges.touch()

    def remove_too_late(path):
        Path(path).unlink()
        raise FileNotFoundError(path)

    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr("os.remove", remove_too_late)
    forget_dead_processes()
    assert not gauges.exists()
