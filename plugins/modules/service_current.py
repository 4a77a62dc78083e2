# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A systemd service that runs with the configuration that is on disk."""

from __future__ import annotations

import glob
import os
import time
from datetime import datetime

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: service_current
short_description: A systemd service that runs with the configuration that is on disk
description:
  - Enables and starts a service, and restarts or reloads it when one of its configuration files was written
    after the service last (re)started or reloaded.
  - A service that an active socket starts when it is needed is neither enabled nor started.
  - It decides from state and needs no handler, so what an interrupted play left behind is applied by the next one.
  - A file that was written while the clock was ahead is dated now, since it would be newer than each start until then.
    A service that was started while the clock was ahead counts as started before all of its configuration.
options:
  name:
    description: The unit, with or without its C(.service). Either this or C(units) is required.
    type: str
  config:
    description:
      - Files and folders that the service reads when it starts. A folder counts itself and the files directly in it,
        so that a removed file is seen too.
    type: list
    elements: path
    default: []
  apply_by:
    description: How the service takes a new configuration. A changed unit file is always taken by a restart.
    type: str
    choices: [restart, reload]
    default: restart
  drop_in:
    description:
      - The text of the unit's drop-in C(bedplate.conf). Empty removes it. Left out, nothing is done about it.
      - Drop-ins of others stay.
    type: str
  reread:
    description:
      - Other units, of which systemd is to know what is on disk, such as a drop-in that was written. They are not
        started.
    type: list
    elements: str
    default: []
  enabled:
    description: Whether the service starts at boot.
    type: bool
    default: true
  running:
    description:
      - Whether the service is to run. One that is not is stopped and does not start at boot; there may be no such unit.
    type: bool
    default: true
  units:
    description: Several services, one after another. The first one that fails ends the module.
    type: list
    elements: dict
    suboptions:
      name:
        description: The unit.
        type: str
        required: true
      config:
        description: As for one service.
        type: list
        elements: path
        default: []
      apply_by:
        description: As for one service.
        type: str
        choices: [restart, reload]
        default: restart
      drop_in:
        description: As for one service.
        type: str
      reread:
        description: As for one service.
        type: list
        elements: str
        default: []
      enabled:
        description: As for one service.
        type: bool
        default: true
      running:
        description: As for one service.
        type: bool
        default: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Run chrony with the configuration on disk
  bedplate.datacenter.service_current:
    name: chrony
    config: [/etc/chrony]
"""

RETURN = r"""
actions:
  description: What was done, in order (or would be, in check mode).
  returned: always
  type: list
  elements: str
  sample: [daemon-reload, restart]
newer:
  description: Configuration that was written after the service last took its configuration.
  returned: always
  type: list
  elements: str
"""

_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "UnitFileState",
    "NeedDaemonReload",
    "StateChangeTimestamp",
    "FragmentPath",
    "DropInPaths",
    "TriggeredBy",
    "Result",
)


class Service:
    """One unit as systemd sees it."""

    def __init__(self, module: AnsibleModule, name: str) -> None:
        self._module = module
        self.name = name if "." in name else name + ".service"
        self.properties: dict[str, str] = {}
        self.read()

    def fail(self, message: str, **result: object) -> None:
        self._module.fail_json(msg=message, **result)

    def systemctl(self, *arguments: str) -> str:
        """Run systemctl and return what it printed; a failure ends the module with its message."""
        code, out, err = self._module.run_command(["systemctl", *arguments])
        if code != 0:
            self._module.fail_json(
                msg="systemctl {0} failed: {1}".format(" ".join(arguments), (err or out).strip()), unit=self.name
            )
        return out

    def read(self) -> None:
        """Ask systemd for the unit's present state."""
        out = self.systemctl("show", self.name, "--timestamp=us+utc", "--property=" + ",".join(_PROPERTIES))
        self.properties = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)

    @property
    def active(self) -> bool:
        return self.properties.get("ActiveState") in ("active", "reloading")

    def socket_activated(self) -> bool:
        """Whether another unit that is active, such as a socket, starts this one when it is needed."""
        return any(
            self.systemctl("show", unit, "--property=ActiveState").strip() == "ActiveState=active"
            for unit in self.properties.get("TriggeredBy", "").split()
        )

    @property
    def enabled(self) -> bool:
        return self.properties.get("UnitFileState") in ("enabled", "static", "indirect", "alias", "generated")

    @property
    def changed_at(self) -> float:
        """When the unit last changed its state (a start or a reload), in seconds since the epoch; 0 is never.

        A time to come is 0 too: the clock was ahead then, and nothing that is written now would be newer.
        """
        stamp = self.properties.get("StateChangeTimestamp", "")
        if not stamp or stamp == "n/a":
            return 0.0
        _, day, clock, _ = stamp.split(" ")
        changed_at = datetime.fromisoformat("{0}T{1}+00:00".format(day, clock)).timestamp()
        return changed_at if changed_at <= time.time() else 0.0

    def agree_drop_in(self, text: str) -> bool:
        """Make the unit's drop-in of ours say `text`, or remove it when that is empty; return whether it differed."""
        folder = "/etc/systemd/system/{0}.d".format(self.name)
        path = os.path.join(folder, "bedplate.conf")
        before = _text(path)
        if before == text:
            return False
        if self._module.check_mode:
            return True
        if not text:
            os.unlink(path)
        else:
            os.makedirs(folder, mode=0o755, exist_ok=True)
            _write(path, text)
        self.read()
        return True

    def unit_files(self) -> list[str]:
        """The unit's file and its drop-ins."""
        paths = [self.properties.get("FragmentPath", "")]
        paths.extend(self.properties.get("DropInPaths", "").split())
        return [path for path in paths if path]

    @property
    def outdated(self) -> bool:
        """Whether systemd holds an older unit than the one on disk.

        systemd 252 does not say so (`NeedDaemonReload`) when the drop-in's folder is new as well.
        """
        loaded = self.properties.get("DropInPaths", "").split()
        on_disk = glob.glob("/etc/systemd/system/{0}.d/*.conf".format(self.name))
        return self.properties.get("NeedDaemonReload") == "yes" or not set(on_disk) <= set(loaded)


def _text(path: str) -> str:
    """Return a file's text; an absent file is empty."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _write(path: str, text: str) -> None:
    """Replace a file in one step; systemd passes over names that do not end in .conf."""
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(temporary, 0o644)
    os.rename(temporary, path)


def newer_than(paths: list[str], moment: float) -> list[str]:
    """Return those of `paths` (folders with the files directly in them) that were written after `moment`.

    Files count by the time their content was written; a path that does not exist counts as not newer.
    """
    found = []
    for path in paths:
        candidates = [path]
        if os.path.isdir(path):
            candidates.extend(os.path.join(path, name) for name in sorted(os.listdir(path)))
        found.extend(candidate for candidate in candidates if _written_at(candidate) > moment)
    return found


def _written_at(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return 0.0


def dated_now(paths: list[str], now: float) -> list[str]:
    """Date those of `paths` now that are from a time to come, and return them.

    They were written while the clock was ahead, and would be newer than each start of the service until then.
    """
    ahead = [path for path in paths if _written_at(path) > now]
    for path in ahead:
        os.utime(path, (now, now))
    return ahead


def _plan(service: Service, params: dict, newer_config: list[str], newer_units: list[str]) -> list[str]:
    """Return the systemctl verbs that bring the service to the wanted state, in order."""
    actions = []
    if service.outdated:
        actions.append("daemon-reload")
    by_socket = service.socket_activated()
    if params["enabled"] != service.enabled and not by_socket:
        actions.append("enable" if params["enabled"] else "disable")
    if not service.active:
        actions.extend([] if by_socket else ["start"])
    elif newer_units or "daemon-reload" in actions:
        actions.append("restart")
    elif newer_config:
        actions.append(params["apply_by"])
    return actions


def _ending(service: Service) -> list[str]:
    """Return the systemctl verbs that stop the service for good."""
    at_rest = service.properties.get("ActiveState") in ("inactive", "failed")
    return [*(["disable"] if service.enabled else []), *([] if at_rest else ["stop"])]


def _with_restart(actions: list[str]) -> list[str]:
    """Return the actions with those that a new drop-in needs: in check mode, systemd has not noticed any."""
    others = [action for action in actions if action not in ("daemon-reload", "reload")]
    return ["daemon-reload", *others, *([] if {"start", "restart"} & set(others) else ["restart"])]


def _apply(service: Service, actions: list[str]) -> None:
    for action in actions:
        if action == "daemon-reload":
            service.systemctl(action)
        else:
            service.systemctl(action, service.name)
    if not {"start", "restart", "reload"} & set(actions):
        return
    service.read()
    if not service.active:
        service.fail(
            "{0} is {1} after {2} (result {3}); see: journalctl -u {0}".format(
                service.name, service.properties.get("ActiveState"), actions[-1], service.properties.get("Result")
            ),
            actions=actions,
        )


def agree(module: AnsibleModule, params: dict) -> dict:
    """Bring one service to where it is to be; return what was done, and for what."""
    service = Service(module, params["name"])
    if not params["running"]:
        actions = _ending(service)
        if not module.check_mode:
            _apply(service, actions)
        return {"name": service.name, "actions": actions, "newer": []}
    if service.properties.get("LoadState") == "not-found":
        module.fail_json(msg="there is no unit {0} on this host; its package is missing".format(service.name))
    if service.properties.get("LoadState") == "masked":
        module.fail_json(msg="{0} is masked; unmask it, or leave this role out".format(service.name))
    rewritten = params["drop_in"] is not None and service.agree_drop_in(params["drop_in"])
    newer_config = newer_than(params["config"], service.changed_at)
    newer_units = newer_than(service.unit_files(), service.changed_at)
    actions = _plan(service, params, newer_config, newer_units)
    if rewritten:
        actions = _with_restart(actions)
    if "daemon-reload" not in actions and any(Service(module, unit).outdated for unit in params["reread"]):
        actions.insert(0, "daemon-reload")
    if not module.check_mode:
        dated_now(newer_config + newer_units, time.time())
        _apply(service, actions)
    return {"name": service.name, "actions": actions, "newer": newer_config + newer_units}


def main() -> None:
    unit = {
        "name": {"type": "str"},
        "config": {"type": "list", "elements": "path", "default": []},
        "apply_by": {"type": "str", "choices": ["restart", "reload"], "default": "restart"},
        "drop_in": {"type": "str"},
        "reread": {"type": "list", "elements": "str", "default": []},
        "enabled": {"type": "bool", "default": True},
        "running": {"type": "bool", "default": True},
    }
    named = {**unit, "name": {"type": "str", "required": True}}
    module = AnsibleModule(
        argument_spec={**unit, "units": {"type": "list", "elements": "dict", "options": named}},
        mutually_exclusive=[("name", "units")],
        required_one_of=[("name", "units")],
        supports_check_mode=True,
    )
    # systemd prints names of days by locale.
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    wanted = [module.params] if module.params["units"] is None else module.params["units"]
    done = [agree(module, params) for params in wanted]
    actions = [action for each in done for action in each["actions"]]
    result = {"changed": bool(actions), "actions": actions, "newer": [path for each in done for path in each["newer"]]}
    lines = ["{0}: {1}\n".format(each["name"], ", ".join(each["actions"])) for each in done if each["actions"]]
    if lines:
        result["diff"] = {"prepared": "".join(lines)}
    module.exit_json(**result)


if __name__ == "__main__":
    main()
