# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The actual state of what roles manage on a host, and of what nobody manages and intruders change."""

from __future__ import annotations

import gc
import glob
import os
import time
from collections.abc import Callable

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils import seal_kernel as kernel
from ansible_collections.bedplate.datacenter.plugins.module_utils import seal_system as system
from ansible_collections.bedplate.datacenter.plugins.module_utils.seal_accounts import Accounts
from ansible_collections.bedplate.datacenter.plugins.module_utils.seal_answer import lower_priority, mark, packed
from ansible_collections.bedplate.datacenter.plugins.module_utils.seal_brought import (
    Brought,
    is_automatic,
    owners_of_links,
    unlike_packages,
)
from ansible_collections.bedplate.datacenter.plugins.module_utils.seal_files import FileReader, shown
from ansible_collections.bedplate.datacenter.plugins.module_utils.seal_packages import Packages
from ansible_collections.bedplate.datacenter.plugins.module_utils.seal_programs import Programs
from ansible_collections.bedplate.datacenter.plugins.module_utils.seal_watch import (
    MOST_IN_FOLDER,
    Privileged,
    Watch,
    alternatives,
    enabled_units,
    key_files,
)

DOCUMENTATION = r"""
module: seal
short_description: The actual state of a host's resources, as digests, in one round trip
description:
  - Looks at the resources that it is given, and at what no role manages and an intruder or a hurried colleague
    changes - drop-in folders, sockets that listen, accounts that could get in, sudoers, authorized keys, enabled
    units, kernel modules, programs with SUID.
  - Nothing is changed and nothing is left on the host. Devices and pipes are never opened; of huge files only the
    ends are read; a folder with too many files is named and not judged.
options:
  resources:
    description:
      - By kind, what to look at. C(file), C(meta) (a file whose content does not count), C(pattern), C(folder),
        C(package), C(unit), C(sysctl), C(user), C(group), C(mount), C(module), C(firewall), C(host),
        C(audit).
      - Of a file, the value is the beginning of the digest that its content should have, or null where its text must
        never leave the host.
    type: dict
    default: {}
  text:
    description: Of which small files the text is returned too. Files that not everybody may read are never among them.
    type: str
    choices: [none, changed, all]
    default: none
  watch:
    description: Whether to look at what no role manages.
    type: bool
    default: true
  sockets:
    description: Sockets that are known. Of others, the program that listens is looked up.
    type: list
    elements: str
    default: []
  sealed:
    description:
      - Digests of what was found before, by its part and kind; see C(since). Where one is another now, the answer also
        tells what the host's logs know of who did it - commands by sudo, apt, dpkg, systemd, the audit - without what
        looks like a secret in a command.
    type: dict
    default: {}
  marks:
    description:
      - By package, the mark with which its programs were sealed, and the digest of what they were. Where they have
        that mark still, they are not read, and the answer names the package as C(unread). A mark stands for path, mode,
        owner, size, number and times of all programs of a package, as the file system tells them.
    type: dict
    default: {}
  turns:
    description:
      - By path, the digest of what a program was when it was sealed, but for its package. These programs are read even
        where the mark of their package is as it was sealed.
    type: dict
    default: {}
  since:
    description: From when on logs are asked, in seconds since 1970.
    type: int
    default: 0
  updated:
    description:
      - Updates that are accounted for, by package - its version, and from when to when it was installed (a list, the
        moments in seconds since 1970). The answer says what of the host they brought and nothing has touched since.
    type: dict
    default: {}
  programs:
    description: Programs of which that is told, too, though they give nobody more rights now.
    type: list
    elements: str
    default: []
  facts:
    description: Whether to tell, too, what NetBox has fields for; see M(bedplate.datacenter.record_facts).
    type: bool
    default: false
  limit:
    description: The most characters of the answer. What is beyond is left out, and the answer says so.
    type: int
    default: 400000
attributes:
  check_mode:
    support: full
    details: It only reads.
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Look at a file, a package and a unit, and at what nobody manages
  bedplate.datacenter.seal:
    resources:
      file: {/etc/chrony/chrony.conf: ""}
      package: {chrony: ~}
      unit: {chrony.service: ~}
"""

RETURN = r"""
capture:
  description: The state, as JSON that is compressed (zlib) and encoded (base64).
  returned: always
  type: str
facts:
  description: What NetBox has fields for.
  returned: when asked for
  type: dict
truncated:
  description: Whether something was left out because there was too much.
  returned: always
  type: bool
"""

SCHEMA = 2
MOST_TOUCHED = 500


class Capture:
    """One look at a host.

    Args:
        resources: keys by kind, each with its option.
        text: whose text is kept.
        known_sockets: those of which the program does not matter.
        since: of packages installed since then, a file is only said to be theirs if it is as they brought it.
        marks: by package, with which mark its programs need not be read, and the digest of what they were.
        turns: by path, the digest of what programs were that are read all the same.
    """

    def __init__(  # noqa: PLR0917 (each is an option of the module)
        self,
        resources: dict,
        text: str,
        known_sockets: list[str],
        since: int = 0,
        marks: dict | None = None,
        turns: dict | None = None,
    ) -> None:
        self._resources = {kind: dict(keys or {}) for kind, keys in resources.items()}
        self._files = FileReader(text)
        self._known = frozenset(known_sockets)
        self._packages = Packages()
        self._updates = self._packages.unattended()
        self._verified = dict.fromkeys([*self._updates, *self._packages.replaced(since)])
        self._programs = Programs(self._packages, self._files, marks or {}, turns or {}, self._verified)
        self._brought: dict[str, dict] = {}
        self._accounts = Accounts()
        self._enabled, self._chosen = enabled_units(), alternatives()
        self._asked: list[dict[str, dict[str, str]] | None] = []
        self.states: dict[str, dict[str, dict]] = {}
        self.watched: dict[str, dict[str, dict]] = {}
        self.overfull: dict[str, str] = {}
        self.crowded: list[str] = []
        self._matched: list[str] = []
        self._sysctls: system.Sysctls | None = None
        self._evidence: dict = {}

    def take(self) -> None:
        """Look at the resources."""
        files = self.states.setdefault("file", {})
        for path, known in self._of("file").items():
            files[path] = self._files.state(path, known=known, follow=True)
        for path in (*self._of("meta"), *self._of("folder")):
            files.setdefault(path, self._files.state(path, content=False))
        for pattern in self._of("pattern"):
            paths = sorted(glob.glob(pattern))
            if len(paths) > MOST_IN_FOLDER:
                self._files.notes.append("{0} matches {1} files: none was looked at".format(pattern, len(paths)))
                self.overfull[os.path.dirname(pattern)] = "more than {0}".format(MOST_IN_FOLDER)
                continue
            self._matched += paths
            for path in paths:
                files.setdefault(shown(path), self._files.state(path, content=False))
        self._take_all("package", self._packages.state)
        self.states["unit"] = system.units(list(self._of("unit")), self._files)
        if self._of("sysctl"):
            self._sysctls = system.Sysctls()
            self._take_all("sysctl", self._sysctls.state)
        self._take_all("user", self._accounts.user)
        self._take_all("group", self._accounts.group)
        if self._of("mount"):
            self._take_all("mount", kernel.Mounts().state)
        self._take_one("firewall", self._tables)
        self._take_one("module", kernel.modules)
        self._take_identity()

    def _of(self, kind: str) -> dict:
        return self._resources.get(kind, {})

    def _take_all(self, kind: str, state_of: Callable[[str], dict[str, str]]) -> None:
        if self._of(kind):
            self.states[kind] = {key: state_of(key) for key in self._of(kind)}

    def _take_one(self, kind: str, ask: Callable[[], dict[str, dict] | None]) -> None:
        """Look at resources that are all asked for at once."""
        if self._of(kind):
            found = ask()
            if found is None:
                self._files.notes.append("{0}: its program does not answer".format(kind))
            else:
                self.states[kind] = {key: found.get(key, {"presence": "absent"}) for key in self._of(kind)}

    def _take_identity(self) -> None:
        self.states["host"] = {
            "name": {"name": os.uname().nodename, "configured": system.read("/etc/hostname").strip()},
            "timezone": {"timezone": os.path.realpath("/etc/localtime").rpartition("zoneinfo/")[2]},
        }
        if self._of("audit"):
            told = system.output(["auditctl", "-l"])
            self.states["audit"] = (
                {} if told is None else {key: {"rules": system.digest(told)} for key in self._of("audit")}
            )

    def watch(self) -> None:
        """Look at what nobody manages."""
        self._watch_files()
        self._watch("package", self._packages.states)
        self._watch_links()
        self._watch("user", {name: self._accounts.user(name) for name in self._accounts.with_shell()})
        self._watch("group", {name: self._accounts.group(name) for name in self._accounts.of_admins()})
        mounts = kernel.Mounts()
        self._watch("mount", {point: mounts.state(point) for point in mounts.lasting()})
        self._watch("socket", kernel.sockets(self._known))
        self._watch("firewall", self._tables() or {})
        if not system.is_container():
            self._watch("module", kernel.modules())

    def _watch_links(self) -> None:
        """Look at links that choose: which units start at boot, and which of several programs has a name."""
        units, chosen = self._enabled, self._chosen
        owners = self._packages.owners_of(chosen.values(), self._verified)
        owners.update(owners_of_links(self._packages, units.values(), self._verified))

        def came_with(path: str) -> dict[str, str]:
            return {"package": owners[path]} if path in owners else {}

        def enabled(link: str) -> str:
            return "enabled-runtime" if link.startswith("/run/") else "enabled"

        self._watch("unit", {name: {"enabled": enabled(link), **came_with(link)} for name, link in units.items()})
        links = {path: came_with(end) if is_automatic(path) else {} for path, end in chosen.items()}
        self._watch("file", {path: {**self._files.state(path), **owner} for path, owner in links.items()})

    def _tables(self) -> dict[str, dict[str, str]] | None:
        """Return the tables of the firewall; it is asked once."""
        if not self._asked:
            self._asked.append(kernel.tables())
        return self._asked[0]

    def _watch_files(self) -> None:
        managed = [path for path in (*self._of("file"), *self._of("meta")) if os.path.dirname(path).endswith(".d")]
        watch = Watch(self._files, [*dict.fromkeys(map(os.path.dirname, managed)), *self._of("folder")])
        homes = {name: row[5] for name, row in self._accounts.users.items()}
        named = key_files(homes) + system.brought_files([*self._of("unit"), *self._enabled])
        named += unlike_packages(self._packages)
        used = [homes.pop(name) for name in self._accounts.with_shell()]
        paths = dict.fromkeys([*watch.paths(used, list(homes.values())), *named])
        files = self._owned([path for path in paths if path not in self._of("file")])
        # Of some of these a role sets the mode only: their content counts all the same.
        some = (*self._of("meta"), *map(shown, self._matched))
        self.states["file"].update({path: files[path] for path in some if path in files})
        self._watch("file", files)
        privileged = Privileged()
        self._watch_privileged(privileged)
        rest = watch.without_content(privileged.found)
        self._watch("file", {shown(path): self._files.state(path, content=False) for path in rest})
        self._watch_programs(privileged.statuses)
        self.overfull.update(watch.overfull)

    def _watch_privileged(self, programs: Privileged) -> None:
        if programs.complete:
            self._watch("suid", self._owned(programs.found))
        for folder in programs.crowded:
            self.crowded.append(shown(folder))
            self._files.notes.append("{0} has too many files to look for programs with rights".format(shown(folder)))

    def _watch_programs(self, known: dict[str, os.stat_result]) -> None:
        """Look at the programs of packages: what is told of them is told nowhere else."""
        self._programs.look(self._of("package"), self.states["file"], known)
        files = self.watched["file"]
        for _, programs in self._programs.found.values():
            for path in programs:
                files.pop(path, None)
        files.update(self._programs.taken)

    def _owned(self, paths: list[str]) -> dict[str, dict[str, str]]:
        """Return the states of files, with the package that each came with, if that is known or was updated."""
        owners = self._packages.brought(paths, ["libpam-modules", *self._of("package"), *self._verified])
        found = {}
        for path in paths:
            state = self._files.state(path)
            found[shown(path)] = dict(state, package=owners[path]) if path in owners else state
        return found

    def _watch(self, kind: str, found: dict[str, dict]) -> None:
        known = self.states.get(kind, {})
        self.watched.setdefault(kind, {}).update({key: state for key, state in found.items() if key not in known})

    def account(self, updated: dict[str, list], programs: list[str]) -> None:
        """Tell what of all that was looked at came with these updates."""
        brought = Brought(self._packages, updated)
        parts = (self.states, self.watched)
        paths = {path for part in parts for kind in ("file", "suid") for path in part.get(kind, {})}
        paths.update(self._programs.paths)
        files = brought.files(paths.union(programs) - self._chosen.keys())
        self._brought = {
            "file": {**files, **brought.alternatives(self._chosen)},
            "unit": brought.units(self._enabled),
        }

    def trace(self, sealed: dict[str, str], since: int) -> None:
        """Gather what the host knows of who changed it, if anything is not as it was sealed."""
        sockets = self.watched.get("socket", {}).keys() - self._known if sealed else ()
        watched = {**self.watched}
        if "file" in watched:
            watched["file"] = self._programs.besides_sealed(watched["file"])
        parts = (("states", self.states), ("watched", watched))
        now = {"{0} {1}".format(part, kind): mark(found) for part, kinds in parts for kind, found in kinds.items()}
        differs = any(now.get(name) != digest for name, digest in sealed.items())
        if sockets or differs or not self._programs.are_as_sealed():
            lately = sorted(self._files.touched.items(), key=lambda each: each[1][1])[-MOST_TOUCHED:]
            origins = self._sysctls.origins if self._sysctls else {}
            self._evidence = dict(
                _gathered(since),
                touched={shown(path): times for path, times in lately if times[1] >= since},
                origins={name: origins[name][:10] for name in self._of("sysctl") if name in origins},
            )

    def document(self) -> dict:
        """Return everything as plain data."""
        return {
            "schema": SCHEMA,
            "taken_at": int(time.time()),
            "identity": {
                "machine_id": system.read("/etc/machine-id").strip(),
                "serial": system.read("/sys/class/dmi/id/product_serial").strip(),
            },
            "boot_id": system.read("/proc/sys/kernel/random/boot_id").strip(),
            "states": self.states,
            "watched": self.watched,
            "programs": self._programs.found,
            "unread": self._programs.unread,
            "overfull": {shown(path): size for path, size in self.overfull.items()},
            "crowded": self.crowded,
            "updates": self._updates,
            "verified": sorted(self._verified),
            "brought": self._brought,
            "texts": self._files.texts,
            "evidence": self._evidence,
            "notes": self._files.notes[:100],
            "truncated": [],
        }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "resources": {"type": "dict", "default": {}},
            "text": {"type": "str", "choices": ["none", "changed", "all"], "default": "none"},
            "watch": {"type": "bool", "default": True},
            "sockets": {"type": "list", "elements": "str", "default": []},
            "sealed": {"type": "dict", "default": {}},
            "marks": {"type": "dict", "default": {}},
            "turns": {"type": "dict", "default": {}},
            "since": {"type": "int", "default": 0},
            "updated": {"type": "dict", "default": {}},
            "programs": {"type": "list", "elements": "str", "default": []},
            "facts": {"type": "bool", "default": False},
            "limit": {"type": "int", "default": 400000},
        },
        supports_check_mode=True,
    )
    # Nothing that is made here is garbage before the end, where nobody need look for it.
    gc.disable()
    lower_priority()
    asked = module.params
    names = ("resources", "text", "sockets", "since", "marks", "turns")
    capture = Capture(*(asked[name] for name in names))
    capture.take()
    if module.params["watch"]:
        capture.watch()
    if asked["updated"]:
        capture.account(asked["updated"], asked["programs"])
    capture.trace(module.params["sealed"], module.params["since"])
    document = capture.document()
    text = packed(document, module.params["limit"])
    said = {"facts": _facts()} if module.params["facts"] else {}
    gc.freeze()
    # What was asked is known to who asks, and as long as the answer.
    module.exit_json(changed=False, capture=text, truncated=bool(document["truncated"]), invocation={}, **said)


# What is imported is compiled anew each time, and these are needed on few hosts.


def _gathered(since: int) -> dict:
    from ansible_collections.bedplate.datacenter.plugins.module_utils.seal_evidence import gather  # noqa: PLC0415

    return gather(since)


def _facts() -> dict:
    from ansible_collections.bedplate.datacenter.plugins.module_utils.record_facts import facts  # noqa: PLC0415

    return facts()


if __name__ == "__main__":
    main()
