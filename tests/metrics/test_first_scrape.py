"""The first scrape has the series of events that have not happened yet."""

import json
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.limits import Limit
from channels_token_auth.observability.events import IgnoredBecause, Service
from tests.metrics.site import SCRAPE, python
from tests.metrics.test_monitoring import expressions, promtool

MINUTES = 20


@pytest.fixture(scope="module")
def samples():
    """The samples of a site that has verified one batch of tokens, and had no trouble."""
    used = """
from channels_token_auth.observability.events import QueueMeasured
emit(QueueMeasured(lane="rows", length=0))
"""
    families = text_string_to_metric_families(python(used + SCRAPE))
    return [sample for family in families for sample in family.samples]


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("services_down", "service", get_args(Service)),
        ("outages_total", "service", get_args(Service)),
        ("messages_ignored_total", "reason", get_args(IgnoredBecause)),
        ("limits_reached_total", "limit", Limit),
        ("revocation_to_close_seconds_count", "cause", ("revocation", "sweep")),
        ("bulk_closes_total", "cause", ("revocation", "sweep", "drain")),
        ("closes_total", "reason", (*CloseReason, "none")),
        ("handshakes_total", "outcome", ("accepted", "anonymous", "abandoned", *CloseReason)),
        ("requests_refused_total", "reason", [each for each in CloseReason if each.http_status]),
        ("revocations_total", "reason", ("token_revoked", "token_expired", "user_inactive")),
        ("queue_refusals_total", "lane", ("rows",)),
    ],
)
def test_series_with_known_labels_begin_at_zero(samples, name, label, values):
    found = [each for each in samples if each.name == f"channels_token_auth_{name}"]
    assert {each.labels[label] for each in found} == {str(value) for value in values}
    assert {each.value for each in found} == {0}


def test_no_panel_is_empty_while_nothing_happens(samples, tmp_path):
    series = [
        {"series": f"{each.name}{_braces(each.labels)}", "values": f"{each.value:g}x{MINUTES}"}
        for each in samples
        if each.name.startswith("channels_token_auth_")
    ]
    # In every query, so that no panel has a curve that appears with its first failure.
    has_curves = [
        {
            "expr": f"count({each}) > bool 0",
            "eval_time": f"{MINUTES - 1}m30s",
            "exp_samples": [{"value": 1}],
        }
        for each in expressions()
    ]
    # A minute is the default of Prometheus between two scrapes. Between two of them, a window of a
    # minute has one value only, and no rate.
    test = {"interval": "1m", "input_series": series, "promql_expr_test": has_curves}
    (tmp_path / "test.yml").write_text(json.dumps({"tests": [test]}))
    code, output = promtool("test", "rules", "test.yml", folder=tmp_path)
    assert code == 0, output


def _braces(labels):
    pairs = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{{{pairs}}}"
