"""JUnit reports of several runs, read together: how many passed, which were slow, which skipped."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.plugins.processor import PROPERTY

__all__ = ["Case", "cases", "closing_line", "counts", "dearest", "skipped", "slowest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test of one run. `processor`: in seconds. `reason`: why it was skipped."""

    name: str
    seconds: float
    processor: float
    reason: str | None = None


def closing_line(reports: Iterable[Path], seconds: float) -> str:
    """Return the totals of all runs, worded as pytest words those of one."""
    totals: Counter[str] = Counter()
    for report in reports:
        totals.update(counts(report))
    return f"===== {in_words(totals)} in {seconds:.2f}s ====="


def in_words(totals: Counter[str]) -> str:
    words = [word for word in ("failed", "passed", "skipped") if totals[word]]
    return ", ".join(f"{totals[word]} {word}" for word in words)


def counts(report: Path) -> Counter[str]:
    """Return the counts of a report, in pytest's words. A missing report is a failure."""
    if not report.exists():  # pytest did not get that far
        return Counter(failed=1)
    suite = ET.parse(report).getroot()[0].attrib
    names = ("tests", "failures", "errors", "skipped")
    tests, failures, errors, skipped = (int(suite[name]) for name in names)
    failed = failures + errors
    return Counter(failed=failed, passed=tests - failed - skipped, skipped=skipped)


def slowest(reports: Iterable[Path], number: int) -> list[str]:
    """Return a line for each of the slowest tests, with its setup and teardown."""
    found = [(case.seconds, report.stem, case.name) for report in reports for case in cases(report)]
    return [
        f"{seconds:7.2f}s  {run}: {name}"
        for seconds, run, name in sorted(found)[: -number - 1 : -1]
    ]


def dearest(reports: Iterable[Path], number: int) -> list[str]:
    """Return a line for each of the modules that need most processor time in a run."""
    totals: Counter[tuple[str, str]] = Counter()
    for report in reports:
        for case in cases(report):
            totals[report.stem, case.name.partition("::")[0]] += case.processor
    return [
        f"{seconds:7.2f}s  {run}: {name}" for (run, name), seconds in totals.most_common(number)
    ]


def skipped(reports: Iterable[Path]) -> list[str]:
    """Return a line for each test that was skipped, with the reason."""
    return [
        f"{report.stem}: {case.name}: {case.reason}"
        for report in reports
        for case in cases(report)
        if case.reason is not None
    ]


def cases(report: Path) -> Iterator[Case]:
    """Yield all tests of a report."""
    if not report.exists():
        return
    for element in ET.parse(report).getroot().iter("testcase"):
        reason = element.find("skipped")
        processor = element.find(f"properties/property[@name='{PROPERTY}']")
        path = element.get("classname", "").replace(".", "/")
        yield Case(
            name=f"{path}::{element.get('name')}",
            seconds=float(element.get("time", 0)),
            processor=0.0 if processor is None else float(processor.get("value", 0)),
            reason=None if reason is None else reason.get("message"),
        )
