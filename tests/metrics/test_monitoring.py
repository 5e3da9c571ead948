"""The dashboard and the alert rules that operators install, judged by Prometheus' own tool."""

import json
import re
import subprocess
from pathlib import Path

from prometheus_client import REGISTRY

import channels_token_auth.metrics  # noqa: F401 - registers them

FOLDER = Path(__file__).parents[2] / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
NAME = re.compile(r"channels_token_auth_\w+")


def promtool(*arguments, folder=FOLDER):
    done = subprocess.run(
        ["promtool", *arguments], cwd=folder, check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def expressions():
    """Return those of the dashboard, for all jobs."""
    targets = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [target["expr"].replace("$job", ".*") for target in targets]


def known():
    return {sample for family in REGISTRY.collect() for sample in _samples(family)}


def _samples(family):
    ends = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
    return [family.name + end for end in ends.get(family.type, [""])]


def test_alert_rules_are_valid_and_fire_and_resolve_when_they_should():
    assert promtool("check", "rules", "alerts.yml")[0] == 0
    code, output = promtool("test", "rules", "alerts_test.yml")
    assert code == 0, output


def test_expressions_of_the_dashboard_are_valid(tmp_path):
    rules = [{"record": f"panel:{i}", "expr": expr} for i, expr in enumerate(expressions())]
    # Prometheus reads YAML, of which JSON is a part.
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "p", "rules": rules}]}))
    code, output = promtool("check", "rules", "rules.yml", folder=tmp_path)
    assert code == 0, output


def test_every_expression_of_the_dashboard_is_about_the_chosen_job():
    """A job is one site, as for the alerts."""
    names = NAME.findall(json.dumps(DASHBOARD["panels"]))
    chosen = re.findall(
        r'channels_token_auth_\w+\{job=~\\"\$job\\"', json.dumps(DASHBOARD["panels"])
    )
    assert len(names) == len(chosen) > 0
    assert "job" in {each["name"] for each in DASHBOARD["templating"]["list"]}


def test_every_metric_that_is_named_exists():
    named = set(NAME.findall((FOLDER / "alerts.yml").read_text()))
    for expression in expressions():
        named |= set(NAME.findall(expression))
    assert named - known() == {"channels_token_auth"} & named


def test_every_panel_has_a_question_and_an_explanation():
    assert all(panel["title"].endswith("?") for panel in DASHBOARD["panels"])
    assert all(panel["description"] for panel in DASHBOARD["panels"])


def test_page_lists_every_metric():
    """And no metric that does not exist."""
    page = (FOLDER.parent / "docs" / "how-to" / "monitoring.md").read_text()
    table = page.partition("| metric | meaning |")[2].partition("\n\n")[0]
    listed = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`(\w+)`", row[: row.find("|", 2)].split(" by ")[0])
    }
    metrics = (each for each in REGISTRY.collect() if each.name.startswith("channels_token_auth_"))
    names = {each.name.removeprefix("channels_token_auth_"): each.type for each in metrics}
    assert listed == {
        f"{name}_total" if kind == "counter" else name for name, kind in names.items()
    }


def test_page_lists_every_alert():
    page = (FOLDER.parent / "docs" / "how-to" / "monitoring.md").read_text()
    table = page.partition("| alert | look at first |")[2].partition("\n\n")[0]
    alerts = re.findall(r"alert: (\w+)", (FOLDER / "alerts.yml").read_text())
    assert set(re.findall(r"`(Token\w+)`", table)) == set(alerts)
