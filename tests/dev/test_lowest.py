"""The environment in which the backends meet the oldest packages that they promise to work with."""

import dev


def test_lowest_versions_are_laid_over_what_is_locked(checkout, monkeypatch):
    for name, value in checkout.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dev, "ROOT", checkout.root)
    monkeypatch.setattr(dev, "DEV", checkout.root / ".dev")
    python = dev.environment("lowest", "test", lowest=True)
    locked, lowest = checkout.uv_calls
    assert locked.startswith("sync --frozen ")
    assert lowest.startswith(f"pip install --python {python} ")
    assert "--resolution lowest-direct --all-extras -r pyproject.toml" in lowest
