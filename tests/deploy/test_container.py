"""The container files, as far as they can be tried without a container."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.deploy.incident import DEADLINE, eventually
from tests.deploy.test_systemd import environ, wait_until_it_listens
from tests.docs.project import Project, ended, outcome, section
from tests.services import free_port

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "container"
GRACE = 75


def instructions():
    """Return the Dockerfile's instructions, in order: each with its arguments."""
    text = (FOLDER / "Dockerfile").read_text()
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line]


def argument(name):
    (found,) = (value for each, value in instructions() if each == name)
    return found


def test_dockerfile_has_instructions_only_and_begins_with_an_image():
    known = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "STOPSIGNAL"}
    named = [name for name, _ in instructions()]
    assert named[0] == "FROM"
    assert set(named) <= known | {"HEALTHCHECK", "ENTRYPOINT", "CMD"}


def test_image_does_not_run_as_root():
    assert argument("USER") == "mysite"


def test_static_files_are_collected_without_the_secrets_of_the_container(project, tmp_path):
    # Without the environment, which is a link: copying it takes longer than all else.
    ignored = shutil.ignore_patterns(".venv")
    site = Project(shutil.copytree(project.folder, tmp_path / "site", ignore=ignored))
    site.write(section("docs/how-to/deployment/index.md", "## Static files"))
    variables = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["web"]
    with (site.folder / "mysite" / "settings.py").open("a") as settings:
        settings.write("import os\n")
        settings.writelines(f"os.environ[{name!r}]\n" for name in variables["environment"])
    (command,) = (value for name, value in instructions() if "collectstatic" in value)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-c", command], cwd=site.folder, env={"PATH": path}, check=True)
    assert (site.folder / "static" / "channels_token_auth" / "token-socket.js").is_file()


def test_image_has_no_env_file():
    # BuildKit reads the list of the Dockerfile's own name.
    assert "**/.env*" in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()


def test_compose_gives_the_drain_its_time_and_names_files_that_exist():
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    web = compose["services"]["web"]
    assert web["stop_grace_period"] == f"{GRACE}s"
    assert (FOLDER / web["build"]["context"] / web["build"]["dockerfile"]).is_file()
    mounted = [each.split(":")[0] for each in compose["services"]["nginx"]["volumes"]]
    assert all((FOLDER / each).is_file() for each in mounted)
    services = {
        name for each in compose["services"].values() for name in each.get("depends_on", [])
    }
    assert services <= set(compose["services"])
    assert set(compose["volumes"]) == {"postgresql", "redis"}


def test_nginx_accepts_its_configuration(tmp_path):
    configuration = tmp_path / "nginx.conf"
    text = (FOLDER / "nginx.conf").read_text().replace("/dev/stdout", str(tmp_path / "log"))
    configuration.write_text(f"pid {tmp_path}/pid;\n{text}")
    command = ["nginx", "-t", "-e", "stderr", "-p", tmp_path, "-c", configuration]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "syntax is ok" in done.stderr, done.stderr


@contextmanager
def container(project, port, over="1"):
    """Run ENTRYPOINT and CMD where their files are, on a port of ours."""
    folder = project.folder / "deploy" / "container"
    if not folder.exists():
        shutil.copytree(FOLDER, folder)
    command = [*json.loads(argument("ENTRYPOINT")), *json.loads(argument("CMD"))]
    command = [{"8000": str(port), "0.0.0.0": "127.0.0.1"}.get(each, each) for each in command]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (project.folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=project.folder,
            env={**environ(), "PATH": path, "DRAIN_OVER": over},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_it_listens(port, process, project.folder)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def is_healthy(port):
    """Return False also if the server needs longer for its answer than Docker waits."""
    command = json.loads(argument("HEALTHCHECK").split("CMD ")[1])
    assert command[0] == "python"
    code = [each.replace(":8000", f":{port}") for each in command[1:]]
    done = subprocess.run([sys.executable, *code], check=False, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def test_container_that_is_stopped_is_emptied_first(project, token):
    port = free_port()
    with container(project, port) as process:
        offered = ["token-auth.v1", f"bearer.{token}"]
        url, origin = f"ws://127.0.0.1:{port}/hello/", f"http://127.0.0.1:{port}"
        options = {"subprotocols": offered, "origin": origin}

        def stop():
            eventually(lambda: is_healthy(port))
            process.send_signal(signal.SIGTERM)

        assert ended(url, act=stop, **options) == 4503
        process.wait(DEADLINE)


def test_health_check_fails_while_the_container_drains(project):
    port = free_port()
    with container(project, port) as process:
        outcome(
            f"ws://127.0.0.1:{port}/hello/", wait=0.5
        )  # a process has a node from its first socket on
        project.manage("token_drain", "--over", "0")
        assert not is_healthy(port)
        project.manage("token_drain", "--undo")
        eventually(lambda: is_healthy(port))
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE)


def test_server_that_fails_ends_the_container_with_its_code(project):
    script = FOLDER / "serve.sh"
    assert subprocess.run(["sh", script, "sh", "-c", "exit 3"], check=False).returncode == 3
