"""Rounds and ratios."""

from benchmarks.bench import Bench
from benchmarks.run import Panel, Spread, in_rounds, ratios, spread

ROUNDS = [{"ours": 30.0, "stock": 10.0}, {"ours": 20.0, "stock": 20.0}, {"ours": 8.0, "stock": 4.0}]


def quiet(_line):
    pass


def test_ratio_compares_within_a_round():
    assert ratios(ROUNDS, "ours", "stock") == [3.0, 1.0, 2.0]


def test_ratio_leaves_out_rounds_in_which_one_of_them_has_no_value():
    incomplete = [*ROUNDS, {"ours": 5.0}, {"stock": 5.0}, {"ours": 5.0, "stock": 0.0}]
    assert ratios(incomplete, "ours", "stock") == ratios(ROUNDS, "ours", "stock")


def test_spread_is_the_median_with_the_lowest_and_the_highest():
    assert spread([3.0, 1.0, 2.0, 10.0]) == Spread(median=2.5, low=1.0, high=10.0)


def test_everybody_is_measured_once_a_round():
    calls = []
    measures = {name: lambda name=name: calls.append(name) or len(calls) for name in "abcd"}
    found = in_rounds(measures, 3, quiet)
    assert [sorted(calls[start : start + 4]) for start in (0, 4, 8)] == [[*"abcd"]] * 3
    assert [sorted(values.values()) for values in found] == [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10, 11, 12],
    ]


def test_order_differs_from_round_to_round():
    calls = []
    measures = {name: lambda name=name: calls.append(name) for name in "abcd"}
    in_rounds(measures, 4, quiet)
    assert len({tuple(calls[start : start + 4]) for start in (0, 4, 8, 12)}) > 1


def test_results_keep_the_order_in_which_contestants_were_named():
    found = in_rounds(dict.fromkeys("dcba", float), 3, quiet)
    assert Panel(title="", unit="", rounds=found).names == [*"dcba"]


def test_progress_is_reported_after_each_measurement():
    lines = []
    in_rounds({"ours": float}, 2, lines.append)
    assert lines == ["round 1/2  ours", "round 2/2  ours"]


def test_ours_is_measured_with_the_code_of_an_older_checkout_too(tmp_path):
    bench = Bench(rounds=1, quick=True, only=("bare", "ours"), before=tmp_path, say=quiet)
    contestants = bench.contestants_and_before("bare", "ours", "ours-stock")
    assert [(each.name, each.checkout) for each in contestants] == [
        ("bare", None),
        ("ours", None),
        ("ours before", tmp_path),
    ]
    assert bench.bases(contestants, "bare", "stock") == ("bare", "ours before")
