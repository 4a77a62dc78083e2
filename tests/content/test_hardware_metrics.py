"""What the role hardware makes of what smartctl and the IPMI exporter say."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from content.role_content import load_plugin
from content.role_values import role_values

METRICS = load_plugin("roles/hardware/files/hardware_metrics.py")

# As smartctl 7.3 says it of QEMU's NVMe disk, shortened.
NVME: dict[str, Any] = {
    "device": {"name": "/dev/nvme0", "type": "nvme"},
    "model_name": "QEMU NVM",
    "serial_number": 'LAB"1\\',
    "firmware_version": "7.2.22",
    "smart_status": {"passed": True, "nvme": {"value": 0}},
    "temperature": {"current": 50},
    "power_on_time": {"hours": 2},
    "nvme_smart_health_information_log": {"critical_warning": 0, "percentage_used": 7, "media_errors": 3},
}
ATA: dict[str, Any] = {
    "device": {"name": "/dev/sda", "type": "sat"},
    "smart_status": {"passed": False},
    "ata_smart_attributes": {
        "table": [
            {"id": 5, "raw": {"value": 12}},
            {"id": 9, "raw": {"value": 100}},
            {"id": 197, "raw": {"value": 1}},
        ]
    },
}


def test_a_disk_becomes_lines() -> None:
    lines = METRICS.written(METRICS.disk_samples(NVME)).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        'smartmon_device_info{disk="/dev/nvme0",type="nvme",model="QEMU NVM",serial="LAB\\"1\\\\",firmware="7.2.22"} 1',
        'smartmon_device_smart_healthy{disk="/dev/nvme0",type="nvme"} 1',
        'smartmon_temperature_celsius{disk="/dev/nvme0",type="nvme"} 50',
        'smartmon_power_on_seconds{disk="/dev/nvme0",type="nvme"} 7200',
        'nvme_critical_warning{disk="/dev/nvme0",type="nvme"} 0',
        'nvme_percentage_used_ratio{disk="/dev/nvme0",type="nvme"} 0.07',
        'nvme_media_errors{disk="/dev/nvme0",type="nvme"} 3',
    ]


def test_a_disk_that_fails_says_so_and_counts_its_sectors() -> None:
    text = METRICS.written(METRICS.disk_samples(ATA))
    assert 'smartmon_device_smart_healthy{disk="/dev/sda",type="sat"} 0\n' in text
    assert 'smartmon_reallocated_sectors{disk="/dev/sda",type="sat"} 12\n' in text
    assert 'smartmon_pending_sectors{disk="/dev/sda",type="sat"} 1\n' in text
    assert " 100\n" not in text


@pytest.mark.parametrize("report", [{}, {"device": {"name": "/dev/sdb", "type": "scsi"}, "smart_support": {}}])
def test_a_disk_that_says_nothing_is_not_healthy_by_guess(report: dict[str, Any]) -> None:
    assert [name for name, _, _ in METRICS.disk_samples(report)] == ["smartmon_device_info"]


def test_the_samples_of_two_disks_stand_together() -> None:
    text = METRICS.written([*METRICS.disk_samples(NVME), *METRICS.disk_samples(ATA)])
    assert text.count("# TYPE smartmon_device_smart_healthy gauge\n") == 1
    names = [line.split("{")[0] for line in text.splitlines() if not line.startswith("#")]
    assert names == sorted(names, key=names.index)


def test_only_what_is_about_the_bmc_is_taken_from_the_exporter() -> None:
    said = '# HELP go_threads x\ngo_threads 7\n# HELP ipmi_up x\n# TYPE ipmi_up gauge\nipmi_up{collector="bmc"} 1\n'
    assert METRICS.ipmi_lines(said) == '# HELP ipmi_up x\n# TYPE ipmi_up gauge\nipmi_up{collector="bmc"} 1\n'


@pytest.mark.parametrize(("components", "found"), [("main\nnon-free-firmware", True), ("main", False), ("", False)])
def test_microcode_is_looked_for_in_what_apt_uses(tmp_path: Path, components: str, found: bool) -> None:
    """A line that is commented out, or a file that apt does not read, is no source."""
    for name, text in {"systemd-detect-virt": "exit 1", "apt-get": f"echo '{components}'"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    look = role_values(tmp_path, "hardware", "{{ _hardware_look }}", {"web1": {}})["web1"]
    command = ["sh", "-c", look, "sh", "ttyS0", "/etc/default/grub.d/none.cfg"]
    path = f"{tmp_path}:{os.environ['PATH']}"
    printed = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False).stdout
    assert ("microcode-component" in printed.splitlines()) is found
