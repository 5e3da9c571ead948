"""The number of cores that the gate works on."""

import os

import pytest

from tests.cores import cores

ALL = len(os.sched_getaffinity(0))
QUOTA, PERIOD = "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ALL),
        ({"cpu.max": "max 100000\n"}, ALL),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "99000000 100000\n"}, min(ALL, 990)),
        ({QUOTA: "-1\n", PERIOD: "100000\n"}, ALL),
        ({QUOTA: "150000\n", PERIOD: "100000\n"}, 1),
        ({QUOTA: "50000\n", PERIOD: "100000\n"}, 1),
        ({QUOTA: "50000\n"}, ALL),
    ],
)
def test_quota_of_a_container_limits_the_cores(tmp_path, files, expected):
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert cores(tmp_path) == expected
