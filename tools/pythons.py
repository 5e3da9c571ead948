"""Find the other Pythons that the project supports; unpack one from Debian's archive if need be.

An unpacked Python comes with its own C library, below `.dev/pythons`. The system stays as it is.
"""

import shutil
import sys
from pathlib import Path

from tools.environments import environment, one_at_a_time
from tools.programs import DEV, UserError, install, read, say

__all__ = ["SUPPORTED", "NotOfferedError", "find_python", "other_end", "own_version"]

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
# Debian's suites that have a version, in the order in which they are tried.
SUITES = {"3.11": ["bookworm"], "3.13": ["trixie"], "3.14": ["forky", "sid"]}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "http://deb.debian.org/debian"
# The standard library's modules that need libraries of other packages.
TRIAL = "import bz2, ctypes, lzma, sqlite3, ssl, venv, zlib"
# Folders of its own, so that apt neither reads nor changes the system's state. A mirror may lag
# behind the date until which a list is valid; signatures are checked all the same. Unless any error
# counts, `apt-get update` succeeds where it has reached no archive.
APT_CONF = """\
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc "{folder}/etc";
Dir::Etc::sourcelist "{folder}/etc/sources.list";
Dir::Etc::sourceparts "-";
APT::Architecture "{architecture}";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
APT::Update::Error-Mode "any";
"""


class NotOfferedError(UserError):
    """A Python that the machine lacks, and that it cannot get from an archive of Debian."""


def own_version():
    """Return the version of this Python, such as 3.11."""
    return "{}.{}".format(*sys.version_info[:2])


def other_end():
    """Return the end of the supported range that is further from this Python's version."""
    return SUPPORTED[0] if own_version() == SUPPORTED[-1] else SUPPORTED[-1]


def find_python(version):
    """Return a Python of that version: this one, the machine's, or one from Debian's archive."""
    if version == own_version():
        return Path(sys.executable)
    program = shutil.which(f"python{version}")
    if program and read([program, "-c", TRIAL + "; print(1)"]):
        # As the environment's key shall see it: what a version manager's shim leads to.
        return Path(read([program, "-c", "import sys; print(sys.executable)"]))
    return _from_debian(version)


def _from_debian(version):
    folder = DEV / "pythons" / version
    python, stamp = folder / "root" / "usr" / "bin" / f"python{version}", folder / "complete"
    if stamp.exists() and python.exists():
        return python
    _require_apt(version)
    patchelf = environment("patchelf", "patchelf").with_name("patchelf")
    with one_at_a_time():
        say(f"Setting up (once): Python {version} from Debian's archive, into .dev/pythons")
        _download_from_any(SUITES[version], version, folder)
        for package in sorted(folder.glob("cache/archives/*.deb")):
            command = ["dpkg-deb", "--extract", package, folder / "root"]
            install(command, f"dpkg-deb could not unpack {package.name}")
        shutil.rmtree(folder / "cache")
        _relocate(python, version, patchelf)
        if not read([python, "-c", TRIAL + "; print(1)"]):
            raise UserError(_remedy(version, "the unpacked interpreter does not run"))
        stamp.touch()
    return python


def _require_apt(version):
    if version not in SUITES:
        raise NotOfferedError(_remedy(version, "no suite of Debian has it"))
    missing = [tool for tool in ("apt-get", "dpkg", "dpkg-deb") if not shutil.which(tool)]
    if missing or not KEYRING.exists():
        lacking = ", ".join(missing) or str(KEYRING)
        raise NotOfferedError(_remedy(version, f"this machine lacks {lacking}"))


def _download_from_any(suites, version, folder):
    for suite in suites:
        shutil.rmtree(folder, ignore_errors=True)
        try:
            _download(suite, version, folder)
        except UserError as error:
            if suite == suites[-1]:
                raise
            say(f"  {error}. Trying the next suite.")
        else:
            break


def _download(suite, version, folder):
    """Have apt fetch and verify the packages, with all that they depend on."""
    for part in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "root"):
        (folder / part).mkdir(parents=True)
    (folder / "etc" / "apt.conf.d").mkdir()
    (folder / "status").touch()  # nothing is installed, so the C library is fetched too
    source = f"deb [signed-by={KEYRING}] {_mirror()} {suite} main\n"
    (folder / "etc" / "sources.list").write_text(source)
    configuration = folder / "apt.conf"
    architecture = read(["dpkg", "--print-architecture"])
    configuration.write_text(APT_CONF.format(folder=folder, architecture=architecture))
    apt = ["env", f"APT_CONFIG={configuration}", "apt-get", "-q"]
    install([*apt, "update"], _remedy(version, f"apt-get could not fetch the lists of {suite}"))
    command = [*apt, "install", "--yes", "--download-only", "--no-install-recommends"]
    # libstdc++6: packages from PyPI link to it.
    packages = [f"python{version}", f"python{version}-venv", "libstdc++6"]
    install([*command, *packages], _remedy(version, f"Debian's {suite} does not offer it"))


def _mirror():
    """Return the mirror that most of the machine's own package lists come from."""
    lines = read(["apt-get", "indextargets", "--format", "$(SITE)"]).splitlines()
    mirrors = [line for line in lines if "security" not in line and "debian" in line]
    return max(mirrors, key=mirrors.count, default=MIRROR)


def _relocate(python, version, patchelf):
    """Have the interpreter use the loader and the libraries that were unpacked with it."""
    root = python.parents[2]
    # Older packages have some libraries in /lib, which is a link to /usr/lib on a real system.
    libraries = [path for path in root.glob("**/lib/*-linux-gnu") if path.is_dir()]
    loaders = [path for path in root.glob("**/lib/**/ld-linux-*") if not path.is_symlink()]
    if not libraries or not loaders:
        raise UserError(_remedy(version, "its packages have no C library where it is expected"))
    command = [patchelf, "--set-interpreter", loaders[0], "--force-rpath"]
    install([*command, "--set-rpath", ":".join(map(str, libraries)), python], "patchelf failed")
    # `venv` installs pip from wheels, and Debian compiled in the absolute path of their folder.
    for file in root.glob(f"usr/lib/python{version}/_sysconfigdata*.py"):
        if not file.is_symlink():
            wheels = "/usr/share/python-wheels"
            file.write_text(file.read_text().replace(wheels, f"{root}{wheels}"))


def _remedy(version, problem):
    return (
        f"Python {version} is needed, and {problem}: install the package python{version} and"
        f" python{version}-venv, or put any `python{version}` on the PATH"
    )
