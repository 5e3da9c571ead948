"""The generated parts of the reference are those that the code gives today."""

import re
from dataclasses import fields

import pytest

from channels_token_auth import Authentication, signals
from channels_token_auth.conf.table import SETTINGS
from docs import generate, make_lifecycle
from docs.generators import checks, close_codes, commands, measured
from tests.docs.pages import ROOT, read, table

SYNC = "run: .dev/test/bin/python -m docs.generate"


@pytest.mark.parametrize("path", list(generate.pages()), ids=lambda path: path.stem)
def test_generated_parts_are_up_to_date(path):
    assert path.read_text() == generate.filled(path.read_text()), SYNC


def test_part_that_differs_from_the_code_is_replaced():
    page = "before\n<!-- generated: close-code 4410 -->\nold\n<!-- end -->\nafter\n"
    assert "token_revoked" in generate.filled(page)
    assert "old" not in generate.filled(page)


def test_every_setting_has_a_section_in_the_order_of_the_code():
    assert re.findall(r"^## `(\w+)`$", read("docs/reference/settings.md"), re.MULTILINE) == list(
        SETTINGS
    )


@pytest.mark.asvs("16.1.1")
def test_every_reason_in_the_log_is_listed_with_its_remedy():
    listed = dict(table("docs/reference/refusals.md", "reason"))
    assert "no_token" in listed  # its slug is a constant of its module
    assert [reason for reason, remedy in listed.items() if not remedy.strip(" ….")] == []


def test_every_close_code_has_a_page():
    codes = {str(row["close_code"]) for row in close_codes.SPEC["codes"]}
    assert {path.stem for path in ROOT.glob("docs/reference/close-codes/4*.md")} == codes


def test_every_typescript_declaration_is_whole():
    blocks = re.findall(r"```ts\n(.*?)\n```", read("docs/reference/typescript.md"), re.DOTALL)
    assert blocks
    assert [block for block in blocks if block[-1] not in ";}"] == []


def test_picture_of_the_lifecycle_is_drawn_from_the_table():
    assert read("docs/reference/lifecycle.svg") == make_lifecycle.picture()


def test_page_of_the_lifecycle_has_its_states_and_a_run_of_the_example():
    assert read("docs/reference/lifecycle.md") == make_lifecycle.page()


def test_every_check_is_listed():
    found = re.findall(r"^### ([EWI]\d{3})$", read("docs/reference/checks.md"), re.MULTILINE)
    source = "".join(path.read_text() for path in checks.SOURCE.rglob("*.py"))
    in_source = set(re.findall(r"\b[EWI]\d{3}\b", source)) - {"E501"}
    assert set(found) == checks.numbers() == in_source


def test_every_field_of_the_authentication_is_listed():
    listed = [name for name, _ in table("docs/reference/python.md", 'field of `scope["auth"]`')]
    assert listed == [field.name for field in fields(Authentication)]


def test_every_command_has_a_section():
    found = re.findall(r"^## `(\w+)`$", read("docs/reference/commands.md"), re.MULTILINE)
    assert found == commands.names()


@pytest.mark.asvs("16.1.1")
def test_every_signal_is_listed():
    listed = {
        name for row in table("docs/reference/signals.md", "signal") for name in row[0].split(", ")
    }
    assert listed == set(signals.__all__)


@pytest.mark.parametrize(("goal", "at_most"), [(0, False), (1e9, True)])
def test_aim_that_the_results_reach_is_not_listed(goal, at_most):
    where = "any aim", goal, "handshakes", 0, "ours", "bare"
    assert not measured.Aim(*where, at_most=at_most).is_missed
    assert measured.Aim(*where, at_most=not at_most).is_missed


def test_contestant_that_was_not_measured_misses_no_aim():
    assert not measured.Aim("any aim", 1, "handshakes", 0, "nobody", "bare").is_missed
