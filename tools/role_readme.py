"""Write each role's README.md from its argument_specs, defaults and notes, and from what `make audit` found.

python tools/role_readme.py            write
python tools/role_readme.py --check    exit 1 when a README is not up to date
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).resolve().parent.parent / "roles"
AUDIT = ROLES.parent / "tests" / "audit" / "results.json"
# Whose work each judge looks at.
JUDGES = {
    "access": ["ssh-audit"],
    "certificates": ["sslyze"],
    "firewall": ["nmap"],
    "hardening": ["lynis", "ssh-audit"],
    "metrics": ["sslyze"],
    "observer": ["sslyze", "promtool, amtool"],
}
_PROSE = re.compile(r"\b[CV]\(([^)]*)\)")


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the content of one YAML file; an absent file is an empty mapping."""
    return (yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None) or {}


def as_list(text: str | list[str]) -> list[str]:
    """Return a description as paragraphs."""
    return [text] if isinstance(text, str) else list(text)


def prose(text: str) -> str:
    """Turn Ansible's markup for code into Markdown's."""
    return " ".join(_PROSE.sub(r"`\1`", text).split())


def shown_default(value: object) -> str:
    """Return a default as one line of YAML."""
    if isinstance(value, str):
        text = value if value.strip() else '""'
    else:
        text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).removesuffix("...\n")
    return "`" + " ".join(text.split()).replace("|", "\\|") + "`"


def is_table(default: object) -> bool:
    """Return whether a default is a list of dictionaries, which reads better as a table of its own."""
    return isinstance(default, list) and bool(default) and all(isinstance(entry, dict) for entry in default)


def default_tables(defaults: dict[str, Any]) -> list[str]:
    """Return a table for each default that is a list of dictionaries."""
    lines = []
    for name, default in defaults.items():
        if not is_table(default):
            continue
        keys = list(dict.fromkeys(key for entry in default for key in entry))
        lines += ["", f"### `{name}`", "", f"| {' | '.join(keys)} |", "|---" * len(keys) + "|"]
        lines += [
            f"| {' | '.join(str(entry.get(key, '')).replace('|', chr(92) + '|') for key in keys)} |"
            for entry in default
        ]
    return lines


def option_rows(options: dict[str, Any], defaults: dict[str, Any]) -> list[str]:
    """Return the rows of the table of variables, and of the keys of their dictionaries."""
    rows = []
    for name, option in options.items():
        kind = option.get("type", "str")
        if "elements" in option:
            kind += f" of {option['elements']}"
        default = shown_default(defaults[name]) if name in defaults else "required"
        default = "[below](#" + name + ")" if is_table(defaults.get(name)) else default
        text = " ".join(prose(line) for line in as_list(option["description"]))
        if "choices" in option:
            text += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
        rows.append(f"| `{name}` | {kind} | {default} | {text.replace('|', chr(92) + '|')} |")
    return rows


def suboption_lines(options: dict[str, Any]) -> list[str]:
    """Return a table for each variable that is made of dictionaries."""
    lines = []
    for name, option in options.items():
        if "options" not in option:
            continue
        lines += ["", f"### `{name}`", "", "| key | type | default | meaning |", "|---|---|---|---|"]
        optional = {key: spec for key, spec in option["options"].items() if not spec.get("required")}
        lines += option_rows(option["options"], {key: spec.get("default", "") for key, spec in optional.items()})
    return lines


def audit_lines(verdicts: list[dict[str, Any]], judges: list[str]) -> list[str]:
    """Return what some judges said of lab hosts, as a section; none of what they did not look at."""
    seen = [verdict for judge in judges for verdict in verdicts if verdict["judge"] == judge]
    if not seen:
        return []
    lines = ["", "## What independent judges say", ""]
    lines += ["`make audit` has them look at lab hosts at the whole baseline, with all of their tests:"]
    lines += ["[what each one asks, and why what is left is left](../../docs/audit.md)."]
    lines += ["", "| judge | host | score | passed | left |", "|---|---|---|---|---|"]
    for verdict in seen:
        left, bare = len(verdict["findings"]), verdict["unexplained"]
        bare_too = f", {bare} without a reason" if bare else ""
        judge = f"{verdict['judge']} {verdict['version']}"
        passed = "yes" if verdict["passed"] and not bare else "no"
        lines.append(f"| {judge} | {verdict['host']} | {verdict['score']} | {passed} | {left}{bare_too} |")
    return lines


def render(role: Path) -> str:
    """Return the README of one role."""
    spec = read_yaml(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]
    defaults = read_yaml(role / "defaults" / "main.yml")
    platforms = read_yaml(role / "vars" / "main.yml")[f"_{role.name}_platforms"]
    options = spec.get("options", {})
    lines = [f"# {role.name}", "", f"{spec['short_description']}.", ""]
    lines += [prose(paragraph) for paragraph in as_list(spec["description"])]
    lines += ["", f"Runs on {', '.join(platforms)}. Needs root (`become: true`).", ""]
    lines += [
        "```yaml",
        "- hosts: all",
        "  become: true",
        "  roles:",
        f"    - bedplate.datacenter.{role.name}",
        "```",
        "",
    ]
    lines += ["", "## Variables", "", "| variable | type | default | meaning |", "|---|---|---|---|"]
    lines += option_rows(options, defaults)
    lines += suboption_lines(options) + default_tables(defaults)
    notes = role / "NOTES.md"
    if notes.is_file():
        lines += ["", notes.read_text(encoding="utf-8").rstrip()]
    verdicts = json.loads(AUDIT.read_text(encoding="utf-8"))["verdicts"] if AUDIT.is_file() else []
    lines += audit_lines(verdicts, JUDGES.get(role.name, []))
    lines += ["", f"<!-- Written by tools/role_readme.py from roles/{role.name}/: do not edit. -->", ""]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, only say which README is not up to date")
    options = parser.parse_args(arguments)
    stale = []
    for role in sorted(path.parent.parent for path in ROLES.glob("*/meta/argument_specs.yml")):
        readme, text = role / "README.md", render(role)
        if readme.is_file() and readme.read_text(encoding="utf-8") == text:
            continue
        stale.append(role.name)
        if not options.check:
            readme.write_text(text, encoding="utf-8")
    if stale:
        print(("not up to date: " if options.check else "written: ") + ", ".join(stale))
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
