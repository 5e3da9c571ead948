"""The closing line of the whole suite."""

import sys

from tests.__main__ import INTERRUPTED, Step, closing_line, in_lanes


def test_closing_line_adds_up_what_pytest_reported(tmp_path):
    reports = [tmp_path / "sqlite.xml", tmp_path / "postgresql.xml"]
    suite = (
        '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'
    )
    reports[0].write_text(suite.format(9, 1, 1, 2))
    reports[1].write_text(suite.format(4, 0, 0, 0))
    assert closing_line(reports, 1.5) == "===== 2 failed, 9 passed, 2 skipped in 1.50s ====="


def test_run_without_a_report_counts_as_failed(tmp_path):
    assert closing_line([tmp_path / "none"], 0) == "===== 1 failed in 0.00s ====="


def step(tmp_path, name, code):
    return Step(name, [sys.executable, "-c", f"print('{name} ran'); exit({code})"], tmp_path / name)


def test_lanes_answer_all_codes_and_the_second_ones_output_comes_last(tmp_path, capfd):
    first = [step(tmp_path, "a", 1)]
    second = [step(tmp_path, "b", 0), step(tmp_path, "c", 3)]
    assert in_lanes(first, second, tmp_path / "output") == [1, 0, 3]
    assert capfd.readouterr().out.split("\n---") == [
        "",
        " a\na ran\n",
        " b\nb ran\n",
        " c\nc ran\n\n",
    ]


def test_an_interrupted_lane_runs_nothing_more(tmp_path, capfd):
    second = [step(tmp_path, "b", INTERRUPTED), step(tmp_path, "c", 0)]
    assert in_lanes([], second, tmp_path / "output") == [INTERRUPTED]
    assert "c ran" not in capfd.readouterr().out
