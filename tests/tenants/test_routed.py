"""A router by context variable: the context of the handshake reaches the lookup."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    done = subprocess.run(
        [sys.executable, "-m", "tests.tenants.routed", tmp_path_factory.mktemp("databases")],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,  # it ends what hangs only
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.asvs("8.4.1")
@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("headers", [True, 4401, 4401, True]),
        ("messages", [True, 4401]),
        ("nowhere", 4401),
        ("outside", True),
        ("revoked", [4410, 4410]),
        ("stays", []),
        ("swept", 4410),
    ],
)
def test_tenant_of_the_context_is_asked_and_no_other(found, scene, expected):
    assert found[scene] == expected
