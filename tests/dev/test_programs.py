"""Programs that run at the same time: the linters."""

import os
import sys
import time

import pytest

from tools.programs import clean_environ, run_together

DEADLINE = 600.0  # it ends what hangs only


def python(code):
    return [sys.executable, "-c", code]


def test_each_has_its_code_and_its_output_in_one_piece():
    commands = {
        "slow": python("import time; print(1, flush=True); time.sleep(0.2); print(2)"),
        "failing": python("import sys; print(3, flush=True); sys.exit('no')"),
    }
    assert list(run_together(commands)) == [("slow", 0, "1\n2\n"), ("failing", 1, "3\nno\n")]


def test_they_run_at_the_same_time(tmp_path):
    meeting = tmp_path / "here"
    waits = f"import os, time\nwhile not os.path.exists({str(meeting)!r}): time.sleep(0.01)"
    commands = {"waits": python(waits), "comes": python(f"open({str(meeting)!r}, 'w')")}
    assert [code for _, code, _ in run_together(commands)] == [0, 0]


def test_those_that_still_run_are_interrupted_when_we_stop(tmp_path):
    file = tmp_path / "pid"
    # A job in the background is started with SIGINT ignored.
    runs = "import os, signal, time\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    runs += f"open({str(file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    running = run_together({"ends": python(""), "runs": python(runs)})
    next(running)
    deadline = time.monotonic() + DEADLINE
    while not (file.exists() and file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    running.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


@pytest.mark.parametrize("name", ["PYTHONDONTWRITEBYTECODE", "PIP_USER", "NODE_ENV", "UV_NO_GROUP"])
def test_variable_of_another_project_reaches_no_program(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert name not in clean_environ()


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (None, None, "localhost,127.0.0.1,::1"),
        ("a.example,localhost", None, "a.example,localhost,127.0.0.1,::1"),
        (None, "b.example", "b.example,localhost,127.0.0.1,::1"),
        ("a.example", "b.example", "a.example,b.example,localhost,127.0.0.1,::1"),
        ("", "*", "*"),
        ("a.example", "*", "*"),
    ],
)
def test_programs_reach_this_machine_without_a_proxy(monkeypatch, lower, upper, expected):
    given = {"http_proxy": "http://127.0.0.1:9", "no_proxy": lower, "NO_PROXY": upper}
    for name, value in given.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    own = clean_environ()
    assert own["http_proxy"] == "http://127.0.0.1:9"
    assert [own["no_proxy"], own["NO_PROXY"]] == [expected, expected]


@pytest.mark.parametrize(
    "name",
    [
        "https_proxy",
        "PIP_INDEX_URL",
        "UV_CACHE_DIR",
        "NPM_TOKEN",
        "npm_config_userconfig",
        "NO_COLOR",
        "EXAMPLE_DEBUG",
        "BENCH_GC",
    ],
)
def test_variable_of_the_network_and_our_own_reach_programs(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert clean_environ()[name] == "1"
