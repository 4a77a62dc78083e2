"""`validate_parameters` in a real ansible-playbook.

Another ansible-core is tested by naming its folder of commands in BEDPLATE_TEST_ANSIBLE_BIN.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(os.environ.get("BEDPLATE_TEST_ANSIBLE_BIN") or Path(sys.executable).parent)
PRODUCTS = "ansible_collections/bedplate/datacenter/playbooks/products"
MANIFEST = {
    "name": "sample",
    "parameters": [
        {"name": "message", "title": "Message", "type": "text"},
        {"name": "greeting", "title": "Greeting", "default": "pong {{ 1 + 1 }}"},
        {"name": "count", "title": "Count", "type": "integer", "min": 1, "max": 10},
        {"name": "tiers", "title": "Tiers", "type": "choices", "choices": ["web", "data", "mail"]},
        {"name": "wait", "title": "Wait", "type": "duration", "default": "90m"},
        {"name": "password", "title": "Password", "type": "secret", "min": 8},
    ],
}
CHECK_PLAY = {
    "name": "Check what was asked",
    "hosts": "all",
    "gather_facts": False,
    "tasks": [
        {
            "name": "Check the parameters",
            "bedplate.datacenter.validate_parameters": {"product": "sample"},
            "run_once": True,
        }
    ],
}
RECORD = "{{ ansible_facts['bedplate_parameters'] | to_json | b64encode }}"
EVIL = [
    "{{ lookup('pipe', 'touch CANARY') }}",
    "{% set x = lookup('pipe', 'touch CANARY') %}{{ x }}",
    "$(touch CANARY) `touch CANARY` ; touch CANARY",
    "'\"\\'\\\" %s %(x)s ${HOME} \\n",
    "first\nsecond\n\n- third: {{ fourth }}\n",
    "Zoë 東京 🐧 e\u0301 \u202eabc\u00a0",
    "!unsafe x",
    "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  00",
    "true",
    "[1, 2]",
    "{'a': 1}",
    "{{",
    "{# comment #}",
]


class Unsafe(str):
    """Text that Ansible must not take for a template."""

    __slots__ = ()


def dump(value: Any) -> str:
    """Return YAML in which `Unsafe` text has the tag `!unsafe`."""

    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))
    return yaml.dump(value, Dumper=Dumper, allow_unicode=True)


class Sandbox:
    """A collection with one product, an inventory of two local hosts, and a way to run the product's playbook."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.canary = folder / "canary"
        self.collection = folder / "ansible_collections" / "bedplate" / "datacenter"
        shutil.copytree(ROOT / "plugins" / "action", self.collection / "plugins" / "action")
        (self.collection / "plugins" / "plugin_utils").mkdir()
        for file in ("parameters.py", "parameters_manifest.py", "parameters_command.py"):
            shutil.copy(ROOT / "plugins" / "plugin_utils" / file, self.collection / "plugins" / "plugin_utils" / file)
        shutil.copytree(ROOT / "plugins" / "modules", self.collection / "plugins" / "modules")
        shutil.copytree(ROOT / "meta", self.collection / "meta")
        self.write_manifest()
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        self.write("hosts.yml", {"all": {"hosts": {"one": local, "two": dict(local)}}})

    def write(self, name: str, document: Any) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dump(document), encoding="utf-8")
        return path

    def write_manifest(self, **keys: Any) -> Path:
        return self.write(f"{PRODUCTS}/sample.yml", {**MANIFEST, **keys})

    def play(
        self, *options: str, variables: dict[str, Any] | None = None, inject: bool = False, content: str = RECORD
    ) -> Outcome:
        """Run the check and then a play that records `content`, as each host sees it."""
        record = {
            "name": "Record",
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {
                    "name": "Record",
                    "ansible.builtin.copy": {
                        "content": content,
                        "dest": f"{self.folder}/{{{{ inventory_hostname }}}}.txt",
                        "mode": "0600",
                    },
                    "check_mode": False,
                }
            ],
        }
        playbook = self.write("play.yml", [CHECK_PLAY, record])
        words = [str(BIN / "ansible-playbook"), "-i", str(self.folder / "hosts.yml"), str(playbook), *options]
        if variables is not None:
            words += ["-e", f"@{self.write('variables.yml', variables)}"]
        environment = self.environment(inject=inject)
        process = subprocess.run(
            words, env=environment, cwd=self.folder, capture_output=True, check=False, encoding="utf-8"
        )
        return Outcome(self.folder, process)

    def environment(self, *, inject: bool) -> dict[str, str]:
        return {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder),
            "ANSIBLE_INJECT_FACT_VARS": str(inject),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOST_KEY_CHECKING": "True",
        }


class Outcome:
    """What a run said, and what arrived on the hosts."""

    def __init__(self, folder: Path, process: subprocess.CompletedProcess[str]) -> None:
        self.folder = folder
        self.code = process.returncode
        self.text = process.stdout + process.stderr

    def arrived(self, host: str) -> Any:
        """Return what the host recorded, by default the fact `bedplate_parameters`."""
        assert self.code == 0, self.text
        return json.loads(base64.b64decode((self.folder / f"{host}.txt").read_text()))

    def says(self, sentence: str) -> bool:
        """Return whether the output has the sentence, however it was wrapped."""
        return " ".join(sentence.split()) in " ".join(self.text.replace("\\n", " ").split())


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def test_what_looks_like_a_template_arrives_as_it_was(sandbox: Sandbox) -> None:
    values = {f"text_{index}": text.replace("CANARY", str(sandbox.canary)) for index, text in enumerate(EVIL)}
    sandbox.write_manifest(parameters=[{"name": name, "title": "Text", "type": "text"} for name in values])
    content = "{{ [ansible_facts['bedplate_parameters'], {" + ", ".join(f"'{n}': {n}" for n in values) + "}]"
    outcome = sandbox.play(
        # On quoted text without braces the tag would make ansible-core 2.19 read "true" as a boolean.
        variables={name: Unsafe(text) if "{" in text else text for name, text in values.items()},
        content=content + " | to_json | b64encode }}",
    )
    for host in ("one", "two"):
        fact, variables = outcome.arrived(host)
        assert fact == values
        assert variables == values
    assert not sandbox.canary.exists()


def test_live_templates_are_refused_and_not_evaluated(sandbox: Sandbox) -> None:
    live = f"{{{{ lookup('pipe', 'touch {sandbox.canary}') }}}}"
    outcome = sandbox.play(variables={"message": live, "tiers": ["web", live]})
    assert outcome.code == 2
    assert outcome.says("parameter message must be plain data, not a template")
    assert outcome.says("parameter tiers must be plain data, not a template")
    assert not sandbox.canary.exists()


@pytest.mark.parametrize("inject", [True, False])
def test_defaults_reach_every_host(sandbox: Sandbox, inject: bool) -> None:
    outcome = sandbox.play(inject=inject)
    for host in ("one", "two"):
        assert outcome.arrived(host) == {"greeting": "pong {{ 1 + 1 }}", "wait": "1h30m"}


def test_values_get_the_type_of_the_parameter(sandbox: Sandbox) -> None:
    fact = sandbox.play("-e", "count=3", "-e", '{"tiers": "web\\nmail", "wait": "60m"}').arrived("one")
    assert fact["count"] == 3
    assert fact["tiers"] == ["web", "mail"]
    assert fact["wait"] == "1h"


def test_all_faults_are_told_before_any_host_is_touched(sandbox: Sandbox) -> None:
    nowhere = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_connection": "ssh"}
    sandbox.write("hosts.yml", {"all": {"hosts": {"one": nowhere}}})
    outcome = sandbox.play("--check", "-e", '{"count": 11, "tiers": "web,dns"}')
    assert outcome.code == 2
    assert outcome.says("parameter count must be at most 10, not 11")
    assert outcome.says("parameter tiers must be one of web, data, mail, not 'dns'")
    assert "UNREACHABLE" not in outcome.text


def test_no_connection_is_needed(sandbox: Sandbox) -> None:
    nowhere = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_connection": "ssh"}
    sandbox.write("hosts.yml", {"all": {"hosts": {"one": nowhere}}})
    outcome = sandbox.play()
    assert outcome.code == 4
    before, after = outcome.text.split("PLAY [Record]")
    assert "UNREACHABLE" not in before
    assert "UNREACHABLE" in after


def test_the_inventory_may_compose_a_value(sandbox: Sandbox) -> None:
    sandbox.write("group_vars/all.yml", {"base": 4, "count": "{{ base + 1 }}"})
    assert sandbox.play("--check").arrived("one")["count"] == 5


def test_secrets_are_not_told(sandbox: Sandbox) -> None:
    good, bad = "hunter2-hunter2", "hunt2r"
    outcome = sandbox.play("-vvv", variables={"password": Unsafe(good)})
    assert "password" not in outcome.arrived("one")
    assert good not in outcome.text
    outcome = sandbox.play("-vvv", variables={"password": Unsafe(bad)})
    assert outcome.code == 2
    assert outcome.says("parameter password must have at least 8 characters")
    assert bad not in outcome.text


def test_wrong_tasks_and_manifests_are_told(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"cut": "parameters: [", "list": "- a", "shape": "parameters: {a: b}"}.items():
        (sandbox.folder / PRODUCTS / f"{name}.yml").write_text(text, encoding="utf-8")
    wrong: dict[str | None, str] = {
        "sampl": "there is no product 'sampl' (did you mean sample?)",
        "../products/sample": "there is no product '../products/sample'",
        None: "product is missing",
        "cut": "cut.yml cannot be read",
        "list": "list.yml must be a mapping",
        "shape": "the manifest of product shape is not valid",
    }
    tasks = [
        {
            "name": f"Check {name}",
            "bedplate.datacenter.validate_parameters": {"product": name} if name else {},
            "ignore_errors": True,
            "run_once": True,
        }
        for name in wrong
    ]
    monkeypatch.setitem(CHECK_PLAY, "tasks", [*CHECK_PLAY["tasks"], *tasks])
    outcome = sandbox.play()
    assert outcome.code == 0
    for sentence in wrong.values():
        assert outcome.says(sentence), sentence
    assert "Traceback" not in outcome.text


def test_names_of_the_fleet_are_checked_where_the_play_knows_it(sandbox: Sandbox) -> None:
    parameters = [{"name": "peer", "title": "Peer", "type": "host"}]
    sandbox.write_manifest(parameters=parameters, targets={"context": "fleet"})
    assert sandbox.play("--limit", "one", "-e", "peer=two").arrived("one") == {"peer": "two"}
    assert sandbox.play("-e", "peer=twoo").says(
        "parameter peer must be one of the inventory's hosts, not 'twoo'; did you mean two?"
    )
    sandbox.write_manifest(parameters=parameters)
    assert sandbox.play("-e", "peer=elsewhere").arrived("one") == {"peer": "elsewhere"}


def test_a_command_says_which_answers_are_accepted(sandbox: Sandbox) -> None:
    script = sandbox.folder / PRODUCTS / "../../tools/versions"
    script.parent.mkdir(parents=True)
    script.write_text('#!/bin/sh\necho 1.2\necho "$1"\n', encoding="utf-8")
    script.chmod(0o755)
    parameter = {"name": "version", "title": "Version", "type": "choice", "choices_from": "command"}
    sandbox.write_manifest(parameters=[{**parameter, "choices_command": ["tools/versions", "$(id)"]}])
    assert sandbox.play("-e", '{"version": "1.2"}').arrived("one") == {"version": "1.2"}
    told = sandbox.play("-e", '{"version": "1.3"}')
    assert told.says("parameter version must be one of what tools/versions says, not '1.3'; did you mean 1.2?")
    script.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    told = sandbox.play("-e", '{"version": "1.2"}')
    assert told.says("parameter version cannot be checked: tools/versions ended with 3")


def test_limits_arrive_and_more_hosts_than_allowed_are_refused(sandbox: Sandbox) -> None:
    sandbox.write_manifest(guardrails={"canary": 1, "serial_by": "site", "freeze": ["x"]}, targets={"max_hosts": 2})
    content = "{{ ansible_facts['bedplate_limits'] | to_json | b64encode }}"
    assert sandbox.play(content=content).arrived("two") == {"canary": 1, "serial_by": "site", "max_hosts": 2}
    sandbox.write_manifest(targets={"max_hosts": 1})
    refused = sandbox.play()
    assert refused.code != 0
    assert refused.says("sample runs on at most 1 hosts at once, not on 2")
    assert sandbox.play("--limit", "one").code == 0
