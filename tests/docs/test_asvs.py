"""The answers to OWASP ASVS, and the tests that prove them."""

from docs.generators.asvs import CHAPTERS, HOLDS, answers, proofs


def test_every_answer_that_holds_is_proven_by_a_test():
    proven = proofs()
    holding = [each["number"] for each in answers() if each["status"].startswith(HOLDS)]
    assert [number for number in holding if number not in proven] == []


def test_every_proof_has_its_answer():
    assert set(proofs()) <= {each["number"] for each in answers()}


def test_what_does_not_hold_says_why():
    assert all(each["answer"].endswith(".") for each in answers())


def test_every_answer_belongs_to_a_chapter_and_every_chapter_has_one():
    numbers = [each["number"] for each in answers()]
    assert all(any(n.startswith(f"{c}.") for c in CHAPTERS) for n in numbers)
    assert all(any(n.startswith(f"{c}.") for n in numbers) for c in CHAPTERS)
