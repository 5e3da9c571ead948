"""spec/close_codes.json is the one table; the code and the documents have it from there."""

import json
import re
from pathlib import Path

import pytest

from channels_token_auth.core.close_codes import TABLE, CloseReason
from spec import generate

ROOT = Path(__file__).parents[2]
SPEC = json.loads((ROOT / "spec" / "close_codes.json").read_text())
COLUMNS = {
    "slug",
    "close_code",
    "http_status",
    "challenge",
    "client",
    "retry",
    "transient",
    "meaning",
    "remedy",
}


def specified(*columns):
    """Return columns of the specification, by slug."""
    return {row["slug"]: tuple(row[column] for column in columns) for row in SPEC["codes"]}


def test_every_generated_table_is_up_to_date():
    old = [
        path for path in generate.targets() if path.read_text() != generate.filled(path.read_text())
    ]
    assert not old, "run: python -m spec.generate"


@pytest.mark.parametrize(
    "file",
    [
        "spec/PROTOCOL.md",
        "spec/client.html",
        "client/src/close-codes.ts",
        "src/channels_token_auth/core/close_codes.py",
        "src/channels_token_auth/observability/refusal_log.py",
    ],
)
def test_table_is_generated_in(file):
    assert ROOT / file in generate.targets()


def test_python_has_the_columns_of_the_specification():
    ours = {
        reason.value: (
            reason.close_code,
            reason.http_status,
            reason.challenge,
            reason.may_retry,
            reason.is_transient,
        )
        for reason in CloseReason
    }
    assert ours == specified("close_code", "http_status", "challenge", "retry", "transient")


def test_every_row_has_every_column():
    assert all(set(row) == COLUMNS for row in SPEC["codes"])
    assert set(SPEC["about"]) >= COLUMNS


def test_client_retries_what_the_server_says_it_may():
    """`retry` in `auth.error` is for clients that do not know the code."""
    by_itself = {row["slug"] for row in SPEC["codes"] if row["client"] in {"refresh", "back_off"}}
    assert by_itself == {row["slug"] for row in SPEC["codes"] if row["retry"]}


def test_transient_reasons_may_be_retried():
    assert all(row["retry"] for row in SPEC["codes"] if row["transient"])


def test_every_code_has_its_row_and_none_is_left_over():
    assert list(TABLE) == list(CloseReason)


def test_the_close_code_alone_decides_what_a_client_does():
    rows = SPEC["codes"] + SPEC["servers"]
    pairs = {(row["close_code"], row["client"]) for row in rows}
    assert len(pairs) == len({code for code, _ in pairs})


def test_specification_explains_each_thing_a_client_does():
    told = {row["client"] for row in SPEC["codes"] + SPEC["servers"] + SPEC["unknown"]}
    assert told | {SPEC["otherwise"]} == set(SPEC["client"])


@pytest.mark.parametrize("code", CloseReason)
def test_close_code_is_4000_and_the_status_where_one_fits(code):
    """RFC 6455 §7.4.2: 4000 to 4999 are ours; daphne can send none of 1008 to 1013."""
    assert 4400 <= code.close_code <= 4599
    if code.http_status not in (None, 401):  # 401 has one close code for each remedy
        assert code.close_code == 4000 + code.http_status


@pytest.mark.parametrize("code", CloseReason)
def test_slug_fits_a_close_reason_and_a_url(code):
    assert re.fullmatch(r"[a-z_]{1,40}", code)
