"""A bare-metal host: an emulated machine with its own kernel, a BMC, an NVMe disk, and an address in the lab."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from contextlib import suppress
from pathlib import Path

from factory.errors import FactoryError
from factory.fleet import HostSpec
from factory.keys import COLLEAGUES, LOGIN
from factory.machine import as_root, find_program, last_line, run
from factory.metal_image import MetalImage
from factory.state import LabFolder

MEMORY = "1024"
_NVME_BYTES = 512 * 1024**2
_STOP_SECONDS = 10
_KVM_SECONDS = 20
_ACCOUNTS = (LOGIN, *COLLEAGUES)
_FIRST_UID = 1000


class Guest:
    """One bare-metal host of a lab; its files are in a folder of its own inside the lab's.

    Args:
        folder: the lab's folder.
        name: the host's name.
    """

    def __init__(self, folder: LabFolder, name: str) -> None:
        self.name = name
        self._lab = folder
        self._folder = folder.path / "metal" / name
        self._disk, self._nvme, self._seed = (self._folder / file for file in ("root.qcow2", "nvme.img", "seed.tar"))
        self._pid_file = self._folder / "qemu.pid"
        self._host_key = self._folder / "ssh_host_ed25519_key"
        self._console = self._folder / "console.log"
        # Names of network devices have at most 15 characters.
        self._tap = "bp" + hashlib.sha256(f"{folder.identity} {name}".encode()).hexdigest()[:10]

    @property
    def state(self) -> str:
        """running, exited or missing."""
        if self._pid() is not None:
            return "running"
        return "exited" if self._disk.is_file() else "missing"

    @property
    def host_key(self) -> str:
        """Type and key of the SSH host key, which was made here and given to the machine."""
        return " ".join(self._host_key.with_suffix(".pub").read_text(encoding="ascii").split()[:2])

    def bring_up(self, spec: HostSpec, image: MetalImage) -> str:
        """Make, start or leave the machine, and return which: made, started or checked.

        Raises:
            FactoryError: QEMU is not installed or failed.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = self.state
        if before != "missing" and not self._base_is_there():
            self.stop()
            self._disk.unlink()
            before = "missing"
        changed = self._prepare(spec, image)
        if before == "running" and not changed:
            self._plug_in(spec)
            return "checked"
        self.stop()
        self._plug_in(spec)
        self._start(spec, image)
        return "made" if before == "missing" else "started"

    def stop(self) -> None:
        """Switch the machine off, if it runs, and take its network device away."""
        pid = self._pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_SECONDS
            while self._pid() is not None:
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.05)
        if Path("/sys/class/net", self._tap).exists():
            run(as_root([find_program("ip"), "link", "delete", self._tap]), where=self.name)

    def remove(self) -> None:
        """Switch the machine off and remove its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def last_words(self) -> str:
        """Return the last line that the machine wrote on its serial console, or nothing."""
        if not self._console.is_file():
            return ""
        return last_line(self._console.read_text(encoding="utf-8", errors="replace"))

    def _pid(self) -> int | None:
        """Return the process of the machine, or None: another process may have its number by now."""
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self._pid_file) in words else None

    def _base_is_there(self) -> bool:
        """Whether the image that the disk was begun from still exists."""
        facts = json.loads(run([find_program("qemu-img"), "info", "-U", "--output=json", str(self._disk)]))
        return Path(facts["backing-filename"]).is_file()

    def _prepare(self, spec: HostSpec, image: MetalImage) -> bool:
        """Make the files that are missing, and say whether the machine must start anew to take them."""
        if not self._host_key.is_file():
            run([find_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self._host_key)])
        if not self._disk.is_file():
            backing = ["-F", "raw", "-b", str(image.disk)]
            run([find_program("qemu-img"), "create", "-q", "-f", "qcow2", *backing, str(self._disk)])
        if not self._nvme.is_file():
            with self._nvme.open("wb") as file:
                file.truncate(_NVME_BYTES)
        wanted = seed(self._seed_files(spec))
        if self._seed.is_file() and self._seed.read_bytes() == wanted:
            return False
        self._seed.write_bytes(wanted)
        return True

    def _seed_files(self, spec: HostSpec) -> dict[str, tuple[str, int, int]]:
        """Return what makes the machine this host of this lab: path to text, mode and owner."""
        address, gateway = spec.address, spec.address.rpartition(".")[0] + ".1"
        network = f"[Match]\nName=e*\n\n[Network]\nAddress={address}/24\nGateway={gateway}\n"
        key = self._host_key
        files = {
            "etc/hostname": (self.name + "\n", 0o644, 0),
            "etc/hosts": (f"127.0.0.1 localhost\n{address} {self.name}\n::1 localhost\n", 0o644, 0),
            "etc/resolv.conf": (name_servers(Path("/etc/resolv.conf").read_text(encoding="utf-8")), 0o644, 0),
            "etc/systemd/network/10-lab.network": (network, 0o644, 0),
            "etc/ssh/ssh_host_ed25519_key": (key.read_text(encoding="ascii"), 0o600, 0),
            "etc/ssh/ssh_host_ed25519_key.pub": (key.with_suffix(".pub").read_text(encoding="ascii"), 0o644, 0),
        }
        for uid, user in enumerate(_ACCOUNTS, _FIRST_UID):
            files[f"home/{user}/.ssh/authorized_keys"] = (self._lab.keys.public_key(user) + "\n", 0o600, uid)
        return files

    def _plug_in(self, spec: HostSpec) -> None:
        """Give the machine a network device on the bridge of the lab's containers."""
        subnet = spec.address.rpartition(".")[0] + ".0/24"
        ip = find_program("ip")
        routes = json.loads(run([ip, "-json", "-4", "route", "show", subnet]) or "[]")
        if not routes:
            raise FactoryError(
                "has no network to join: podman keeps the lab's network up while one of its containers runs",
                where=self.name,
                hint="a lab with a bare-metal host needs a container host too",
            )
        if not Path("/sys/class/net", self._tap).exists():
            run(as_root([ip, "tuntap", "add", self._tap, "mode", "tap", "user", str(os.getuid())]))
        run(as_root([ip, "link", "set", self._tap, "master", routes[0]["dev"], "up"]), where=self.name)

    def _start(self, spec: HostSpec, image: MetalImage) -> None:
        accelerated = starts_with_kvm(image)
        octets = "".join(f":{int(octet):02x}" for octet in spec.address.split("."))
        drives = {
            "root": f"file={_escaped(self._disk)},format=qcow2",
            "seed": f"file={_escaped(self._seed)},format=raw",
        }
        command = [
            *_machine(image, "root=/dev/vda rw quiet net.ifnames=0 mitigations=off", accelerated=accelerated),
            *("-name", f"bedplate-{self._lab.identity}-{self.name}", "-m", MEMORY, "-smp", "1"),
            *("-drive", f"{drives['root']},if=virtio"),
            *("-drive", f"{drives['seed']},if=virtio,readonly=on"),
            *("-drive", f"file={_escaped(self._nvme)},format=raw,if=none,id=nvme0"),
            *("-device", f"nvme,drive=nvme0,serial=LAB{octets.replace(':', '').upper()}"),
            *("-device", "ipmi-bmc-sim,id=bmc0", "-device", "isa-ipmi-kcs,bmc=bmc0"),
            *("-netdev", f"tap,id=lan,ifname={self._tap},script=no,downscript=no"),
            *("-device", f"virtio-net-pci,netdev=lan,mac=02:bd{octets}"),
            *("-serial", f"file:{_escaped(self._console)}", "-daemonize", "-pidfile", str(self._pid_file)),
        ]
        run(command, where=self.name)


def seed(files: dict[str, tuple[str, int, int]]) -> bytes:
    """Return a tar archive of files, the same for the same files. `files`: path to text, mode and owner."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, (text, mode, owner) in sorted(files.items()):
            if path.startswith("home/"):
                folder = tarfile.TarInfo(path.rpartition("/")[0])
                folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o700, owner, owner
                archive.addfile(folder)
            content = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.uid, entry.gid = len(content), mode, owner, owner
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def name_servers(resolv_conf: str) -> str:
    """Return the lines of a resolv.conf that hold elsewhere too: a server on loopback is this machine's own."""
    lines = [line for line in resolv_conf.splitlines() if line.startswith(("nameserver", "search", "options"))]
    return "".join(f"{line}\n" for line in lines if not line.startswith(("nameserver 127.", "nameserver ::1")))


def starts_with_kvm(image: MetalImage) -> bool:
    """Whether KVM starts a guest here: its device may be there, and a guest may still fail or hang."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    # It has no disk to go on with, and ends.
    machine = _machine(image, "panic=-1", accelerated=True)
    command = [*machine, "-m", "256", "-serial", "stdio", "-no-reboot"]
    try:
        tried = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_KVM_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        return b"Linux version" in (error.stdout or b"")
    return b"Linux version" in tried.stdout


def _machine(image: MetalImage, kernel_options: str, *, accelerated: bool) -> list[str]:
    """Return the words that start a machine of this kind with the image's kernel."""
    kind = "q35,accel=kvm" if accelerated else "q35,accel=tcg"
    return [
        *(find_program("qemu-system-x86_64"), "-machine", kind, "-cpu", "host" if accelerated else "qemu64"),
        *("-display", "none", "-no-user-config", "-nodefaults"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
        *("-append", f"console=ttyS0 {kernel_options}"),
    ]


def _escaped(path: Path) -> str:
    """Return a path as QEMU's options want it, where a comma ends a value."""
    return str(path).replace(",", ",,")


def guests_of(folder: LabFolder) -> list[Guest]:
    """Return the bare-metal hosts that have files in a lab's folder, running or not."""
    return [Guest(folder, path.name) for path in sorted((folder.path / "metal").glob("*")) if path.is_dir()]
