"""The package, the README, the matrix of the tests and public CI name the same versions."""

import re
import tomllib

import yaml

from docs.generators.supported import GATE, record
from tests.docs.pages import ROOT, read
from tools.matrix import DJANGOS, combinations, names
from tools.pythons import SUPPORTED

PROJECT = tomllib.loads(read("pyproject.toml"))["project"]
PAGE = "docs/reference/supported.md"
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())


def classified(prefix):
    found = [each.removeprefix(prefix) for each in PROJECT["classifiers"] if prefix in each]
    return [version for version in found if re.fullmatch(r"\d+\.\d+", version)]


def test_every_supported_combination_is_recorded_and_has_passed():
    cells = record()
    assert set(cells) == set(names())
    assert [name for name, cell in cells.items() if cell["failed"] or not cell["passed"]] == []


def test_record_holds_the_versions_that_its_cells_are_named_for():
    cells = {name: cell for name, cell in record().items() if name[0].isdigit()}
    for name, cell in cells.items():
        versions = [cell[key].split(".")[:2] for key in ("python", "django")]
        assert "-".join(map(".".join, versions)) == name


def test_classifiers_list_what_is_tested():
    assert tuple(classified("Programming Language :: Python :: ")) == SUPPORTED
    assert classified("Framework :: Django :: ") == list(DJANGOS)


def test_lower_bounds_are_the_lowest_tested_versions():
    assert PROJECT["requires-python"] == f">={SUPPORTED[0]}"
    assert f"django>={next(iter(DJANGOS))}" in PROJECT["dependencies"]
    assert f"Python {SUPPORTED[0]}+, Django {next(iter(DJANGOS))}+" in read("README.md")


def test_public_ci_runs_the_same_matrix():
    matrix = WORKFLOW["jobs"]["combinations"]["strategy"]["matrix"]
    excluded = [(each["python"], each["django"]) for each in matrix["exclude"]]
    pairs = [(python, django) for python in matrix["python"] for django in matrix["django"]]
    assert [pair for pair in pairs if pair not in excluded] == combinations()
    assert tuple(WORKFLOW["jobs"]["gate"]["strategy"]["matrix"]["python"]) == SUPPORTED


def test_public_ci_runs_the_commands_of_a_developer_and_has_no_secret():
    runs = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"][1:]]
    assert [re.split(r"\$\{\{|\"\$", run)[0].strip() for run in runs] == [
        "bash .ci/run",
        "python3 dev.py test --matrix",
        "python3 dev.py test --matrix",
    ]
    assert "secrets." not in (ROOT / ".github/workflows/ci.yml").read_text()


def test_gate_runs_the_djangos_that_the_lock_has():
    packages = tomllib.loads(read("uv.lock"))["package"]
    locked = sorted(each["version"] for each in packages if each["name"] == "django")
    assert [version.rpartition(".")[0] for version in locked] == [django for _, django in GATE]


def test_page_says_what_tests_a_combination():
    rows = re.findall(r"^\| (3\.\d+) \| (\d\.\d) \| (the [^|]+) \|", read(PAGE), re.MULTILINE)
    assert [tuple(row[:2]) for row in rows] == combinations()
    assert [tuple(row[:2]) for row in rows if "gate" in row[2]] == list(GATE)
