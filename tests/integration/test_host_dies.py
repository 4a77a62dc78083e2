"""A host that dies while a run works on it: it counts as unreachable, and the others go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from integration.execution_project import Project, task, wait_for
from lab_fleet import LabFleet, LabHost, podman

DIES, LIVES = "ash1-cloud-02", "ash1-cloud-01"


def _over_ssh(host: LabHost) -> dict[str, Any]:
    return {
        "ansible_connection": "ssh",
        "ansible_host": host.address,
        "ansible_user": host.user,
        "ansible_ssh_private_key_file": str(host.key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={host.known_hosts}",
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def test_a_host_that_dies_in_mid_run(lab: LabFleet, tmp_path: Path) -> None:
    hosts = lab.hosts
    project = Project(tmp_path)
    project.write_inventory({name: _over_ssh(hosts[name]) for name in (DIES, LIVES)})
    seconds = f"{{{{ 86399 if inventory_hostname == '{DIES}' else 0 }}}}"
    project.product("naps", [task("Nap", "command", arguments=f"sleep {seconds}"), task("Go on", "ping")])
    process = project.start("run", "naps")
    wait_for(lambda: lab.ssh(DIES, "pgrep -f 'sleep 8639[9]'", check=False).returncode == 0, "the nap")
    podman("kill", hosts[DIES].container)
    output, _ = process.communicate(timeout=600)
    lab.recreate(DIES)
    assert process.returncode == 4, output
    assert f"unreachable: {DIES}" in output
    (shown,) = project.document("runs", "list")
    assert (shown["status"], shown["error"]) == ("failed", "1 of 2 hosts could not be reached")
    results = {result.host: result for result in project.store.host_results(shown["id"])}
    assert (results[DIES].unreachable, results[DIES].ok) == (1, 0)
    assert (results[LIVES].unreachable, results[LIVES].ok) == (0, 2)
