"""Install Debian packages where apt may, from package lists that are fresh."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from tools.programs import UserError, install, run, say

__all__ = ["PACKAGES", "install_packages", "missing_packages", "require_packages"]

# The Debian packages that the tests need, each with a file that exists once it is installed.
PACKAGES = {
    "chromium-headless-shell": "usr/bin/chromium-headless-shell",
    "firefox-esr": "usr/bin/firefox-esr",
    "gcc": "usr/bin/gcc",  # for the benchmarks' load generator, as the C library's headers
    "libatomic1": "usr/lib/*/libatomic.so.1",  # for Playwright's driver
    "libc6-dev": "usr/include/stdio.h",
    "nginx": "usr/sbin/nginx",
    "prometheus": "usr/bin/promtool",
    "postgresql": "usr/lib/postgresql/*/bin/postgres",
    "redis-server": "usr/bin/redis-server",
    "systemd": "usr/bin/systemd-analyze",
}
APT = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "-o", "DPkg::Lock::Timeout=120"]
# Without it, `apt-get update` succeeds where it has reached no archive.
UPDATE = ["-o", "APT::Update::Error-Mode=any", "update"]
# `apt-get update` writes here even if no list has changed. The lists themselves carry the dates of
# the archive, so they do not show when they were fetched.
LISTS = Path("/var/lib/apt/lists/partial")
DAY = 24 * 60 * 60


def require_packages(names):
    """Install those of `PACKAGES` that are missing."""
    if missing := missing_packages(names):
        install_packages(missing)


def missing_packages(names):
    """Return those of `PACKAGES` that are not installed."""
    return [name for name in names if not list(Path("/").glob(PACKAGES[name]))]


def install_packages(names):
    """Have apt install Debian packages; where it may not, raise with the command to type."""
    listed = " ".join(names)
    if not shutil.which("apt-get"):
        raise UserError(f"Missing, and there is no apt-get to install it: {listed}")
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and (not shutil.which("sudo") or run([*sudo, "true"], stderr=subprocess.DEVNULL)):
        how, who = ("sudo apt-get", "") if shutil.which("sudo") else ("apt-get", " as root")
        update = f"{how} update && " if time.time() - lists_fetched() > DAY else ""
        problem = f"Debian packages are missing. Type{who}: {update}{how} install {listed}"
        raise UserError(problem)
    refresh_lists(sudo)
    say(f"Setting up (once): Debian packages {listed}")
    command = [*sudo, *APT, "install", "--no-install-recommends", *names]
    remedy = "check the network, and that this is Debian 12 or newer"
    install(command, f"apt-get could not install {listed}: {remedy}")


def refresh_lists(sudo):
    """Fetch package lists that are older than a day: old ones install old or removed packages."""
    fetched = lists_fetched()
    age = time.time() - fetched
    if age <= DAY:
        return
    old = f"{age / DAY:.1f} days old" if fetched else "missing"
    say(f"Refreshing apt's package lists, which are {old}")
    try:
        install([*sudo, *APT, *UPDATE], "apt-get update failed")
    except UserError as error:
        # One unreachable source need not matter: the package may come from another.
        say(f"{error}. Continuing with the old lists.")
        # apt has written there all the same: the next run shall try again.
        run([*sudo, "touch", "--no-create", f"--date=@{fetched:.0f}", LISTS])


def lists_fetched():
    """Return when apt fetched its package lists, in seconds of the epoch; 0: never."""
    return LISTS.stat().st_mtime if LISTS.exists() else 0.0
