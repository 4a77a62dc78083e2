"""The disks of bare-metal hosts: made from the container images, and named by the digest of their recipe."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from factory.errors import FactoryError
from factory.image import BuildLog, image_name, lock_file, mirror, recipe_digest
from factory.locks import locked
from factory.machine import as_root, find_program, last_line
from factory.podman import Podman
from factory.progress import Progress

RECIPE = Path(__file__).resolve().parent.parent / "metal"
STORE = Path("/var/cache/bedplate-metal")
_FILES = ("root.img", "vmlinuz", "initrd.img")


@dataclass(frozen=True)
class MetalImage:
    """A disk and the kernel that it is started with."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "root.img"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"

    def is_complete(self) -> bool:
        """Whether every file is there; a build gives the folder its name last."""
        return all((self.folder / name).is_file() for name in _FILES)


def metal_image(platform: str) -> MetalImage:
    """Return a platform's image as the recipe makes it now; it need not exist."""
    return MetalImage(STORE / f"{platform}-{recipe_digest(RECIPE, image_name(platform))}")


def ensure_metal_image(platform: str, podman: Podman, progress: Progress) -> MetalImage:
    """Return a platform's image, built if it is missing; its container image must be there.

    Raises:
        FactoryError: a program is not installed, the mirror cannot be reached, or podman failed.
    """
    image = metal_image(platform)
    if image.is_complete():
        return image
    for program in ("mkfs.ext4", "unshare"):
        find_program(program)
    with locked(lock_file("metal")):
        if not image.is_complete():
            _build(platform, image, podman, progress)
    return image


def remove_metal_images(progress: Progress) -> None:
    """Remove the images that no machine runs on; a machine that is off is made anew at its next start."""
    for folder in sorted(STORE.glob("*")) if STORE.is_dir() else ():
        if _is_in_use(folder):
            progress.step(str(folder), "kept: another lab uses it")
        else:
            _as_root("rm", "-rf", str(folder))
            progress.step(str(folder), "image removed")
    if STORE.is_dir() and not any(STORE.iterdir()):
        _as_root("rmdir", str(STORE))


def _is_in_use(folder: Path) -> bool:
    """Whether a process, which is a machine that was started with its kernel, names the folder."""
    needle = f"{folder}/".encode()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if needle in file.read_bytes():
                return True
        except OSError:
            continue  # it ended just now
    return False


def _as_root(*words: str) -> None:
    subprocess.run(as_root(words), check=True)


def _build(platform: str, image: MetalImage, podman: Podman, progress: Progress) -> None:
    """Pipe the container image's tree into the recipe; the folder gets its name only when all was made."""
    began = time.monotonic()
    progress.step(platform, "making a disk with a kernel of its own", done=False)
    fresh = STORE / f".{image.folder.name}"
    _as_root("rm", "-rf", str(fresh), str(image.folder))
    _as_root("install", "-d", "-m", "0755", str(STORE), str(fresh))
    source = podman("create", image_name(platform)).strip()
    try:
        reason = _run_recipe(source, fresh, platform, podman, progress)
    finally:
        podman("rm", "--force", source)
    if reason:
        _as_root("rm", "-rf", str(fresh))
        hint = f"the mirror is {mirror()}; BEDPLATE_LAB_MIRROR names another one"
        raise FactoryError(f"the disk could not be made: {reason}", where=platform, hint=hint)
    _as_root("mv", str(fresh), str(image.folder))
    progress.step(platform, f"disk made in {time.monotonic() - began:.0f} s")


def _run_recipe(source: str, folder: Path, platform: str, podman: Podman, progress: Progress) -> str:
    """Return why it failed, or nothing."""
    script = ["sh", str(RECIPE / "build.sh"), mirror(), str(folder)]
    isolated = as_root(["unshare", "--mount", "--pid", "--fork", "--kill-child", *script])
    exporting = [*podman.command, "export", source]
    with subprocess.Popen(exporting, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tree:
        with subprocess.Popen(isolated, stdin=tree.stdout, stderr=subprocess.PIPE) as recipe:
            if tree.stdout:  # or podman would write on after the recipe has failed
                tree.stdout.close()
            reason = BuildLog(recipe.stderr, platform, progress).last_words()
        complaint = (tree.stderr.read() if tree.stderr else b"").decode(errors="replace")
    if recipe.returncode != 0:
        return reason
    return last_line(complaint) or "podman export failed" if tree.returncode != 0 else ""
