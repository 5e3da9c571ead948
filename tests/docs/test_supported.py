"""The package, the README, the matrix of the tests and public CI name the same versions."""

import re
import tomllib

import yaml

from docs.generators.supported import GATE, record
from tests.docs.pages import ROOT, read
from tools.matrix import DJANGOS, PACKAGES, combinations, names
from tools.pythons import SUPPORTED

PROJECT = tomllib.loads(read("pyproject.toml"))["project"]
PAGE = "docs/reference/supported.md"
WORKFLOWS = {path.name: path.read_text() for path in ROOT.glob(".github/workflows/*.yml")}
JOBS = yaml.safe_load(WORKFLOWS["ci.yml"])["jobs"]
# An image of Debian with this Python.
IMAGE = "python:{}-trixie"


def classified(prefix):
    found = [each.removeprefix(prefix) for each in PROJECT["classifiers"] if prefix in each]
    return [version for version in found if re.fullmatch(r"\d+\.\d+", version)]


def test_every_supported_combination_is_recorded_and_has_passed():
    cells = record()
    assert set(cells) == set(names())
    for name, cell in cells.items():
        assert (name, cell["failed"], cell["skipped"], cell["passed"] > 0) == (name, 0, 0, True)


def test_record_holds_the_versions_that_its_cells_are_named_for():
    ends = dict(zip(PACKAGES, GATE, strict=True))
    for name, cell in record().items():
        versions = [".".join(cell[key].split(".")[:2]) for key in ("python", "django")]
        assert versions == list(ends.get(name) or name.split("-"))


def test_classifiers_list_what_is_tested():
    assert tuple(classified("Programming Language :: Python :: ")) == SUPPORTED
    assert classified("Framework :: Django :: ") == list(DJANGOS)


def test_lower_bounds_are_the_lowest_tested_versions():
    assert PROJECT["requires-python"] == f">={SUPPORTED[0]}"
    assert f"django>={next(iter(DJANGOS))}" in PROJECT["dependencies"]
    assert f"Python {SUPPORTED[0]}+, Django {next(iter(DJANGOS))}+" in read("README.md")


def test_public_ci_runs_the_same_matrix():
    matrix = JOBS["combinations"]["strategy"]["matrix"]
    excluded = [(each["python"], each["django"]) for each in matrix["exclude"]]
    pairs = [(python, django) for python in matrix["python"] for django in matrix["django"]]
    assert [pair for pair in pairs if pair not in excluded] == combinations()
    assert tuple(JOBS["gate"]["strategy"]["matrix"]["python"]) == SUPPORTED
    cells = JOBS["packages"]["strategy"]["matrix"]["include"]
    pythons = {name: python for name, (python, _) in PACKAGES.items()}
    assert {each["versions"]: each["python"] for each in cells} == pythons


def test_public_ci_runs_the_commands_of_a_developer():
    runs = [step["run"] for job in JOBS.values() for step in job["steps"][1:]]
    assert [re.split(r"\$\{\{|\"\$", run)[0].strip() for run in runs] == [
        "bash .ci/run",
        "python3 dev.py test --matrix",
        "python3 dev.py test --matrix",
    ]


def test_workflows_run_tests_on_debian_and_have_no_secret():
    jobs = [job for text in WORKFLOWS.values() for job in yaml.safe_load(text)["jobs"].values()]
    tests = [job for job in jobs if re.search(r"\.ci/run|dev\.py test", str(job["steps"]))]
    assert len(tests) == len(JOBS) + 1, "and the one before a release"
    pythons = ("${{ matrix.python }}", *SUPPORTED)
    assert {job["container"] for job in tests} <= {IMAGE.format(each) for each in pythons}
    assert "secrets." not in "".join(WORKFLOWS.values())


def test_gate_runs_the_djangos_that_the_lock_has():
    packages = tomllib.loads(read("uv.lock"))["package"]
    locked = sorted(each["version"] for each in packages if each["name"] == "django")
    assert [version.rpartition(".")[0] for version in locked] == [django for _, django in GATE]


def test_page_says_what_tests_a_combination():
    rows = re.findall(r"^\| (3\.\d+) \| (\d\.\d) \| (the [^|]+) \|", read(PAGE), re.MULTILINE)
    assert [tuple(row[:2]) for row in rows] == combinations()
    assert [tuple(row[:2]) for row in rows if "gate" in row[2]] == list(GATE)
