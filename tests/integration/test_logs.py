"""The product logs: two hosts' lines in one file, by time and pattern, in a limited size."""

from __future__ import annotations

from integration.products import as_root, order
from lab_fleet import LabFleet

FIRST, SECOND = "ash1-cloud-01", "fra1-colo-01"
BOTH = f"{FIRST},{SECOND}"


def test_lines_of_the_journal_are_merged_by_time(lab: LabFleet) -> None:
    for number, host in enumerate((FIRST, SECOND, FIRST)):
        as_root(lab, host, f"logger --tag proof line {number}; logger --tag proof other {number}; journalctl --sync")
    done = order(lab, "logs", BOTH, pattern="proof.*: line [0-9]", since="10m")
    assert (done.code, done.outcomes) == (0, {FIRST: "unchanged", SECOND: "unchanged"})
    lines = [line.split() for line in done.artifact("logs.txt").decode().splitlines()][-3:]
    assert [(words[1], words[-2:]) for words in lines] == [
        (FIRST, ["line", "0"]),
        (SECOND, ["line", "1"]),
        (FIRST, ["line", "2"]),
    ]
    assert [words[0] for words in lines] == sorted(words[0] for words in lines)


def test_a_file_that_one_host_lacks_and_that_is_larger_than_the_limit(lab: LabFleet) -> None:
    write = 'date=$(date -Is); seq 20000 | sed "s/^/$date a line of some length, so that the limit is soon passed: /"'
    as_root(lab, FIRST, f"{write} > /var/log/proof.log")
    done = order(lab, "logs", BOTH, file="/var/log/proof.log", megabytes=1)
    as_root(lab, FIRST, "rm /var/log/proof.log")
    assert (done.code, done.outcomes) == (5, {FIRST: "unchanged", SECOND: "failed"})
    assert done.hosts[SECOND]["detail"] == "there is no file /var/log/proof.log on this host"
    content = done.artifact("logs.txt").decode()
    assert len(content) <= 1_000_000
    assert content.endswith("passed: 20000\n")
    assert done.hosts[FIRST]["values"]["dropped"] > 0
