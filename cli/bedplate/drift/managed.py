"""Which resources a task manages: a table by module and its arguments, extended without touching what reads it.

It is asked inside the process of ansible-playbook, by the callback plugin: standard library only.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]
# Kind and key; and, where a full check names it otherwise, the kind, key and attribute that it says.
Named = tuple[str, ...]
Naming = Callable[[Values, Values], Iterable[Named]]

_UNIT_ENDINGS = (".service", ".socket", ".timer", ".mount", ".path", ".target", ".slice", ".automount", ".swap")


@dataclass(frozen=True, slots=True)
class Resource:
    """Something on a host that a task brings to its state.

    Args:
        kind: `file`, `meta` (a file whose content is not the task's), `pattern`, `folder` (nothing else belongs in it),
            `package`, `unit`, `sysctl`, `user`, `group`, `mount`, `module`, `firewall`, `host`, `audit`.
        named: kind, key and attribute under which a full check knows it, where those are others.
        role: without the collection's name; None for a task of the play itself.
    """

    kind: str
    key: str
    role: str | None = None
    task: str | None = None
    named: tuple[str, str, str] | None = None


def managed(action: str, arguments: Values, result: Values) -> list[Named] | None:
    """Return what a task manages; None if the table has no row for its module.

    Args:
        action: the module's full name.
        arguments: as the module got them.
        result: what it answered.
    """
    naming = TABLE.get(full_name(action))
    return None if naming is None else list(dict.fromkeys(naming(arguments, result)))


def is_neutral(action: str | None) -> bool:
    """Return whether a module only asks, decides or steers: no check judges that, and no seal has it."""
    return full_name(action) in NEUTRAL


def leaves_its_work(action: str) -> bool:
    """Return whether another module does a task's work, with arguments that are not the task's, or none does."""
    return full_name(action) in _LEFT_TO_APT


def full_name(action: str | None) -> str:
    """Return a module's full name: what has none is one of ansible's own."""
    name = action or ""
    return name.replace("ansible.legacy.", "ansible.builtin.") if "." in name else f"ansible.builtin.{name}"


def at(kind: str, *arguments: str) -> Naming:
    """Name resources by the first of these arguments that is there: one value, or each of a list or of a mapping."""

    def name(given: Values, result: Values) -> Iterator[Named]:
        values = next((found for key in arguments if (found := given.get(key) or result.get(key))), ())
        for value in (values,) if isinstance(values, str) else values:
            yield kind, _KEYS.get(kind, str)(str(value))

    return name


def each(kind: str, argument: str, field: str) -> Naming:
    """Name resources by a field of each entry of an argument."""

    def name(given: Values, _result: Values) -> Iterator[Named]:
        for entry in given.get(argument) or ():
            if entry.get(field):
                yield kind, _KEYS.get(kind, str)(str(entry[field]))

    return name


def both(*namings: Naming) -> Naming:
    """Name resources in several ways."""
    return lambda given, result: [named for naming in namings for named in naming(given, result)]


def below(folder: str, *names: str, named: tuple[str, str] | None = None) -> Naming:
    """Name files of fixed names in the folder that an argument says.

    Args:
        names: an empty one is the folder itself, whose owner and mode the module sets.
        named: kind and attribute that a full check says of the folder.
    """

    def name(given: Values, _result: Values) -> Iterator[Named]:
        path = str(given[folder]).rstrip("/")
        for file in names:
            kind, key = ("file", f"{path}/{file}") if file else ("meta", path)
            yield (kind, key, named[0], path, named[1]) if named else (kind, key)

    return name


def fixed(*named: Named) -> Naming:
    """Name what is always the same."""
    return lambda _given, _result: named


def _unit(name: str) -> str:
    return name if name.endswith(_UNIT_ENDINGS) or "*" in name else f"{name}.service"


def _package(name: str) -> str:
    return name.partition("=")[0].partition("/")[0].strip()


_KEYS: Mapping[str, Callable[[str], str]] = {"unit": _unit, "package": _package, "file": posixpath.normpath}


def _written(given: Values, result: Values) -> Iterator[Named]:
    """A file that is written whole or in part: where it went, as the module says."""
    path = result.get("dest") or result.get("path") or given.get("dest") or given.get("path")
    if path:
        yield "file", posixpath.normpath(str(path))


def _file(given: Values, result: Values) -> Iterator[Named]:
    """A file, folder or link whose content is not the task's; what must not be there is looked at like any file."""
    path = given.get("path") or result.get("path") or result.get("dest")
    if path:
        state = given.get("state") or result.get("state")
        yield "file" if state == "absent" else "meta", posixpath.normpath(str(path))


def _folder_files(given: Values, _result: Values) -> Iterator[Named]:
    folder = posixpath.normpath(str(given["path"]))
    yield "folder", folder
    for name in given.get("files") or ():
        yield "file", f"{folder}/{name}"


def _root_files(given: Values, _result: Values) -> Iterator[Named]:
    for entry in given.get("files") or ():
        state, path = entry.get("state") or "present", str(entry["path"])
        whole = entry.get("content") is not None or entry.get("settings") is not None
        if state == "absent" or (state == "present" and whole):
            yield "file", path
        elif state == "present":
            yield "pattern" if any(letter in path for letter in "*?[") else "meta", path


def _apt_sources(given: Values, _result: Values) -> Iterator[Named]:
    etc = str(given.get("etc") or "/etc/apt").rstrip("/")
    for name in dict.fromkeys([*(given.get("files") or ()), given.get("distribution")]):
        yield "file", f"{etc}/sources.list.d/{name}"
    yield "file", f"{etc}/sources.list"


def _host_name(given: Values, _result: Values) -> Iterator[Named]:
    if given.get("root") in {None, "/"}:
        yield "file", "/etc/hosts"
        if given.get("name"):
            yield from (("host", "name"), ("file", "/etc/hostname"))


def _service(given: Values, result: Values) -> Iterator[Named]:
    name = given.get("name") or result.get("name")
    if name and given.get("scope") in {None, "system"}:
        yield "unit", _unit(str(name))


def _cron(given: Values, _result: Values) -> Iterator[Named]:
    file = given.get("cron_file")
    path = (
        posixpath.join("/etc/cron.d", str(file)) if file else f"/var/spool/cron/crontabs/{given.get('user') or 'root'}"
    )
    yield "file", path


_BUILTIN: Mapping[str, Naming] = {
    **dict.fromkeys(
        ("template", "copy", "lineinfile", "blockinfile", "replace", "assemble", "get_url", "known_hosts",
         "deb822_repository"),
        _written,
    ),
    "file": _file,
    "apt": at("package", "name", "package", "pkg"),
    "package": at("package", "name"),
    "dpkg_selections": at("package", "name"),
    **dict.fromkeys(("service", "systemd", "systemd_service", "sysvinit"), _service),
    "user": at("user", "name"),
    "group": at("group", "name"),
    "cron": _cron,
    "hostname": fixed(("host", "name"), ("file", "/etc/hostname")),
}  # fmt: skip
_OTHERS: Mapping[str, Naming] = {
    "ansible.posix.sysctl": both(at("sysctl", "name"), at("file", "sysctl_file")),
    "ansible.posix.mount": at("mount", "path", "name"),
    "ansible.posix.authorized_key": at("file", "keyfile"),
    "community.general.ini_file": _written,
    "community.general.modprobe": at("module", "name"),
    "community.general.timezone": fixed(("host", "timezone")),
}
_OWN: Mapping[str, Naming] = {
    "apt_sources": _apt_sources,
    "audit_rules": both(at("file", "dest"), fixed(("audit", "rules"))),
    "certificate_authority": below("path", "ca.key", "ca.pem", named=("certificate", "content")),
    "firewall_ruleset": both(at("file", "path"), fixed(("firewall", "inet bedplate"))),
    "folder_files": _folder_files,
    "host_certificate": below("path", "", "host.key", "host.pem", "ca.pem", named=("certificate", "content")),
    "host_files": both(each("meta", "folders", "path"), each("file", "files", "path")),
    "host_name": _host_name,
    "mount_options": at("mount", "mounts"),
    "packages_absent": at("package", "name"),
    "packages_present": at("package", "name"),
    "root_files": _root_files,
    "service_current": both(at("unit", "name"), each("unit", "units", "name")),
    "service_deploy": at("unit", "name"),
    "sshd_drop_in": at("file", "dest"),
    "sysctl_values": at("sysctl", "values"),
}
TABLE: Mapping[str, Naming] = {
    **{f"ansible.builtin.{name}": naming for name, naming in _BUILTIN.items()},
    **_OTHERS,
    **{f"bedplate.datacenter.{name}": naming for name, naming in _OWN.items()},
}
# To apt goes what has to be done, and not what is as it should be.
_LEFT_TO_APT = frozenset({"bedplate.datacenter.packages_absent", "bedplate.datacenter.packages_present"})
# Modules that only ask, decide or steer.
NEUTRAL = frozenset(
    [f"ansible.builtin.{name}" for name in (
        "add_host", "assert", "async_status", "debug", "fail", "fetch", "find", "gather_facts", "getent", "group_by",
        "import_playbook", "import_role", "import_tasks", "include_role", "include_tasks", "include_vars", "meta",
        "mount_facts", "package_facts", "pause", "ping", "reboot", "service_facts", "set_fact", "set_stats", "setup",
        "slurp", "stat", "tempfile", "uri", "validate_argument_spec", "wait_for", "wait_for_connection",
    )]
    + [f"bedplate.datacenter.{name}" for name in (
        "host_report", "merge_lines", "preflight", "seal", "unit_lines", "validate_parameters", "verify_host",
        "verify_observer", "verify_outcome", "verify_report",
        # What products do once, or for a while, is no state to keep.
        "access_grant", "host_change", "host_retirement", "netbox_compare", "netbox_record", "record_facts",
        "unit_control",
    )]
)  # fmt: skip
