"""The images of the Debian releases: built here with debootstrap, named by the digest of their recipe."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

from factory.errors import FactoryError
from factory.fleet import RELEASES
from factory.locks import locked
from factory.machine import as_root, find_program, last_line
from factory.podman import Podman
from factory.progress import Progress

RECIPE = Path(__file__).resolve().parent.parent / "image"
REPOSITORY = "localhost/bedplate-lab"
LABEL = "bedplate.lab.image"
DEFAULT_MIRROR = "http://deb.debian.org/debian"
_CHANGES = (f"LABEL {LABEL}=true", 'CMD ["/lib/systemd/systemd"]', "STOPSIGNAL SIGRTMIN+3", "ENV container=podman")


def image_name(platform: str) -> str:
    """Return the full name of a platform's image; its tag changes with the recipe."""
    return f"{REPOSITORY}:{platform}-{recipe_digest(RECIPE)}"


def ensure_images(platforms: Iterable[str], podman: Podman, progress: Progress) -> None:
    """Build the images that are missing; a second process that wants the same waits for the first.

    Raises:
        FactoryError: debootstrap is not installed, the mirror cannot be reached, or podman failed.
    """
    if not _missing(platforms, podman):
        return
    with locked(lock_file("images")):
        missing = _missing(platforms, podman)
        if not missing:
            return
        for program in ("debootstrap", "unshare"):
            find_program(program)
        _build_all(missing, podman, progress)


def remove_images(podman: Podman, progress: Progress) -> None:
    """Remove the container images of this and of earlier recipes that no container uses."""
    in_use = set(podman("ps", "--all", "--format", "{{.Image}}").split())
    for name in sorted(podman.images(LABEL)):
        if name in in_use:
            progress.step(name, "kept: another lab uses it")
            continue
        podman("rmi", name, where=name)
        progress.step(name, "image removed")


def mirror() -> str:
    """Return the Debian mirror: BEDPLATE_LAB_MIRROR, the one of this machine if it is a Debian, or Debian's own."""
    chosen = os.environ.get("BEDPLATE_LAB_MIRROR")
    if chosen:
        return chosen.rstrip("/")
    found = [url for file in _apt_sources() for url in _debian_urls(file.read_text(encoding="utf-8", errors="replace"))]
    return found[0].rstrip("/") if found else DEFAULT_MIRROR


def _apt_sources() -> list[Path]:
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    return [file for file in files if file.is_file() and file.suffix in {".list", ".sources"}]


def _debian_urls(text: str) -> list[str]:
    """Return the URLs of Debian archives, as they end in /debian, in either of apt's formats."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return re.findall(r"(?:^|\s)(https?://\S+/debian/?)(?=\s|$)", "\n".join(lines), re.MULTILINE)


def recipe_digest(recipe: Path, *more: str) -> str:
    """Return the digest of a folder's files, and of what else makes the image what it is."""
    digest = hashlib.sha256("\0".join(more).encode())
    for file in sorted(path for path in recipe.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(recipe)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _missing(platforms: Iterable[str], podman: Podman) -> list[str]:
    present = podman.images(LABEL)
    return sorted(platform for platform in set(platforms) if image_name(platform) not in present)


def lock_file(what: str) -> Path:
    """Return the file whose lock the one process on this machine holds that makes `what`."""
    shared = Path("/run/lock")
    return (shared if shared.is_dir() else Path(tempfile.gettempdir())) / f"bedplate-lab-{what}.lock"


def _build_all(platforms: Sequence[str], podman: Podman, progress: Progress) -> None:
    running: list[subprocess.Popen[bytes]] = []
    with ThreadPoolExecutor(len(platforms)) as builders:
        try:
            list(builders.map(lambda platform: _build(platform, podman, progress, running), platforms))
        except BaseException:  # also an interrupt: no build goes on alone
            for process in running:
                with suppress(PermissionError):  # root's through sudo: it ends by itself when its pipe is closed
                    process.terminate()
            raise


def _build(platform: str, podman: Podman, progress: Progress, running: list[subprocess.Popen[bytes]]) -> None:
    """Pipe a new root tree into podman; the image gets its name only when the tree was complete."""
    began = time.monotonic()
    name = image_name(platform)  # of the recipe as it is now, before anyone edits it
    release, packages = RELEASES[platform], str(RECIPE / "packages.txt")
    script = ["sh", str(RECIPE / "build.sh"), release, mirror(), packages]
    # A namespace of its own: mounts and processes of a build that was killed are gone with it.
    isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *script]
    progress.step(platform, f"building the image of Debian {release} from {mirror()}", done=False)
    changes = [f"--change={change}" for change in _CHANGES]
    importing = [*podman.command, "import", "--quiet", *changes, "-"]
    with subprocess.Popen(as_root(isolated), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tree:
        running.append(tree)
        log = BuildLog(tree.stderr, platform, progress)
        imported = subprocess.run(importing, stdin=tree.stdout, capture_output=True, text=True, check=False)
    identifier = last_line(imported.stdout)
    if tree.returncode != 0 or imported.returncode != 0:
        if identifier and imported.returncode == 0:
            podman("rmi", identifier)
        reason = log.last_words() if tree.returncode else last_line(imported.stderr)
        raise FactoryError(
            f"the image of Debian {release} could not be built: {reason}",
            where=platform,
            hint=f"the mirror is {mirror()}; BEDPLATE_LAB_MIRROR names another one",
        )
    podman("tag", identifier, name)
    progress.step(platform, f"image built in {time.monotonic() - began:.0f} s")


class BuildLog:
    """Reads what a build prints: headlines become progress, the last lines explain a failure."""

    def __init__(self, stream: IO[bytes] | None, platform: str, progress: Progress) -> None:
        self._lines: list[str] = []
        self._platform = platform
        self._progress = progress
        self._reader = threading.Thread(target=self._read, args=(stream,))
        self._reader.start()

    def last_words(self) -> str:
        self._reader.join()
        errors = [line for line in self._lines if line.startswith(("E:", "W:"))]
        return (errors or self._lines or ["it printed nothing"])[-1]

    def _read(self, stream: IO[bytes] | None) -> None:
        for raw in stream or ():
            line = raw.decode(errors="replace").strip()
            if line.startswith("bedplate: "):
                self._progress.step(self._platform, line.removeprefix("bedplate: "), done=False)
            elif line:
                self._lines = [*self._lines[-30:], line]
