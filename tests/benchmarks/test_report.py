"""Tables and numbers of the results."""

import json

import pytest

from benchmarks.report import number, table, write
from benchmarks.run import Panel

PANEL = Panel(
    title="granian",
    unit="handshakes/s",
    rounds=[{"stock": 1000.0, "ours": 2500.0}, {"stock": 1200.0, "ours": 2400.0}],
    bases=("stock",),
    facts={"ours": {"p99": "3 ms"}},
)


def test_table_has_medians_ratios_and_facts():
    assert [*table(PANEL)] == [
        "|  | handshakes/s | ÷ stock | p99 |",
        "| --- | ---: | ---: | ---: |",
        "| stock | 1,100 (1,000 – 1,200) |  |  |",
        "| ours | 2,450 (2,400 – 2,500) | 2.25 (2.00 – 2.50) | 3 ms |",
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1,234"), (12.34, "12.3"), (1.234, "1.23"), (-3.7, "-3.70")]
)
def test_number_shows_three_digits(value, text):
    assert number(value) == text


def test_results_are_a_page_and_all_numbers(tmp_path):
    write(tmp_path, "handshakes", "About it.", {"python": "3.11"}, [PANEL])
    page = (tmp_path / "handshakes.md").read_text()
    assert "About it." in page
    assert "- python: 3.11" in page
    (panel,) = json.loads((tmp_path / "handshakes.json").read_text())["panels"]
    assert panel["rounds"] == PANEL.rounds
