"""The answers to OWASP ASVS, and the tests that prove them."""

import re

from docs.generators.asvs import CHAPTERS, HOLDS, LIMITED, answers, proofs
from tests.docs.pages import ROOT, table

SECTIONS = """
1.2:10 2.2:3 2.3:5 2.4:2 3.4:8 3.5:8 4.1:5 4.2:5 4.3:2 4.4:4 6.3:8 7.1:3 7.2:4 7.3:2 7.4:5 7.5:3
7.6:2 8.1:4 8.2:4 8.3:3 8.4:2 9.1:3 9.2:4 10.3:5 10.5:5 13.2:6 14.2:8 14.3:3 15.2:5 15.3:7 15.4:4
16.1:1 16.2:5 16.3:4 16.4:3 16.5:4
"""
"""How many requirements each section of version 5.0.0 has."""

STATUSES = {*HOLDS, *LIMITED, "documented", "left to the site", "does not concern us"}


def of_status(*statuses):
    return [each for each in answers() if each["status"] in statuses]


def test_every_requirement_of_the_chapters_is_answered_once_and_in_order():
    sizes = [section.split(":") for section in SECTIONS.split()]
    expected = [f"{name}.{n}" for name, size in sizes for n in range(1, int(size) + 1)]
    assert [each["number"] for each in answers()] == expected


def test_every_status_is_explained_on_the_page():
    explained = {status for status, _ in table("docs/security/asvs.md", "status")}
    assert {each["status"] for each in answers()} == STATUSES == explained


def test_every_answer_that_holds_is_proven_by_a_test():
    proven = proofs()
    holding = [each["number"] for each in of_status(*HOLDS)]
    assert [number for number in holding if number not in proven] == []


def test_every_proof_has_its_answer():
    assert set(proofs()) <= {each["number"] for each in of_status(*HOLDS, *LIMITED)}


def test_what_does_not_hold_says_why_and_nothing_else_does():
    limited = [each["number"] for each in of_status(*LIMITED)]
    assert [each["number"] for each in answers() if "limit" in each] == limited
    assert all(each.get("limit", ".").endswith(".") for each in answers())


def test_every_other_answer_is_a_sentence():
    others = of_status(*STATUSES - {"does not hold"})
    assert [each["number"] for each in others if not each["answer"].endswith(".")] == []


def test_documented_answers_link_to_their_page():
    assert [each["number"] for each in of_status("documented") if "](" not in each["answer"]] == []


def test_every_answer_belongs_to_a_chapter_and_every_chapter_has_one():
    numbers = [each["number"] for each in answers()]
    assert all(any(n.startswith(f"{c}.") for c in CHAPTERS) for n in numbers)
    assert all(any(n.startswith(f"{c}.") for n in numbers) for c in CHAPTERS)


def test_every_threat_names_tests():
    for threat, _, tested in table("SECURITY.md", "threat"):
        targets = re.findall(r"\]\((tests/[\w/.]+\.py)\)", tested)
        assert targets, threat
        assert all((ROOT / target).exists() for target in targets), threat
