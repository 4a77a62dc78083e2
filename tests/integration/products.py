"""A run of a product on the lab, with what it left."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from lab_fleet import ROOT, LabFleet


@dataclass(frozen=True)
class Ordered:
    """A run that has ended.

    Attributes:
        code: the exit code of `bedplate run`.
    """

    code: int
    run: dict[str, Any]

    def artifact(self, name: str) -> bytes:
        """Return a file that the run left."""
        return (Path(self.run["folder"]) / "artifacts" / name).read_bytes()

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """The report by host, if it is as documented."""
        document = json.loads(self.artifact(f"{self.run['product']}.json"))
        schema = json.loads((ROOT / "docs" / "schemas" / "host_report.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
        return {row["host"]: row for row in document["hosts"]}

    @property
    def outcomes(self) -> dict[str, str]:
        """What became of each host."""
        return {host: row["outcome"] for host, row in self.hosts.items()}


def order(lab: LabFleet, product: str, limit: str, *options: str, **parameters: object) -> Ordered:
    """Run a product on hosts of the lab and return what it left."""
    given = [word for name, value in parameters.items() for word in ("-p", f"{product}_{name}={value}")]
    done = lab.bedplate("run", product, "--limit", limit, "-o", "json", *options, *given, check=False)
    assert done.stdout, done.stderr
    return Ordered(done.returncode, json.loads(done.stdout))


def as_root(lab: LabFleet, host: str, script: str, *, check: bool = True) -> str:
    """Run a shell script on a host as root and return what it printed."""
    return lab.ssh(host, f"sudo sh -ec {shlex.quote(script)}", check=check).stdout
