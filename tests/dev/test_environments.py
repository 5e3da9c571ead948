"""Environments that differ from the lock."""

PROGRAM = """
from tools.environments import LOWEST, NEWEST, environment
print(environment("other", "test", instead={}))
"""


def test_lowest_versions_replace_locked_ones(checkout):
    finished = checkout.execute(PROGRAM.format("LOWEST"))
    locked, lowest = checkout.uv_calls
    assert locked.startswith("sync --frozen ")
    python = finished.stdout.splitlines()[-1]
    assert lowest.startswith(f"pip install --python {python} ")
    assert "--resolution lowest-direct --all-extras -r pyproject.toml --group servers" in lowest


def test_environment_is_built_again_for_other_versions(checkout):
    for instead in ["LOWEST", "LOWEST", "NEWEST", '["django~=6.0.0"]']:
        checkout.execute(PROGRAM.format(instead))
    replaced = [call for call in checkout.uv_calls if call.startswith("pip install")]
    assert len(replaced) == 3
    assert replaced[-1].endswith("--upgrade django~=6.0.0")
