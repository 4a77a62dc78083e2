# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What a host knows of itself that shows whether it can be observed."""

from __future__ import annotations

import getpass
import glob
import ipaddress
import os
import pwd
import re
import secrets
import struct
import syslog
import tempfile
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils import grants

DOCUMENTATION = r"""
module: verify_host
short_description: The host's part of the proof that it can be observed
description:
  - Logs a line with a new token, shows a metric with it for the alert C(VerifyProof), and reports accounts that
    could get in, sockets that listen, the clock, and the state of the services that observe.
  - Nothing that lasts is changed, so it never reports a change. In check mode it only reads.
options:
  state:
    description:
      - C(present) begins the proof; C(delivery) says what rsyslog does with lines that did not arrive; C(absent)
        takes the metric of I(token) away again.
    type: str
    choices: [present, delivery, absent]
    default: present
  token:
    description: With C(absent), what the proof's beginning returned.
    type: str
    default: ""
  textfile_directory:
    description: The folder of the node exporter's text files. Where it is missing, no metric is shown.
    type: path
    default: /var/lib/prometheus/node-exporter
  alert_seconds:
    description: After how many seconds the alert ends by itself.
    type: int
    default: 180
  services:
    description: Units whose state is reported.
    type: list
    elements: str
    default: [chrony, rsyslog, prometheus-node-exporter, bedplate-firewall]
  certificate:
    description: The host's certificate, if it has one.
    type: path
    default: /etc/bedplate/tls/host.pem
attributes:
  check_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Begin the proof
  bedplate.datacenter.verify_host:
  register: proof
"""

RETURN = r"""
token:
  description: What the line and the metric carry; empty when nothing was written.
  returned: when state is present
  type: str
unwritten:
  description: Why the metric could not be written; empty when it could.
  returned: when state is present
  type: str
login:
  description: The account that Ansible came in with.
  returned: when state is present
  type: str
accounts:
  description: Accounts with UID 0 or a login shell, with their keys and whether a password opens them.
  returned: when state is present
  type: list
  elements: dict
other_keys:
  description: Where sshd finds keys besides in files, as its configuration has it.
  returned: when state is present
  type: list
  elements: str
grants:
  description: Accounts that the product access_grant let in for a while, each with name and keys.
  returned: when state is present
  type: list
  elements: dict
listening:
  description: Sockets that other hosts could reach, each with port, protocol and program.
  returned: when state is present
  type: list
  elements: dict
clock:
  description: Kind of container, and what chrony says, or why it says nothing.
  returned: when state is present
  type: dict
services:
  description: State of each unit.
  returned: when state is present
  type: dict
certificate_expired:
  description: Whether the host has a certificate whose time is over.
  returned: when state is present
  type: bool
connected:
  description: Address and port of the hosts that rsyslog, or the tunnel behind it, is connected to.
  returned: when state is delivery
  type: list
  elements: str
words:
  description: What the tunnel, or else rsyslog, complained of last, within two minutes; empty when it did not.
  returned: when state is delivery
  type: str
"""

_METRIC = "bedplate_verify-{0}.prom"
_NO_LOGIN = ("nologin", "false", "sync", "halt", "shutdown")
_KEY_TYPES = ("ssh-", "ecdsa-", "sk-")
# What stunnel says of each connection to a receiver, as an error.
_HARMLESS = "OCSP: No OCSP stapling response received"
_LEVEL = re.compile(r"^LOG\d\[[^]]*\]: ")
_TCP_LISTENS = "0A"
_TCP_ESTABLISHED = "01"
_LOCAL, _REMOTE = 1, 2
_UDP_UNCONNECTED = "07"
_DAY = 86400


def accounts(module: AnsibleModule) -> tuple[list[dict[str, object]], list[str]]:
    """Return the accounts of /etc/passwd with UID 0 or a login shell, and where sshd finds keys besides in files."""
    shadow = _shadow()
    found = []
    elsewhere: set[str] = set()
    with open("/etc/passwd", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split(":") for line in file if line.count(":") == 6]
    for name, _, uid, _, _, home, shell in rows:
        login = os.path.basename(shell or "sh") not in _NO_LOGIN
        if uid == "0" or login:
            password, expired = shadow.get(name, (False, False))
            files, others = _key_files(module, name, home)
            keys = sorted({key for path in files for key in _keys(path)})
            elsewhere.update(others)
            found.append(
                {"name": name, "uid": int(uid), "login": login, "password": password, "expired": expired, "keys": keys}
            )
    return found, sorted(elsewhere)


def _shadow() -> dict[str, tuple[bool, bool]]:
    """Return for each account whether a password opens it, and whether it has expired."""
    with open("/etc/shadow", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split(":") for line in file if line.count(":") == 8]
    today = int(time.time() // _DAY)
    return {row[0]: (not row[1].startswith(("!", "*")), bool(row[7]) and int(row[7]) <= today) for row in rows}


def _key_files(module: AnsibleModule, name: str, home: str) -> tuple[list[str], list[str]]:
    """Return the files in which sshd looks for the account's keys, and where else it finds some."""
    where = "user={0},host=localhost,addr=127.0.0.1".format(name)
    sshd = "/usr/sbin/sshd"
    out = module.run_command([sshd, "-T", "-C", where])[1] if os.path.exists(sshd) else ""
    patterns, others = sources_of_keys(out)
    paths = [each.replace("%h", home).replace("%u", name).replace("%%", "%") for each in patterns]
    return [path if os.path.isabs(path) else os.path.join(home, path) for path in paths], others


def sources_of_keys(said: str) -> tuple[list[str], list[str]]:
    """Return the files of keys, with the patterns of sshd, and its other sources of keys, by what `sshd -T` says."""
    values = {line.partition(" ")[0].lower(): line.partition(" ")[2].strip() for line in said.splitlines()}
    files = values.get("authorizedkeysfile", "").split() or [".ssh/authorized_keys", ".ssh/authorized_keys2"]
    others = ("AuthorizedKeysCommand", "AuthorizedPrincipalsCommand", "TrustedUserCAKeys")
    found = [(name, values.get(name.lower(), "none")) for name in others]
    return files, ["{0} {1}".format(name, value) for name, value in found if value not in ("", "none")]


def _keys(path: str) -> list[str]:
    """Return type and text of the keys in a file, without options and comments."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    except OSError:
        return []
    found = []
    for words in lines:
        kinds = [number for number, word in enumerate(words[:-1]) if word.startswith(_KEY_TYPES)]
        if kinds:
            found.append(" ".join(words[kinds[0] : kinds[0] + 2]))
    return found


def granted() -> list[dict[str, object]]:
    """Return the accounts of grants whose time is not up, with their keys."""
    now = time.time()
    names = [name for name, record in grants.records().items() if not grants.is_over(record, now)]
    return [{"name": name, "keys": _keys(os.path.join(grants.KEYS, name))} for name in names]


def listening() -> list[dict[str, object]]:
    """Return the sockets that take what comes from other hosts, once per port and protocol."""
    programs = _programs()
    found = {}
    for protocol, state in (("tcp", _TCP_LISTENS), ("udp", _UDP_UNCONNECTED)):
        for table in (protocol, protocol + "6"):
            for address, port, inode, _uid in _sockets("/proc/net/" + table, state):
                if not address.is_loopback and not (protocol == "udp" and port >= _first_ephemeral_port()):
                    found.setdefault((port, protocol), programs.get(inode, ""))
    return [{"port": port, "protocol": kind, "program": program} for (port, kind), program in sorted(found.items())]


def _first_ephemeral_port() -> int:
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


def _sockets(
    table: str, state: str, end: int = _LOCAL
) -> list[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int, str, str]]:
    """Return address and port of one end, inode and owner's id of a table's sockets in one state."""
    try:
        with open(table, encoding="ascii") as file:
            rows = [line.split() for line in file.readlines()[1:]]
    except FileNotFoundError:
        return []
    return [(*_endpoint(row[end]), row[9], row[7]) for row in rows if row[3] == state]


def _endpoint(text: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    """Return address and port of the kernel's form: words of the address as the machine stores them, in hexadecimal."""
    address, _, port = text.partition(":")
    words = [int(address[start : start + 8], 16) for start in range(0, len(address), 8)]
    found = ipaddress.ip_address(struct.pack("={0}I".format(len(words)), *words))
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found, int(port, 16)


def _programs() -> dict[str, str]:
    """Return the names of programs by the inodes of their sockets."""
    found: dict[str, str] = {}
    for descriptor in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            target = os.readlink(descriptor)
            if target.startswith("socket:["):
                with open("/proc/{0}/comm".format(descriptor.split("/")[2]), encoding="utf-8") as file:
                    found.setdefault(target[8:-1], file.read().strip())
        except OSError:  # it ended while we looked
            continue
    return found


def clock(module: AnsibleModule) -> dict[str, object]:
    """Return in which kind of container the host is, and whether and how far its clock is from its sources."""
    _, container, _ = module.run_command(["systemd-detect-virt", "--container"])
    result: dict[str, object] = {"container": "" if container.strip() == "none" else container.strip()}
    try:
        code, out, err = module.run_command(["chronyc", "-n", "-c", "tracking"], handle_exceptions=False)
    except OSError:
        return {**result, "error": "chronyc is not installed"}
    fields = out.strip().split(",")
    if code != 0 or len(fields) < 14:
        return {**result, "error": (err or out).strip()}
    return {**result, "synchronised": fields[13] != "Not synchronised", "offset": float(fields[4])}


def services(module: AnsibleModule, names: list[str]) -> dict[str, str]:
    """Return the state of each unit, as systemd says it."""
    _, out, _ = module.run_command(["systemctl", "is-active", *names])
    states = out.split()
    return {name: states[number] for number, name in enumerate(names) if number < len(states)}


def connected(program: str, account: str) -> list[str]:
    """Return address and port of what a program and one of an account are connected to, but for ways to each other.

    Whose a socket is also a root without the right to look into other processes can tell, but not which program has it.
    """
    programs = _programs()
    owner = {str(each.pw_uid) for each in pwd.getpwall() if each.pw_name == account}

    def ends(state: str, end: int) -> set[tuple[str, int]]:
        found = [each for table in ("tcp", "tcp6") for each in _sockets("/proc/net/" + table, state, end)]
        return {(str(at), port) for at, port, inode, uid in found if uid in owner or programs.get(inode) == program}

    others = ends(_TCP_ESTABLISHED, _REMOTE) - ends(_TCP_LISTENS, _LOCAL) - ends(_TCP_ESTABLISHED, _LOCAL)
    return sorted("{0}:{1}".format(address, port) for address, port in others)


def last_words(module: AnsibleModule, unit: str) -> str:
    """Return what a unit complained of last, within two minutes."""
    asked = ["--unit", unit, "--priority", "warning", "--since", "-2min", "--lines", "20", "--output", "cat", "--quiet"]
    _, out, _ = module.run_command(["journalctl", *asked])
    said = [line for line in out.splitlines() if line and not line.endswith(_HARMLESS)]
    return _LEVEL.sub("", said[-1]).strip() if said else ""


def certificate_expired(module: AnsibleModule, path: str) -> bool:
    """Return whether the host has a certificate whose time is over."""
    if not os.path.exists(path):
        return False
    code, _, _ = module.run_command(["openssl", "x509", "-noout", "-checkend", "0", "-in", path])
    return code != 0


def new_token() -> str:
    """Return what the line and the metric of one proof carry."""
    return secrets.token_hex(8)


def begin(folder: str, seconds: int, token: str) -> str:
    """Log a line and show a metric, both with the token; return why the metric could not be written, or nothing."""
    syslog.openlog("bedplate-verify", 0, syslog.LOG_USER)
    syslog.syslog(syslog.LOG_NOTICE, "proof {0}".format(token))
    if not os.path.isdir(folder):
        return "there is no folder {0}".format(folder)
    try:
        _forget(folder)
        _show(folder, int(time.time()) + seconds, token)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _show(folder: str, until: int, token: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".bedplate_verify-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write('bedplate_verify_alert{{token="{0}"}} {1}\n'.format(token, until))
            os.fchmod(descriptor, 0o644)
        os.rename(temporary, os.path.join(folder, _METRIC.format(token)))
    except OSError:
        os.unlink(temporary)
        raise


def _forget(folder: str) -> None:
    """Take away what proofs left that were killed. One that goes on beside this one keeps its own."""
    for path in glob.glob(os.path.join(folder, _METRIC.format("*"))):
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                until = file.read().rpartition(" ")[2].strip()
            if not until.isdigit() or int(until) < time.time():
                os.unlink(path)
        except FileNotFoundError:  # its own proof was faster
            continue


def end(folder: str, token: str) -> None:
    """Take the metric of one proof away."""
    path = os.path.join(folder, _METRIC.format(token))
    if token and os.path.exists(path):
        os.unlink(path)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "delivery", "absent"], "default": "present"},
            "token": {"type": "str", "default": "", "no_log": False},
            "textfile_directory": {"type": "path", "default": "/var/lib/prometheus/node-exporter"},
            "alert_seconds": {"type": "int", "default": 180},
            "services": {
                "type": "list",
                "elements": "str",
                "default": ["chrony", "rsyslog", "prometheus-node-exporter", "bedplate-firewall"],
            },
            "certificate": {"type": "path", "default": "/etc/bedplate/tls/host.pem"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    params = module.params
    if params["state"] == "absent":
        if not module.check_mode:
            end(params["textfile_directory"], params["token"])
        module.exit_json(changed=False)
    if params["state"] == "delivery":
        # Where there is TLS, what it says comes first: rsyslog would only say that nobody takes anything.
        words = last_words(module, "bedplate-log-tunnel") or last_words(module, "rsyslog")
        module.exit_json(changed=False, connected=connected("rsyslogd", "stunnel4"), words=words)
    token = "" if module.check_mode else new_token()
    found, other_keys = accounts(module)
    module.exit_json(
        changed=False,
        login=os.environ.get("SUDO_USER") or getpass.getuser(),
        token=token,
        unwritten=begin(params["textfile_directory"], params["alert_seconds"], token) if token else "",
        accounts=found,
        other_keys=other_keys,
        grants=granted(),
        listening=listening(),
        clock=clock(module),
        services=services(module, params["services"]),
        certificate_expired=certificate_expired(module, params["certificate"]),
    )


if __name__ == "__main__":
    main()
