"""A primary and lagging replicas: real databases, in a process with settings of its own."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["--aware", "--naive"])
def scenes(request, tmp_path_factory):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.backends.replicas",
            tmp_path_factory.mktemp("databases"),
            request.param,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("lagging", ["in"] * 3),
        ("lagging sweep", ["in"] * 3),
        ("lagging, unknown", ["token_invalid"]),
        ("in turn", ["in"] * 6),
        ("aware", [True] * 3),
        ("activated", ["in"] * 3),
        ("activated, sweep", ["in"] * 3),
        ("renewed", ["in"] * 3),
        ("renewed, sweep", ["in"] * 3),
        ("new password", ["in"]),
        ("blacklisted", [True]),
        ("blacklisted by id", [True, True]),
        ("one fails", [["in"]] * 2),
        ("spared", [1, 1, 1]),
        ("one revoked", [0, 1, 1]),
        ("all revoked", [0, 0, 0]),
    ],
)
def test_replicas_change_no_verdict_and_hold_up_no_revocation(scenes, scene, expected):
    assert scenes[scene] == expected
