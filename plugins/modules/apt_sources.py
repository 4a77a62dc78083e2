# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Where apt gets packages from: new sources replace the old ones only after apt could use them."""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import re
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: apt_sources
short_description: Where apt gets packages from, tried before it replaces what works
description:
  - Writes files in deb822 format into C(/etc/apt/sources.list.d), and takes over what C(/etc/apt/sources.list) says
    in the older format.
  - Sources that are new to the host are first downloaded into a folder of their own. If apt cannot use them, the
    sources in place stay, and the answer is one sentence. If it can, what was downloaded is kept.
  - Sources that the host has already are not downloaded.
options:
  files:
    description: Contents by file name. An empty content removes the file. Other files are left alone.
    type: dict
    required: true
  distribution:
    description: The file that takes what C(/etc/apt/sources.list) says, unless it is one of C(files).
    type: str
    required: true
  keyring:
    description: The distribution's own keys, for those of the sources that are taken over and name none.
    type: path
    required: true
  etc:
    description: The folder of apt's configuration.
    type: path
    default: /etc/apt
  state:
    description: The folder of apt's state, where the lists of packages are.
    type: path
    default: /var/lib/apt
attributes:
  check_mode:
    support: full
    details: New sources are tried in check mode too, outside of what apt uses.
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Get packages from our mirror
  bedplate.datacenter.apt_sources:
    distribution: debian.sources
    keyring: /usr/share/keyrings/debian-archive-keyring.gpg
    files:
      debian.sources: |
        Types: deb
        URIs: http://mirror.example.com/debian
        Suites: bookworm bookworm-updates
        Components: main
        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""

RETURN = r"""
written:
  description: Names of the files that were written or removed.
  returned: always
  type: list
  elements: str
retired:
  description: Whether C(sources.list) was taken over; what it said is kept in C(sources.list.save).
  returned: always
  type: bool
tried:
  description: Whether something was new to the host and had to be downloaded.
  returned: always
  type: bool
"""

# Archives that the distribution's own keys sign, as their addresses end.
_OWN_ARCHIVE = re.compile(r"/(debian|debian-security|ubuntu|ubuntu-ports)/*\Z")
_ONE_LINE = re.compile(r"\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)")
_OPTION_NAMES = {"arch": "architectures", "lang": "languages", "target": "targets"}
_NOT_FOUND = re.compile(r"^(?:Err|Ign):\d+ (\S+) (.+)\n\s+(\d{3} .+?)(?: \[IP: .*\])?$", re.MULTILINE)


def stanzas(text: str) -> list[dict[str, str]]:
    """Return the enabled stanzas of a deb822 text, each with its fields by lower-case name."""
    found, fields, name = [], {}, ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields and fields.get("enabled", "yes").lower() not in ("no", "false", "0"):
                found.append(fields)
            fields, name = {}, ""
        elif line[0] in " \t":
            fields[name] = fields.get(name, "") + "\n" + line.strip()
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return found


def one_line_stanzas(text: str, keyring: str) -> list[dict[str, str]]:
    """Return what a sources.list says as stanzas; distribution archives that name no keys get its own.

    The disk that a host was installed from is none: nobody puts it in at night, and apt asks for it.
    """
    found = []
    for match in filter(None, map(_ONE_LINE.match, text.splitlines())):
        kind, options, uri, suite, components = match.groups()
        if uri.startswith("cdrom:"):
            continue
        fields = {"types": kind, "uris": uri, "suites": suite}
        if components.strip():
            fields["components"] = " ".join(components.split())
        for option in (options or "").split():
            name, _, value = option.partition("=")
            fields[_OPTION_NAMES.get(name, name)] = value.replace(",", " ")
        if not {"signed-by", "trusted"} & set(fields) and _OWN_ARCHIVE.search(uri):
            fields["signed-by"] = keyring
        found.append(fields)
    return found


def as_text(fields: dict[str, str]) -> str:
    """Return one stanza in deb822 format."""
    names = {name: "URIs" if name == "uris" else name.title() for name in fields}
    return "".join("{0}: {1}\n".format(names[name], value) for name, value in fields.items())


def indices(found: list[dict[str, str]], keyring: str) -> set[tuple[str, ...]]:
    """Return what apt would download for stanzas: kind, address, suite, component, architectures and foreign keys."""
    wanted = set()
    for fields in found:
        keys = fields.get("signed-by", "").replace(keyring, "")
        only = fields.get("architectures", "")
        for kind in fields.get("types", "").split():
            for uri in fields.get("uris", "").split():
                for suite in fields.get("suites", "").split():
                    for component in fields.get("components", "").split() or [""]:
                        wanted.add((kind, uri.rstrip("/"), suite, component, only, keys))
    return wanted


def complaint(output: str) -> str:
    """Return what apt said is wrong, on one line: the mirror's answer first, then its own errors."""
    answers = ["{0} answers {2} for {1}".format(*match) for match in _NOT_FOUND.findall(output)]
    # apt pads the number of the answer.
    answers = [" ".join(answer.split()) for answer in dict.fromkeys(answers)]
    errors = [line[2:].strip() for line in output.splitlines() if line.startswith(("E:", "W:"))]
    return "; ".join(answers[:3] or list(dict.fromkeys(errors))[:2]) or "it gave no reason"


def read(path: str) -> str:
    """Return the content of a text file; an absent file is empty."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


class Trial:
    """A private folder in which apt tries sources; whatever happens in it, apt's own state is as it was."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._state, self._etc = module.params["state"], module.params["etc"]
        for left in glob.glob(os.path.join(self._state, "bedplate-*")):
            shutil.rmtree(left)  # of a run that was stopped
        self.folder = tempfile.mkdtemp(dir=self._state, prefix="bedplate-")
        # apt downloads as another user.
        os.chmod(self.folder, 0o755)  # noqa: S103
        for name in ("all", "own", "lists", "cache"):
            os.mkdir(os.path.join(self.folder, name))

    def close(self) -> None:
        shutil.rmtree(self.folder)

    def place(self, files: dict[str, str]) -> None:
        """Lay out the new files by themselves, and among the others that are there."""
        present = os.path.join(self._etc, "sources.list.d")
        for name in os.listdir(present) if os.path.isdir(present) else []:
            if name not in files and name.endswith((".list", ".sources")):
                shutil.copyfile(os.path.join(present, name), os.path.join(self.folder, "all", name))
        for name, content in files.items():
            for place in ("all", "own") if content else ():
                with open(os.path.join(self.folder, place, name), "w", encoding="utf-8") as file:
                    file.write(content)

    def run(self, sources: str, *arguments: str) -> tuple[int, str]:
        """Run apt-get on the sources of one of the folders; return its exit code and all that it printed."""
        places = {
            "Dir::Etc::SourceList": "/dev/null",
            "Dir::Etc::SourceParts": os.path.join(self.folder, sources),
            "Dir::State::Lists": os.path.join(self.folder, "lists"),
            "Dir::Cache": os.path.join(self.folder, "cache"),
            "APT::Update::Error-Mode": "any",
        }
        options = [word for name, value in places.items() for word in ("-o", "{0}={1}".format(name, value))]
        code, out, err = self._module.run_command(["apt-get", "-q", *options, *arguments])
        return code, out + err

    def keep(self) -> None:
        """Move what was downloaded to where apt looks for it."""
        lists = os.path.join(self._state, "lists")
        with open(os.path.join(lists, "lock"), "a", encoding="ascii") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            for path in glob.glob(os.path.join(self.folder, "lists", "*_*")):
                os.rename(path, os.path.join(lists, os.path.basename(path)))


def wanted_files(params: dict) -> tuple[dict[str, str], bool]:
    """Return the files to have in the end, and whether sources.list is taken over."""
    files = dict(params["files"])
    legacy = read(os.path.join(params["etc"], "sources.list"))
    found = one_line_stanzas(legacy, params["keyring"])
    if found and params["distribution"] not in files:
        present = read(os.path.join(params["etc"], "sources.list.d", params["distribution"]))
        had = indices(stanzas(present), params["keyring"])
        new = [fields for fields in found if not indices([fields], params["keyring"]) <= had]
        parts = [present.strip("\n") + "\n"] if present.strip() else []
        files[params["distribution"]] = "\n".join(parts + [as_text(fields) for fields in new])
    return files, any(map(_ONE_LINE.match, legacy.splitlines()))


def in_place(params: dict) -> set[tuple[str, ...]]:
    """Return the indices of all sources that the host has."""
    found = one_line_stanzas(read(os.path.join(params["etc"], "sources.list")), params["keyring"])
    for path in sorted(glob.glob(os.path.join(params["etc"], "sources.list.d", "*"))):
        if path.endswith(".sources"):
            found += stanzas(read(path))
        elif path.endswith(".list"):
            found += one_line_stanzas(read(path), params["keyring"])
    return indices(found, params["keyring"])


def test(trial: Trial, files: dict[str, str], download: bool) -> str:
    """Return why apt cannot use the files, or an empty string."""
    trial.place(files)
    code, output = trial.run("all", "indextargets")
    if code == 0 and download:
        code, output = trial.run("own", "update")
    return complaint(output) if code != 0 else ""


def put(params: dict, files: dict[str, str], retire: bool) -> None:
    """Replace the files, each in one step, once there is room for all of them."""
    folder = os.path.join(params["etc"], "sources.list.d")
    staged = []
    for name, content in files.items():
        if content:
            descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".bedplate-")
            staged.append((temporary, os.path.join(folder, name)))
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
    for temporary, path in staged:
        os.rename(temporary, path)
    for name in [name for name, content in files.items() if not content]:
        os.unlink(os.path.join(folder, name))
    if retire:
        legacy = os.path.join(params["etc"], "sources.list")
        os.rename(legacy, legacy + ".save")


def change(module: AnsibleModule, files: dict[str, str], retire: bool, new: bool) -> None:
    """Try the files, and put them in place if apt can use them; end the module with one sentence if it cannot."""
    trial = Trial(module)
    try:
        fault = test(trial, files, new)
        if fault:
            module.fail_json(msg="apt cannot use the new sources, so those in place stay as they were: " + fault)
        if not module.check_mode:
            put(module.params, files, retire)
            trial.keep()
    finally:
        trial.close()


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "dict", "required": True},
            "distribution": {"type": "str", "required": True},
            "keyring": {"type": "path", "required": True},
            "etc": {"type": "path", "default": "/etc/apt"},
            "state": {"type": "path", "default": "/var/lib/apt"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    params = module.params
    files, retire = wanted_files(params)
    folder = os.path.join(params["etc"], "sources.list.d")
    before = {name: read(os.path.join(folder, name)) for name in files}
    changed = {name: content for name, content in files.items() if content != before[name]}
    wanted = indices([fields for content in changed.values() for fields in stanzas(content)], params["keyring"])
    new = not wanted <= in_place(params)
    if changed or retire:
        try:
            change(module, changed, retire, new)
        except OSError as error:
            reason = "there is no room below " + params["state"]
            if error.errno != errno.ENOSPC:
                reason = "{0}: {1}".format(error.filename, error.strerror)
            module.fail_json(msg="the new sources cannot be tried, so those in place stay as they were: " + reason)
    diff = [
        {"before_header": name, "after_header": name, "before": before[name], "after": content}
        for name, content in changed.items()
    ]
    module.exit_json(changed=bool(changed or retire), written=sorted(changed), retired=retire, tried=new, diff=diff)


if __name__ == "__main__":
    main()
