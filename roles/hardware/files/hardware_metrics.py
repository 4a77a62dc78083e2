#!/usr/bin/python3
"""Write what disks and the BMC say of their health as a text file for the node exporter: `hardware_metrics.py FILE`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

IPMI_EXPORTER = "http://127.0.0.1:9290/metrics"
# Attributes of ATA disks by number: what their raw value counts.
ATA_COUNTERS = {
    5: "smartmon_reallocated_sectors",
    197: "smartmon_pending_sectors",
    198: "smartmon_offline_uncorrectable_sectors",
}
# Fields of an NVMe disk's health log: the metric's name and what one unit is.
NVME_FIELDS = {
    "critical_warning": ("nvme_critical_warning", 1),
    "percentage_used": ("nvme_percentage_used_ratio", 0.01),
    "available_spare": ("nvme_available_spare_ratio", 0.01),
    "available_spare_threshold": ("nvme_available_spare_threshold_ratio", 0.01),
    "media_errors": ("nvme_media_errors", 1),
    "unsafe_shutdowns": ("nvme_unsafe_shutdowns", 1),
}
HELP = {
    "smartmon_device_info": "A disk that SMART knows.",
    "smartmon_device_smart_healthy": "Whether the disk says of itself that it is healthy.",
    "smartmon_temperature_celsius": "Temperature of the disk.",
    "smartmon_power_on_seconds": "How long the disk has been on.",
    "smartmon_reallocated_sectors": "Sectors that were replaced by spare ones.",
    "smartmon_pending_sectors": "Sectors that could not be read and wait to be replaced.",
    "smartmon_offline_uncorrectable_sectors": "Sectors that a test could not read.",
    "nvme_critical_warning": "Warnings of the disk as a bit mask; 0 is none.",
    "nvme_percentage_used_ratio": "Share of the disk's endurance that is used up.",
    "nvme_available_spare_ratio": "Share of the spare blocks that are left.",
    "nvme_available_spare_threshold_ratio": "Share of the spare blocks below which the disk warns.",
    "nvme_media_errors": "Errors of the medium that could not be corrected.",
    "nvme_unsafe_shutdowns": "How often the disk lost its power without notice.",
    "hardware_disks": "Disks that SMART knows.",
    "hardware_ipmi_up": "Whether the IPMI exporter answered.",
    "hardware_metrics_timestamp_seconds": "When these metrics were written.",
}

Sample = tuple[str, dict[str, str], float]


def disk_samples(report: dict[str, Any]) -> list[Sample]:
    """Return the samples of one disk from what `smartctl --json --all` said of it."""
    device = report.get("device", {})
    labels = {"disk": str(device.get("name", "")), "type": str(device.get("type", ""))}
    texts = {"model": "model_name", "serial": "serial_number", "firmware": "firmware_version"}
    about = {label: str(report.get(key, "")) for label, key in texts.items()}
    samples: list[Sample] = [("smartmon_device_info", {**labels, **about}, 1)]
    if "passed" in report.get("smart_status", {}):
        samples.append(("smartmon_device_smart_healthy", labels, float(report["smart_status"]["passed"])))
    if "current" in report.get("temperature", {}):
        samples.append(("smartmon_temperature_celsius", labels, report["temperature"]["current"]))
    if "hours" in report.get("power_on_time", {}):
        samples.append(("smartmon_power_on_seconds", labels, report["power_on_time"]["hours"] * 3600))
    table = report.get("ata_smart_attributes", {}).get("table", [])
    samples.extend((ATA_COUNTERS[row["id"]], labels, row["raw"]["value"]) for row in table if row["id"] in ATA_COUNTERS)
    health = report.get("nvme_smart_health_information_log", {})
    samples.extend((name, labels, health[key] * unit) for key, (name, unit) in NVME_FIELDS.items() if key in health)
    return samples


def written(samples: Iterable[Sample]) -> str:
    """Return samples as the text that Prometheus reads, those of one name together."""
    by_name: dict[str, list[str]] = {}
    for name, labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        series = f"{name}{{{inside}}}" if inside else name
        by_name.setdefault(name, []).append(f"{series} {value:.15g}\n")
    return "".join(f"# HELP {name} {HELP[name]}\n# TYPE {name} gauge\n" + "".join(by_name[name]) for name in by_name)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def ipmi_lines(text: str) -> str:
    """Return the lines about IPMI; those that the exporter says about itself would clash with the node exporter's."""
    starts = ("ipmi_", "# HELP ipmi_", "# TYPE ipmi_")
    return "".join(f"{line}\n" for line in text.splitlines() if line.startswith(starts))


def smartctl(*arguments: str) -> dict[str, Any]:
    """Return what smartctl says as JSON; its exit code is a bit mask in which most bits are about the disk."""
    command = ["/usr/sbin/smartctl", "--json=c", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    answer: dict[str, Any] = json.loads(finished.stdout or "{}")
    return answer


def main(target: str) -> None:
    """Write the file under another name, and rename it when it is whole."""
    devices = smartctl("--scan").get("devices", [])
    # A disk that sleeps is not woken to be asked.
    reports = [smartctl("--all", "--nocheck=standby", f"--device={each['type']}", each["name"]) for each in devices]
    samples = [sample for report in reports for sample in disk_samples(report)]
    samples.append(("hardware_disks", {}, len(devices)))
    text = ""
    if Path("/dev/ipmi0").exists():
        try:
            with urllib.request.urlopen(IPMI_EXPORTER, timeout=60) as answer:
                text = ipmi_lines(answer.read().decode())
        except OSError as error:
            sys.stderr.write(f"{IPMI_EXPORTER}: {error}\n")
        samples.append(("hardware_ipmi_up", {}, float(bool(text))))
    samples.append(("hardware_metrics_timestamp_seconds", {}, time.time()))
    fresh = Path(f"{target}.new")
    fresh.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh.write_text(written(samples) + text, encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(target)


if __name__ == "__main__":
    main(sys.argv[1])
