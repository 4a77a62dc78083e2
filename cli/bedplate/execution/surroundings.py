"""The environment and options of an ansible process: the same for every run, wherever it is started."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from bedplate.execution.executor import ExecutionRequest
from bedplate.execution.host_keys import own_known_hosts_option
from bedplate.runs import RunMode
from bedplate.settings import ExecutionSettings

_CONFIG = Path(__file__).with_name("run.cfg")
_CALLBACKS = Path(__file__).with_name("callback")
_MEMORY_FOLDERS = ("/dev/shm",)  # noqa: S108 (a private folder is made in it)
_MOST_FORKS = 50
_FORKS_PER_CORE = 10
# Needed before the rest is there: by the loader and the interpreter. Nothing of it is secret.
_OPEN = ("PATH", "HOME", "LANG", "LANGUAGE", "LC_", "TZ", "LD_LIBRARY_PATH", "PYTHON", "VIRTUAL_ENV")
# What a person may set for ansible itself; everything else that would change a run is ours to say.
_PERSONAL = (
    "ANSIBLE_HOME", "ANSIBLE_VAULT", "ANSIBLE_BECOME", "ANSIBLE_CONNECTION_PASSWORD_FILE", "ANSIBLE_PRIVATE_KEY_FILE",
    "ANSIBLE_REMOTE_USER", "ANSIBLE_SSH_COMMON_ARGS",
)  # fmt: skip
# Where our platforms have Python, for what must not search for it. What an inventory says counts more.
SYSTEM_PYTHON = {"ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3"}
_ASCII_LOCALES = frozenset({"C", "POSIX"})
_DEFAULT_COLLECTIONS = "~/.ansible/collections:/usr/share/ansible/collections"


def environment_of(request: ExecutionRequest, settings: ExecutionSettings, folder: Path) -> dict[str, str]:
    """Return the whole environment of an ansible process, with whatever is secret in the person's own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ANSIBLE_") or name.startswith(_PERSONAL)
    }
    if kept.get("LC_ALL") in _ASCII_LOCALES:
        kept["LC_ALL"] = "C.UTF-8"
    ours = {
        "ANSIBLE_CONFIG": str(_CONFIG),
        "ANSIBLE_STDOUT_CALLBACK": "awx_display",
        "ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "bedplate.datacenter.stop",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_SSH_EXTRA_ARGS": shlex.join(["-o", own_known_hosts_option(folder.parents[1])]),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": _connection_folder(folder.parents[1]),
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_LOCAL_TEMP": str(temporary_folder(request.run.id)),
        "ANSIBLE_TIMEOUT": str(settings.timeout),
        "AWX_ISOLATED_DATA_DIR": str(engine_folder(folder)),
        "BEDPLATE_ARTIFACTS": str(folder / "artifacts"),
        "BEDPLATE_STOP_FILE": str(stop_file(folder)),
        "BEDPLATE_HOLD_FILE": str(hold_file(folder)),
        **_personal_settings(settings),
    }
    environment = {**kept, **request.environment, **ours}
    others = os.environ.get("ANSIBLE_COLLECTIONS_PATH", _DEFAULT_COLLECTIONS)
    first = request.environment.get("ANSIBLE_COLLECTIONS_PATH")
    environment["ANSIBLE_COLLECTIONS_PATH"] = f"{first}:{others}" if first else others
    return environment


def open_part(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that may be written down, for a process to start with."""
    return {name: value for name, value in environment.items() if name.startswith(_OPEN)}


def options_of(request: ExecutionRequest, settings: ExecutionSettings, limit: Path) -> list[str]:
    """Return the arguments of ansible-playbook. The extra variables are no part of them.

    Args:
        limit: the file that names the run's hosts, in the folder that ansible starts in: ansible would split a whole
            path at its spaces.
    """
    forks = settings.forks or forks_for(len(request.hosts), os.cpu_count() or 1)
    options = ["-i", str(request.inventory), "--limit", f"@{limit.name}", "--forks", str(forks)]
    options += ["--check"] if request.run.mode is RunMode.CHECK else []
    options += ["--diff"] if request.run.diff else []
    return [*options, request.playbook]


def forks_for(hosts: int, cores: int) -> int:
    """Return how many hosts to work on at a time."""
    return max(1, min(hosts, _FORKS_PER_CORE * cores, _MOST_FORKS))


def temporary_folder(run_id: str) -> Path:
    """Return where ansible keeps what it hands over to hosts: in memory, gone with a power failure at the latest."""
    name = f"bedplate-{os.getuid()}-{run_id}"
    candidates = [Path(folder) for folder in _MEMORY_FOLDERS if os.access(folder, os.W_OK)]
    return (candidates[0] if candidates else Path("/tmp")) / name  # noqa: S108 (made private, by a name that is new)


def engine_folder(folder: Path) -> Path:
    """Return where ansible-runner keeps its own files; it is gone when the run has ended."""
    return folder / "engine"


def stop_file(folder: Path) -> Path:
    """Return the file whose presence makes the run end in order; what is in it then says where it did."""
    return folder / "stop"


def hold_file(folder: Path) -> Path:
    """Return the file whose presence lets no further batch begin; what is in it says why."""
    return folder / "hold"


def _connection_folder(home: Path) -> str:
    """Return where runs of one state folder keep the SSH connections that they share.

    Nobody else's: over a connection that is open already, ssh checks no host key again. The name is short, because a
    socket's path may have 107 bytes.
    """
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:8]
    return f"{os.environ.get('ANSIBLE_HOME') or '~/.ansible'}/cp/{digest}"


def _personal_settings(settings: ExecutionSettings) -> dict[str, str]:
    paths = {
        "ANSIBLE_PRIVATE_KEY_FILE": settings.private_key,
        "ANSIBLE_VAULT_PASSWORD_FILE": settings.vault_password_file,
    }
    texts = {"ANSIBLE_SSH_COMMON_ARGS": settings.ssh_common_args, "ANSIBLE_REMOTE_USER": settings.remote_user}
    whole = {name: str(Path(path).expanduser().absolute()) for name, path in paths.items() if path}
    return whole | {name: text for name, text in texts.items() if text}
