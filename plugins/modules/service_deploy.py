# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A team's service from a template: a sandboxed unit that is watched, or what was there before."""

from __future__ import annotations

import inspect
import json
import os
import shlex

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils import deployed_services as watch
from ansible_collections.bedplate.datacenter.plugins.module_utils.units import Unit

DOCUMENTATION = r"""
module: service_deploy
short_description: A team's service from a template, sandboxed and watched
description:
  - Writes a unit with a sandbox, starts it, and waits until it is well. When it is not, the unit that was there before
    takes its place again; a service that is new is taken away.
  - Each host checks its services every 30 seconds and shows the result, and the services' own metrics, as text files of
    the node exporter.
  - A unit that this module did not write is never touched.
options:
  name:
    description: The service, which is the name of its unit.
    type: str
    required: true
  state:
    description: Whether it is there.
    type: str
    choices: [present, absent]
    default: present
  command:
    description: The program with an absolute path, and its arguments; quoted as in a shell, but there is no shell.
    type: str
    default: ""
  environment:
    description: Words C(NAME=value) for the program, quoted as in a shell.
    type: str
    default: ""
  health:
    description: An http(s) address of this host that must answer, or C(HOST:PORT) that must take a connection.
    type: str
    default: ""
  metrics:
    description: An http(s) address of this host with metrics in Prometheus' text format.
    type: str
    default: ""
  team:
    description: Whose it is.
    type: str
    default: ""
  cost_center:
    description: Who pays.
    type: str
    default: ""
  objective:
    description: The share of checks that shall succeed.
    type: float
    default: 0.99
  memory:
    description: The most memory, as systemd writes it.
    type: str
    default: 512M
  seconds:
    description: How long it may take until it is well.
    type: float
    default: 30
  textfile_directory:
    description: The folder of the node exporter's text files.
    type: path
    default: /var/lib/prometheus/node-exporter
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Run the shop
  bedplate.datacenter.service_deploy:
    name: shop
    command: /opt/shop/bin/shop --port 8080
    health: http://127.0.0.1:8080/health
    team: shop
    cost_center: cc-4711
"""

RETURN = r"""
rolled_back:
  description: Whether what was there before is there again.
  returned: always
  type: bool
lines:
  description: The unit's last lines in the journal.
  returned: when it is not well
  type: list
  elements: str
"""

_MARK = "# Written by Bedplate's product service_deploy; a change by hand is lost.\n"
_UNITS = "/etc/systemd/system"
_TEMPLATE = (
    _MARK
    + """[Unit]
Description={name} of the team {team}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
ExecStart={command}
{environment}SyslogIdentifier={name}
Restart=on-failure
RestartSec=2
MemoryMax={memory}
TasksMax=512
DynamicUser=yes
StateDirectory={name}
RuntimeDirectory={name}
UMask=0077
CapabilityBoundingSet=
NoNewPrivileges=yes
LockPersonality=yes
PrivateDevices=yes
PrivateTmp=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
"""
)
_WATCH = """[Unit]
Description=Look at the services of teams on this host

[Service]
Type=oneshot
ExecStart={0} {1}
"""
_TIMER = """[Unit]
Description=Look at the services of teams on this host, twice a minute

[Timer]
OnBootSec=15s
OnUnitActiveSec=30s
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


def quoted(words: list[str]) -> str:
    """Return words as systemd reads them from a unit: nothing in them means anything."""
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") for word in words)
    return " ".join('"{0}"'.format(word) for word in escaped)


def unit_text(params: dict[str, object]) -> str:
    """Return the unit's file; raises ValueError where the command or the environment cannot be read."""
    command = shlex.split(str(params["command"]))
    if not command or not command[0].startswith("/"):
        raise ValueError("the command must begin with the absolute path of a program")
    variables = shlex.split(str(params["environment"]))
    for word in variables:
        if not word.partition("=")[1] or not word.partition("=")[0].replace("_", "a").isalnum():
            message = "{0!r} is no NAME=value".format(word)
            raise ValueError(message)
    # A dollar begins a variable in commands, and nothing in an environment.
    started = quoted([word.replace("$", "$$") for word in command])
    environment = "Environment={0}\n".format(quoted(variables)) if variables else ""
    return _TEMPLATE.format(**{**params, "command": started, "environment": environment})


class Deployment:
    """The files of one service on this host.

    Args:
        module: with the options of the task.
    """

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._params = module.params
        name = module.params["name"]
        self.unit_path = os.path.join(_UNITS, name + ".service")
        self._record_path = os.path.join(watch.RECORDS, name + ".json")
        self.before = (_text(self.unit_path), _text(self._record_path))

    def refusal(self, unit: Unit) -> str:
        """Return why this name cannot be taken, or an empty string."""
        fragment = unit.properties.get("FragmentPath", "")
        ours = fragment in ("", self.unit_path) and (self.before[0] is None or self.before[0].startswith(_MARK))
        return "" if ours else "there is a unit {0} on this host that is no service of this product".format(unit.name)

    def wanted(self) -> tuple[str, str]:
        """Return what the files shall say."""
        kept = ("name", "team", "cost_center", "health", "metrics", "objective")
        return unit_text(self._params), json.dumps({key: self._params[key] for key in kept}, indent=2) + "\n"

    def write(self, files: tuple[str | None, str | None]) -> None:
        """Have the files say this; None takes one away."""
        os.makedirs(watch.RECORDS, mode=0o755, exist_ok=True)
        for path, text in zip((self.unit_path, self._record_path), files):  # noqa: B905 (Python 3.9)
            if text is not None:
                watch.write(path, text, 0o644)
            elif os.path.exists(path):
                os.unlink(path)
        self.systemctl("daemon-reload")

    def systemctl(self, *words: str) -> None:
        """Run systemctl; end the module with what it said when it fails."""
        code, out, err = self._module.run_command(["systemctl", *words])
        if code != 0:
            self._module.fail_json(msg="systemctl {0}: {1}".format(" ".join(words), (err or out).strip()))

    def watch(self) -> None:
        """Have the host look at its services, as long as it has any."""
        timer = watch.UNIT + ".timer"
        if not watch.records():
            self._module.run_command(["systemctl", "disable", "--now", timer])
            metrics = os.path.join(self._params["textfile_directory"], watch.METRICS)
            if os.path.exists(metrics):
                os.unlink(metrics)
            return
        watch.write(watch.PROGRAM, "#!/usr/bin/python3\n" + inspect.getsource(watch), 0o755)
        service = _WATCH.format(watch.PROGRAM, self._params["textfile_directory"])
        watch.write(os.path.join(_UNITS, watch.UNIT + ".service"), service, 0o644)
        watch.write(os.path.join(_UNITS, timer), _TIMER, 0o644)
        self.systemctl("daemon-reload")
        self.systemctl("enable", "--now", timer)
        self.systemctl("start", watch.UNIT + ".service")


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def deploy(module: AnsibleModule, unit: Unit, found: Deployment, wanted: tuple[str, str]) -> dict[str, object]:
    """Start the service as it is wanted; return what is to be said about it."""
    wait = (module.params["health"], module.params["seconds"], 3.0)
    found.write(wanted)
    module.run_command(["systemctl", "reset-failed", unit.name])
    fault = unit.control("enable") or unit.control("restart") or unit.fault(*wait)
    if not fault:
        found.watch()
        return {"msg": "deployed, and well"}
    said = "not well: {0}".format(fault)
    lines = unit.last_lines()
    if found.before[0] is None:
        module.run_command(["systemctl", "disable", "--now", unit.name])
        found.write((None, None))
        return {"failed": True, "msg": said + "; it is new, and was taken away", "lines": lines, "rolled_back": True}
    found.write(found.before)
    module.run_command(["systemctl", "reset-failed", unit.name])
    health = json.loads(found.before[1] or "{}").get("health", "")
    fault = unit.control("restart") or unit.fault(health, *wait[1:])
    well = "still not well: {0}".format(fault) if fault else "well"
    said += "; rolled back to what was there before, with which it is {0}".format(well)
    return {"failed": True, "msg": said, "lines": lines, "rolled_back": True}


def remove(module: AnsibleModule, unit: Unit, found: Deployment) -> dict[str, object]:
    """Take the service away."""
    there = found.before[0] is not None
    if there and not module.check_mode:
        found.systemctl("disable", "--now", unit.name)
        found.write((None, None))
        found.watch()
    return {"changed": there, "msg": "removed" if there else "it is not there"}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "command": {"type": "str", "default": ""},
            "environment": {"type": "str", "default": ""},
            "health": {"type": "str", "default": ""},
            "metrics": {"type": "str", "default": ""},
            "team": {"type": "str", "default": ""},
            "cost_center": {"type": "str", "default": ""},
            "objective": {"type": "float", "default": 0.99},
            "memory": {"type": "str", "default": "512M"},
            "seconds": {"type": "float", "default": 30},
            "textfile_directory": {"type": "path", "default": "/var/lib/prometheus/node-exporter"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    unit = Unit(module, module.params["name"])
    found = Deployment(module)
    refused = found.refusal(unit)
    if refused:
        module.fail_json(msg=refused, rolled_back=False)
    if module.params["state"] == "absent":
        module.exit_json(rolled_back=False, **remove(module, unit, found))
    try:
        wanted = found.wanted()
    except ValueError as error:
        module.fail_json(msg=str(error), rolled_back=False)
    result: dict[str, object] = {"changed": True, "rolled_back": False, "failed": False}
    result["diff"] = {"before": found.before[0] or "", "after": wanted[0], "before_header": found.unit_path}
    if wanted == found.before and unit.active:
        result.update(changed=False, msg="it is there already")
    elif module.check_mode:
        result["msg"] = "would be deployed"
    else:
        result.update(deploy(module, unit, found, wanted))
    module.exit_json(state=unit.state(), **result)


if __name__ == "__main__":
    main()
