"""promtool and amtool on what an observer runs with."""

from __future__ import annotations

from audit.hosts import Host
from audit.verdicts import Finding, Verdict

CHECKS = (
    "promtool check config /etc/prometheus/prometheus.yml",
    "promtool check rules /etc/prometheus/rules/*.yml",
    "promtool check web-config /etc/prometheus/web.yml",
    "amtool check-config /etc/prometheus/alertmanager.yml",
)


def promtool(host: Host) -> Verdict | None:
    """Whether Prometheus and Alertmanager like their configuration and rules; hosts that have neither are not asked."""
    if host.name != host.observer.name:
        return None
    version = host.run("promtool --version 2>&1 | sed -n 's/^promtool, version \\([^ ]*\\).*/\\1/p'").strip()
    answers = {check: host.run(f"{{ {check} && echo taken; }} 2>&1 || true") for check in CHECKS}
    findings = [
        Finding(" ".join(check.split()[:3]), answer.strip())
        for check, answer in answers.items()
        if not answer.endswith("taken\n")
    ]
    score = f"{len(CHECKS) - len(findings)} of {len(CHECKS)} checks"
    return Verdict("promtool, amtool", version, host.name, score, not findings, tuple(findings))
