"""Names are counted for an hour."""

from channels_token_auth.core.counting.recent import MINUTES, RecentCounts

HOUR = 60 * MINUTES


def counted(*pairs):
    recent = RecentCounts()
    for name, at in pairs:
        recent.add(name, at)
    return recent


def test_names_are_counted_the_most_frequent_first():
    recent = counted(("a", 0), ("b", 1), ("b", 61))
    assert list(recent.counts(61).items()) == [("b", 2), ("a", 1)]


def test_minutes_that_are_an_hour_ago_do_not_count():
    recent = counted(("a", 0), ("b", 60))
    assert recent.counts(HOUR - 1) == {"a": 1, "b": 1}
    assert recent.counts(HOUR) == {"b": 1}
    assert recent.counts(HOUR + 60) == {}


def test_minutes_without_anything_take_no_place():
    recent = counted(*(("a", minute * 60 * 30) for minute in range(200)))
    assert recent.counts(199 * 60 * 30) == {"a": 2}
