"""Run the tests of the client in Node: rules, vectors, and the published package."""

import json
import tomllib

from packaging.version import Version

from tests.client.node import CLIENT, node
from tests.docs.pages import read

FULLY = [f"--test-coverage-{what}=100" for what in ("lines", "branches", "functions")]
COVERED = ["--experimental-test-coverage", "--test-coverage-include=src/**", *FULLY]
UNITS = sorted(str(path) for path in CLIENT.glob("tests/*.test.ts"))
PACKAGE = str(CLIENT / "tests" / "package.test.ts")


def test_client_passes_its_tests_which_cover_every_branch():
    # In one process: with one for each module, most of the time is their start.
    node("--test", "--test-isolation=none", *COVERED, *(path for path in UNITS if path != PACKAGE))


def test_package_is_small_well_formed_and_up_to_date(tmp_path):
    # npm wants a place of its own to write to, and must not ask the network.
    node("--test", PACKAGE, npm_config_cache=str(tmp_path), npm_config_offline="true")


def test_both_packages_have_the_same_license_and_version():
    """npm writes 0.1.0-rc.1 (Semantic Versioning), and Python 0.1.0rc1 (PEP 440)."""
    python = tomllib.loads(read("pyproject.toml"))["project"]
    npm = json.loads(read("client/package.json"))
    assert npm["license"] == python["license"]
    assert Version(npm["version"]) == Version(python["version"])
