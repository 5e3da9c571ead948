"""Published packages are reproducible and complete, and work in an empty environment."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from release import build, readme, versions
from tests.docs.newcomer import follow
from tests.docs.pages import ROOT, read
from tests.docs.project import Project
from tools.programs import clean_environ

pytestmark = pytest.mark.slow
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build.build_python(tmp_path_factory.mktemp("dist"))


def test_two_builds_are_the_same(built, tmp_path):
    assert build.digests(build.build_python(tmp_path)) == build.digests(built)


def test_wheel_has_types_templates_and_scripts(built):
    (wheel,) = (path for path in built if path.suffix == ".whl")
    names = zipfile.ZipFile(wheel).namelist()
    for suffix in ("py.typed", "connections.html", "token-socket.js", "licenses/LICENSE"):
        assert [name for name in names if name.endswith(suffix)], suffix
    assert [name for name in names if name.startswith(("tests", "docs", "example"))] == []


def test_source_distribution_builds_the_same_wheel(built, tmp_path):
    sdist, wheel = sorted(built, key=lambda path: path.suffix == ".whl")
    with tarfile.open(sdist) as archive:
        # Python 3.11.2, which is Debian 12's, has no filters yet; since 3.12 one has to be named.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(tmp_path, **safely)
    (unpacked,) = tmp_path.iterdir()
    again = build.build_python(tmp_path / "dist", root=unpacked)
    assert build.digests(again)[wheel.name] == build.digests(built)[wheel.name]


def test_packages_pass_twine_and_check_wheel_contents(built):
    wheel = next(path for path in built if path.suffix == ".whl")
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *built], check=True)
    subprocess.run([sys.executable, "-m", "check_wheel_contents", wheel], check=True)


def test_newcomer_sees_hello_ada_from_the_wheel(built, tmp_path):
    """An empty environment, and nothing of this checkout: the packages come from the registry."""
    wheel = next(path for path in built if path.suffix == ".whl")
    venv, uv = tmp_path / "venv", shutil.which("uv") or ROOT / ".dev" / "uv"
    python = venv / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    command = [uv, "pip", "install", "--quiet", "--python", python, f"{wheel}[drf]", "daphne"]
    subprocess.run(command, check=True, env=clean_environ())
    project = Project(tmp_path, python)
    where = project.run("-c", "import channels_token_auth as c; print(c.__file__)")
    assert where.startswith(str(venv))
    _, greeting, *_, end = follow(project)
    assert [greeting, end] == ["hello ada", "closed 4410"]


def test_python_and_npm_have_the_same_version():
    assert versions.as_npm(versions.python()) == versions.npm()
    assert versions.main(f"v{versions.python()}") == 0


def test_tag_of_another_version_is_refused(capsys):
    assert versions.main("v0.0.9") == 1
    assert "differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("python", "npm"), [("0.1.0rc1", "0.1.0-rc.1"), ("0.1.0", "0.1.0"), ("1.20.3", "1.20.3")]
)
def test_version_is_written_as_npm_writes_it(python, npm):
    assert versions.as_npm(python) == npm


def test_links_of_the_readme_lead_to_the_tag():
    page = readme.absolute(read("README.md"), "someone/channels-token-auth", "v0.1.0rc1")
    assert re.findall(r"\]\((?!https?:|#)", page) == []
    base = "https://github.com/someone/channels-token-auth"
    assert f"({base}/blob/v0.1.0rc1/docs/tutorial/index.md)" in page
    assert f"({base}/raw/v0.1.0rc1/docs/images/" in page


def test_links_of_the_project_are_added_for_pypi():
    project = readme.with_urls(read("pyproject.toml"), "someone/channels-token-auth")
    assert '\n[project.urls]\nSource = "https://github.com/someone/channels-token-auth"' in project


def test_npm_package_names_the_repository_that_its_provenance_proves():
    package = json.loads(readme.with_repository(read("client/package.json"), "someone/sockets"))
    assert package.pop("repository")["url"] == "git+https://github.com/someone/sockets.git"
    assert package == json.loads(read("client/package.json"))


def test_links_of_the_clients_readme_lead_to_the_tag():
    page = readme.absolute(read("client/README.md"), "someone/sockets", "v0.1.0", "client")
    base = "https://github.com/someone/sockets/blob/v0.1.0"
    assert f"]({base}/docs/how-to/front-ends/token-socket.md)" in page


@pytest.mark.asvs("15.2.4")
def test_lock_has_one_index_and_a_digest_for_each_file():
    packages = tomllib.loads(read("uv.lock"))["package"]
    ours, others = packages_by_source(packages)
    assert [each["name"] for each in ours] == ["channels-token-auth"]
    assert {each["source"]["registry"] for each in others} == {"https://pypi.org/simple"}
    files = [file for each in others for file in [each.get("sdist"), *each.get("wheels", ())]]
    assert all(file["hash"].startswith("sha256:") for file in files if file)


def packages_by_source(packages):
    """Return the packages that come from no index, and the others."""
    found = [each for each in packages if "registry" in each["source"]]
    return [each for each in packages if each not in found], found


@pytest.mark.asvs("15.2.4")
def test_npm_package_needs_nothing():
    package = json.loads(read("client/package.json"))
    assert "dependencies" not in package


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
@pytest.mark.asvs("15.2.4")
def test_actions_are_pinned_by_commit(workflow):
    used = re.findall(r"uses: (\S+)", workflow.read_text())
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each)] == []


def test_zizmor_finds_nothing_in_the_workflows():
    program = Path(sys.executable).with_name("zizmor")
    subprocess.run([program, "--offline", *WORKFLOWS], check=True)
