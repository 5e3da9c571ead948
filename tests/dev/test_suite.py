"""The closing line of the whole suite."""

from tests.__main__ import closing_line


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
