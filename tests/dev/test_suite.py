"""The runs of the gate: what belongs to which lane, and what is reported."""

import os
import subprocess
import sys
import tomllib
from itertools import chain, pairwise
from pathlib import Path

import pytest

from tests.suite.lanes import (
    CORE,
    IN_PROCESS,
    PARTS,
    QUICK,
    REST,
    SERVICES,
    Lane,
    Options,
    Step,
    computing,
    lanes_of,
    suite,
)
from tests.suite.modules import modules
from tests.suite.reports import closing_line, counts, dearest, skipped, slowest
from tests.suite.running import INTERRUPTED, in_lanes

ROOT = Path(__file__).resolve().parents[2]
COUNTS = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'
TESTS = """<testsuites><testsuite>
    <testcase classname="tests.one" name="test_a" time="0.5"><properties>
        <property name="processor" value="0.25"/></properties></testcase>
    <testcase classname="tests.one" name="test_b" time="7.25"/>
    <testcase classname="tests.one" name="test_c" time="0.1"><skipped message="no fox"/></testcase>
</testsuite></testsuites>"""
FIXED = "--hypothesis-profile=gate"


def run_with(plugin, folder, tests):
    """Run tests with a plugin of ours and no other one: Django's takes half of the time."""
    (folder / "test_it.py").write_text(tests)
    options = ["-c", "/dev/null", f"--rootdir={folder}", "-p", f"tests.plugins.{plugin}"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, folder],
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_each_test_is_in_exactly_one_lane():
    tests = ROOT / "tests"
    tops = {path.relative_to(tests).parts[0] for path in tests.glob("**/test_*.py")}
    assert sorted([*CORE, *IN_PROCESS, *chain(*SERVICES.values())]) == sorted(tops)
    assert sorted(chain(REST, *PARTS)) == sorted(IN_PROCESS)


def test_core_runs_with_all_plugins_that_need_no_django():
    """Else a test that hangs there would hang the run, for example."""
    of_all = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    of_core = tomllib.loads((ROOT / "tests/core/pytest.toml").read_text())["pytest"]
    plugins, own = (
        {name for name in options["addopts"] if name.startswith("tests.plugins.")}
        for options in (of_all, of_core)
    )
    assert plugins - own == {"tests.plugins.database", "tests.plugins.state"}


def test_core_alone_runs_as_quickly_as_in_the_gate():
    options = tomllib.loads((ROOT / "tests/core/pytest.toml").read_text())["pytest"]["addopts"]
    assert ("-m", QUICK) in pairwise(options)


def test_gate_leaves_out_what_is_measured_and_all_does_not():
    gate = Options(own="own", other="other")
    everything = Options(own="own", other="other", lowest="lowest", newest="newest")
    services, all_services = _services(lanes_of(gate)), _services(lanes_of(everything))
    assert services.keys() == all_services.keys() == SERVICES.keys()
    assert all("not measured" in arguments for arguments in services.values())
    assert not any("not measured" in arguments for arguments in all_services.values())


def _services(lanes):
    return {step.name: step.arguments for step in steps_of(lanes) if step.name in SERVICES}


def steps_of(lanes):
    return list(chain(*(lane.steps for lane in lanes)))


def test_properties_run_once_in_the_gate_and_on_other_packages():
    assert _property_runs(lanes_of(Options(own="own", other="other"))) == 1
    everything = Options(own="own", other="other", lowest="lowest", newest="newest")
    assert _property_runs(lanes_of(everything)) == 3
    assert _property_runs([computing(suite("3.12-6.0", "python", servers=()))]) == 0


def test_gate_tries_the_same_examples_each_time_and_all_searches_at_random():
    gate = Options(own="own", other="other")
    everything = Options(own="own", other="other", lowest="lowest", newest="newest")
    fixed = [
        [step.name for step in steps_of(lanes_of(options)) if FIXED in step.arguments]
        for options in (gate, everything)
    ]
    assert fixed == [["properties"], []]


def test_slow_test_of_the_database_runs_on_postgresql_in_the_gate():
    steps = {step.name: step for step in steps_of(lanes_of(Options(own="own", other="other")))}
    members = "tests/matrix/test_members.py"
    assert members in steps["postgresql"].arguments
    assert "not database" in " ".join(steps["properties"].arguments)


def test_coverage_is_measured_where_it_costs_nothing():
    for is_own_quick, python in ((True, "own"), (False, "other")):
        options = Options(own="own", other="other", is_own_quick=is_own_quick)
        covered = [step for step in steps_of(lanes_of(options)) if step.is_covered]
        in_process = {step.python for step in covered if step.name not in SERVICES}
        assert in_process == {options.covered} == {python}
        assert [step.name for step in covered if step.name in SERVICES] == ["faults"]


def _property_runs(lanes):
    return sum("hypothesis or slow" in " ".join(step.arguments) for step in steps_of(lanes))


def test_closing_line_adds_up_all_reports(tmp_path):
    reports = [tmp_path / "sqlite.xml", tmp_path / "postgresql.xml"]
    reports[0].write_text(COUNTS.format(9, 1, 1, 2))
    reports[1].write_text(COUNTS.format(4, 0, 0, 0))
    assert closing_line(reports, 1.5) == "===== 2 failed, 9 passed, 2 skipped in 1.50s ====="


def test_run_without_a_report_counts_as_failed(tmp_path):
    assert closing_line([tmp_path / "none"], 0) == "===== 1 failed in 0.00s ====="


def test_slowest_tests_are_listed_first(tmp_path):
    report = tmp_path / "wire.xml"
    report.write_text(TESTS)
    assert slowest([report], 2) == [
        "   7.25s  wire: tests/one::test_b",
        "   0.50s  wire: tests/one::test_a",
    ]


def test_module_that_needs_most_processor_time_is_listed_with_its_run(tmp_path):
    report = tmp_path / "wire.xml"
    report.write_text(TESTS)
    assert dearest([report], 2) == ["   0.25s  wire: tests/one"]


def test_step_counts_the_processor_time_of_its_programs(tmp_path):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n'{sys.executable}' -c 'for _ in range(20_000_000): pass'\n")
    python.chmod(0o755)
    lane = Lane(steps=[Step(name="a", python=str(python), arguments=())])
    (result,) = in_lanes([lane], tmp_path)
    assert result.processor > 0.1


def test_step_of_a_marker_collects_the_modules_that_name_it():
    found = modules(("backends", "revocation"), ["database"])
    assert "tests/revocation/test_commits.py" in found
    assert "tests/backends/test_keys.py" not in found


def test_marker_from_another_module_stops_the_run(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    items[0].add_marker(pytest.mark.database)\n"
    )
    finished = run_with("markers", tmp_path, "def test_it(): pass\n")
    assert finished.returncode == pytest.ExitCode.USAGE_ERROR, finished.stdout
    assert "has the marker `database`" in finished.stderr


def test_skipped_tests_are_listed_with_their_reason(tmp_path):
    report = tmp_path / "browsers.xml"
    report.write_text(TESTS)
    assert skipped([report]) == ["browsers: tests/one::test_c: no fox"]


def step(tmp_path, name, code, program=""):
    """A step whose "pytest" is a program that ends with that code."""
    python = tmp_path / f"python-{name}"
    python.write_text(f"#!/bin/sh\necho {name} ran\n{program}\nexit {code}\n")
    python.chmod(0o755)
    return Step(name=name, python=str(python), arguments=())


def test_lanes_return_the_codes_of_all_steps_and_print_each_output_whole(tmp_path, capfd):
    first = Lane(steps=[step(tmp_path, "a", 1)])
    second = Lane(steps=[step(tmp_path, "b", 0), step(tmp_path, "c", 3)])
    assert [result.code for result in in_lanes([first, second], tmp_path)] == [1, 0, 3]
    printed = capfd.readouterr().out
    assert all(f" s)\n{name} ran\n" in printed for name in "abc")


def test_lane_runs_as_many_steps_at_once_as_it_has_workers(tmp_path):
    file = tmp_path / "written by b"
    waits = step(tmp_path, "a", 0, f"until [ -e '{file}' ]; do sleep 0.01; done")
    lane = Lane(steps=[waits, step(tmp_path, "b", 4, f"touch '{file}'")], workers=2)
    # In the order of the steps, although the second one ends first.
    assert [result.code for result in in_lanes([lane], tmp_path)] == [0, 4]


def test_more_workers_than_steps_run_each_step_once(tmp_path):
    lane = Lane(steps=[step(tmp_path, "a", 5)], workers=3)
    assert [result.code for result in in_lanes([lane], tmp_path)] == [5]


def test_module_that_cannot_be_imported_hides_no_other_result(tmp_path):
    bad, good = tmp_path / "test_bad.py", tmp_path / "test_good.py"
    bad.write_text("import no_such_module")
    good.write_text("def test_good(): pass")
    alone = ["-c", "/dev/null", f"--rootdir={tmp_path}"]
    steps = [
        Step(name="bad", python=sys.executable, arguments=[*alone, str(bad), str(good)]),
        Step(name="good", python=sys.executable, arguments=[*alone, str(good)]),
    ]
    results = in_lanes([Lane(steps=steps)], tmp_path)
    assert [(each.code, counts(each.report)["passed"]) for each in results] == [(1, 1), (0, 1)]


def test_interrupted_lane_runs_no_further_step(tmp_path):
    lane = Lane(steps=[step(tmp_path, "b", INTERRUPTED), step(tmp_path, "c", 0)])
    assert [result.code for result in in_lanes([lane], tmp_path)] == [INTERRUPTED]


LONG = """
import subprocess, sys, time, pytest
from tests.plugins import slow

pytestmark = [{mark}]
slow.LIMIT = 0.2
slow.load = lambda: 1.0
BUSY = "import time; all(time.process_time() < 0.5 for _ in iter(int, 1))"

def test_that_waits(monkeypatch):
    monkeypatch.setattr(slow, "LIMIT_BY_THE_CLOCK", 0.3)
    time.sleep(0.5)

def test_that_computes():
    began = time.process_time()
    while time.process_time() < began + 0.3:
        pass

def test_whose_program_computes():
    subprocess.run([sys.executable, "-c", BUSY], check=True)

def test_that_is_quick():
    pass
"""


@pytest.mark.parametrize(
    ("mark", "failures"), [("", 3), ("pytest.mark.slow", 0)], ids=["unmarked", "marked"]
)
def test_test_over_the_limit_fails_unless_it_is_marked(tmp_path, mark, failures):
    finished = run_with("slow", tmp_path, LONG.format(mark=mark))
    assert finished.stdout.count("mark it `slow`") == failures, finished.stdout
    assert finished.returncode == bool(failures)


# The thread of `sync_to_async` outlives its test.
CONNECTING = """
import pytest
from channels.db import aclose_old_connections
from django.contrib.auth.models import User

@pytest.mark.database
@pytest.mark.django_db(transaction=True)
async def test_first(): assert not await User.objects.acount()

async def test_second_as_a_consumer_before_each_event(): await aclose_old_connections()
"""


@pytest.mark.parametrize("options", [[], ["--database=postgresql"]], ids=["next test", "end"])
def test_connection_of_a_test_is_closed_before(tmp_path, options):
    (tmp_path / "test_it.py").write_text(CONNECTING)
    (tmp_path / "conftest.py").write_text("from tests.conftest import django_db_setup\n")
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", *options, tmp_path]
    finished = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert finished.returncode == 0, finished.stdout


LEAVING = """
import threading, time
from tests.plugins.state import REQUESTS

ended = []

def request():
    time.sleep(0.5)
    ended.append(threading.current_thread().name)

def test_first():
    for name in REQUESTS:
        threading.Thread(target=request, name=name).start()

def test_second(): assert sorted(ended) == sorted(REQUESTS)
"""


def test_request_of_a_test_ends_before_the_next_test(tmp_path):
    finished = run_with("state", tmp_path, LEAVING)
    assert finished.returncode == 0, finished.stdout
