"""One table, three tellings: the code's, the specification's, and the one that people read."""

import json
import re
from pathlib import Path

import pytest

from channels_token_auth.core.close_codes import TABLE, CloseReason

ROOT = Path(__file__).parents[2]
SPEC = json.loads((ROOT / "spec" / "close_codes.json").read_text())
CLIENT = {
    "stops": "stop",
    "stops: log in": "login",
    "backs off": "back_off",
    "backs off at least `retry_after`": "back_off",
    "fresh token, reconnects at once": "refresh",
}


def specified(*columns):
    """Those columns of the specification, by slug."""
    return {row["slug"]: tuple(row[column] for column in columns) for row in SPEC["codes"]}


def in_readme():
    """The README's table by slug, in the words of the specification."""
    text = (ROOT / "README.md").read_text()
    _, found, rest = text.partition("| code | slug | HTTP before accept | the client |\n")
    assert found, "README.md has no table: code | slug | HTTP before accept | the client"
    rows = {}
    for line in rest.partition("\n\n")[0].splitlines()[1:]:
        code, slugs, http, client = (cell.strip() for cell in line.strip("| ").split(" | "))
        status, challenge = re.fullmatch(r"(?:(\d{3})(?: `(\w+)`)?|–)", http).groups()
        row = (int(code), int(status) if status else None, challenge, CLIENT[client])
        rows |= dict.fromkeys(slugs.replace("`", "").split(", "), row)
    return rows


def test_python_has_the_table_of_the_specification():
    ours = {code.value: (code.close_code, code.http_status, code.challenge) for code in CloseReason}
    assert ours == specified("close_code", "http_status", "challenge")


def test_readme_has_the_table_of_the_specification():
    assert in_readme() == specified("close_code", "http_status", "challenge", "client")


def test_every_code_has_its_row_and_none_is_left_over():
    assert list(TABLE) == list(CloseReason)


def test_the_close_code_alone_tells_a_client_what_to_do():
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
