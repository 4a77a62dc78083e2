"""Every role keeps to the one layout, names what it sets, and says what it takes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from content.role_content import ROLES, ROOT, flatten, read_yaml, role_tasks

each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)

# What a task may hold besides its module.
KEYWORDS = {
    "any_errors_fatal", "args", "become", "become_user", "block", "rescue", "always", "changed_when", "check_mode",
    "connection", "delay", "delegate_facts", "delegate_to", "diff", "environment", "failed_when", "ignore_unreachable",
    "loop", "loop_control", "name", "no_log", "notify", "register", "retries", "run_once", "tags", "throttle", "until",
    "vars", "when",
}  # fmt: skip
MODULE = re.compile(r"(ansible\.builtin|bedplate\.datacenter)\.[a-z_]+")
CHECKS = {"enabled", "otherwise", "facts", "platforms", "applies", "notes", "refusals"}
PHASES = ("main", "preflight", "install", "configure", "service")
# Where other products than the baseline enter a role, and what the roles share with that.
ENTRIES = {"firewall": ("observe",), "observer": ("fleet", "observe")}


def module_of(task: dict[str, Any]) -> list[str]:
    return sorted(set(task) - KEYWORDS)


def test_there_are_roles() -> None:
    names = {role.name for role in ROLES}
    assert {
        "access",
        "hardening",
        "auditing",
        "time_sync",
        "logging",
        "metrics",
        "observer",
        "baseline_marker",
    } <= names


@each_role
def test_layout(role: Path) -> None:
    for name in ("defaults/main.yml", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml", "README.md"):
        assert (role / name).is_file(), name
    assert {file.stem for file in (role / "tasks").glob("*.yml")} <= {*PHASES, *ENTRIES.get(role.name, ())}


@each_role
def test_preflight_comes_first_and_names_the_platforms(role: Path) -> None:
    first = read_yaml(role / "tasks" / "main.yml")[0]
    assert first["ansible.builtin.import_tasks"] == "preflight.yml"
    preflight = read_yaml(role / "tasks" / "preflight.yml")[0]
    assert preflight["bedplate.datacenter.preflight"] == {"checks": f"_{role.name}_preflight"}
    assert "when" not in preflight
    checks = read_yaml(role / "vars" / "main.yml")[f"_{role.name}_preflight"]
    assert checks["platforms"] == f"{{{{ _{role.name}_platforms }}}}"
    assert set(checks) <= CHECKS
    assert all(set(refusal) == {"that", "says"} for refusal in checks.get("refusals", []))


@each_role
def test_phases_come_in_order(role: Path) -> None:
    tasks = list(flatten(read_yaml(role / "tasks" / "main.yml")))
    imported = [task.get("ansible.builtin.import_tasks") or task.get("ansible.builtin.include_tasks") for task in tasks]
    phases = [name.removesuffix(".yml") for name in imported if name]
    assert phases == [phase for phase in PHASES if phase in phases]
    assert {file.stem for file in (role / "tasks").glob("*.yml")} == {"main", *phases, *ENTRIES.get(role.name, ())}


@each_role
def test_what_depends_on_the_fleet_follows_it(role: Path) -> None:
    """Seals take the product observe at its word: all that an observer knows of other hosts is as it should be."""
    files = [path for folder in ("defaults", "vars", "tasks", "templates") for path in (role / folder).rglob("*.*")]
    reads = any("lookup('bedplate.datacenter.fleet'" in path.read_text(encoding="utf-8") for path in files)
    tasks = [task for play in read_yaml(ROOT / "playbooks" / "observe.yml") for task in play["tasks"]]
    entered = [task["ansible.builtin.include_role"] for task in tasks if "ansible.builtin.include_role" in task]
    assert ({"name": f"bedplate.datacenter.{role.name}", "tasks_from": "observe"} in entered) == reads


@each_role
def test_platforms(role: Path) -> None:
    platforms = read_yaml(role / "vars" / "main.yml")[f"_{role.name}_platforms"]
    # One role that refuses a host ends the baseline there.
    assert platforms == ["Debian 12", "Debian 13", "Ubuntu 22.04", "Ubuntu 24.04"]
    named = {entry["name"] for entry in read_yaml(role / "meta" / "main.yml")["galaxy_info"]["platforms"]}
    assert named == {name.split()[0] for name in platforms}


@each_role
def test_defaults_are_what_the_argument_specs_describe(role: Path) -> None:
    options = read_yaml(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    required = {name for name, option in options.items() if option.get("required")}
    assert set(read_yaml(role / "defaults" / "main.yml") or {}) == set(options) - required


@each_role
def test_options_are_described_and_typed(role: Path) -> None:
    def walk(options: dict[str, Any]) -> None:
        for name, option in options.items():
            assert option.get("description"), name
            assert option.get("type"), name
            assert option["type"] != "list" or "elements" in option, name
            walk(option.get("options", {}))

    walk(read_yaml(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"])


@each_role
def test_tasks_are_named_and_fully_qualified(role: Path) -> None:
    for task in role_tasks(role):
        assert task.get("name"), task
        modules = module_of(task)
        if "block" in task:
            assert modules == [], task["name"]
        else:
            assert len(modules) == 1, (task["name"], modules)
            assert MODULE.fullmatch(modules[0]), (task["name"], modules)


@each_role
def test_variables_have_the_prefix_of_the_role(role: Path) -> None:
    public, internal, registered = f"{role.name}_", f"_{role.name}_", f"__{role.name}_"
    assert all(name.startswith(public) for name in read_yaml(role / "defaults" / "main.yml") or {})
    for file in (role / "vars").glob("*.yml"):
        assert all(name.startswith(internal) for name in read_yaml(file)), file.name
    for task in role_tasks(role):
        assert task.get("register", registered).startswith(registered), task["name"]
        facts = set(task.get("ansible.builtin.set_fact") or {}) - {"cacheable"}
        assert all(name.startswith((internal, registered)) for name in facts), task["name"]
        # Besides its own variables a task may choose how Ansible connects, and say what it manages.
        own = [name for name in task.get("vars") or {} if not name.startswith(("ansible_ssh_", "bedplate_manages"))]
        assert all(name.startswith((internal, registered)) for name in own), task["name"]


@each_role
def test_no_variable_is_unused(role: Path) -> None:
    files = [
        path for folder in ("defaults", "vars", "tasks", "templates", "handlers") for path in (role / folder).rglob("*")
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if path.is_file())
    names = set(read_yaml(role / "defaults" / "main.yml") or {})
    for file in (role / "vars").glob("*.yml"):
        names |= set(read_yaml(file))
    names |= {task["register"] for task in role_tasks(role) if "register" in task}
    unused = {name for name in names if len(re.findall(rf"(?<![A-Za-z0-9_]){name}(?![A-Za-z0-9_])", text)) < 2}
    assert unused == set()


@each_role
def test_nothing_is_silenced(role: Path) -> None:
    for task in role_tasks(role):
        assert "ignore_errors" not in task, task["name"]
        assert task.get("failed_when") is not False, task["name"]
        # "Never changed" is right for reading only, and what is read is registered.
        if task.get("changed_when") is False:
            assert module_of(task)[0] in ("ansible.builtin.command", "ansible.builtin.slurp"), task["name"]
            assert "register" in task, task["name"]


@each_role
def test_templates_say_who_wrote_them_and_are_used(role: Path) -> None:
    tasks = (role / "tasks").glob("*.yml")
    text = "\n".join(file.read_text(encoding="utf-8") for file in [*tasks, *(role / "vars").glob("*.yml")])
    for template in (role / "templates").rglob("*.j2"):
        assert template.name in text, template.name


@each_role
def test_a_scenario_proves_it(role: Path) -> None:
    scenario = ROOT / "molecule" / role.name
    for name in ("molecule.yml", "converge.yml", "verify.yml"):
        assert (scenario / name).is_file(), name
    plays = read_yaml(scenario / "verify.yml")
    assert any("ansible.builtin.assert" in task for play in plays for task in flatten(play["tasks"]))


@each_role
def test_readme_says_what_a_container_cannot_do(role: Path) -> None:
    folders = ("vars", "tasks", "templates")
    text = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in (role / folder).glob("*.*"))
    if "virtualization" in text:
        assert "What a container cannot do" in (role / "README.md").read_text(encoding="utf-8")


@each_role
def test_the_floor_is_that_of_the_collection(role: Path) -> None:
    requires = read_yaml(ROOT / "meta" / "runtime.yml")["requires_ansible"]
    assert requires == f">={read_yaml(role / 'meta' / 'main.yml')['galaxy_info']['min_ansible_version']}.0"


def test_readmes_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "role_readme.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}; run: python tools/role_readme.py"


# What says whether a role does anything on a host.
SWITCH = r"\b({0}_enabled \| bool|_{0}_applies|_{0}_here|_{0}_in_use)\b"


@each_role
def test_a_role_can_be_switched_off_and_says_so(role: Path) -> None:
    name, tag = role.name, f"skip-{role.name.replace('_', '-')}"
    default = read_yaml(role / "defaults" / "main.yml")[f"{name}_enabled"]
    assert default == f"{{{{ '{tag}' not in (bedplate_tags | default([])) }}}}"
    imports = read_yaml(role / "tasks" / "main.yml")[1:]
    # The authority is asked by one host for all, whether or not that one is to have a certificate.
    behind = read_yaml(role / "tasks" / "preflight.yml")[1:] if name != "certificates" else []
    assert [task["name"] for task in imports + behind if not re.search(SWITCH.format(name), str(task["when"]))] == []
    checks = read_yaml(role / "vars" / "main.yml")[f"_{name}_preflight"]
    assert re.search(rf"\b({name}_enabled|_{name}_applies|_{name}_in_use)\b", checks["enabled"])
    assert f"{name}_enabled" in checks["otherwise"]
    section = (role / "README.md").read_text(encoding="utf-8").split("## Opting out and overriding\n")
    assert len(section) == 2
    assert f"`{tag}`" in section[1].split("\n## ")[0]
    assert f"`{name}_enabled: false`" in section[1].split("\n## ")[0]


@each_role
def test_lists_have_three_tiers(role: Path) -> None:
    defaults = read_yaml(role / "defaults" / "main.yml")
    tiers = [name.removesuffix("_default") for name in defaults if name.endswith("_default")]
    for name in tiers:
        both = "{0}_default + {0}_extra" if defaults[f"{name}_extra"] == [] else "{0}_default | combine({0}_extra)"
        assert not defaults[f"{name}_extra"], name
        assert defaults[name] == f"{{{{ {both.format(name)} }}}}", name
    files = [path for folder in ("vars", "templates") for path in (role / folder).rglob("*.*")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    # Whoever sets the result replaces all of it. What a kernel may lack is a matter of our own list.
    used = {
        f"{name}{tier}" for name in tiers for tier in ("_default", "_extra") if re.search(rf"\b{name}{tier}\b", text)
    }
    assert used - {"hardening_sysctl_default"} == set()
