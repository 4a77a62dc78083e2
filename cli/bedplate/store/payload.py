"""What the store keeps compressed: the bulk of an event, and lists of names.

An event's bulk is a JSON list, compressed by zlib with a dictionary of what ansible's events have in common: small
documents shrink by half again that way. The first byte names the dictionary, which never changes once it was used.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

from bedplate.runs import Event

_PLAIN = b"\x00"
_FIRST = b"\x01"
_LEVEL = 6
_WINDOW_BITS = 13
_MEMORY_LEVEL = 6

# The commonest comes last: zlib finds near matches cheaper.
_DICTIONARY_1 = (
    b'"stderr_lines":[],"stdout_lines":["cmd":["rc":0,"start":"2026-01-"end":"2026-"delta":"0:00:00.'
    b'"_ansible_parsed":true"ansible_facts":{"discovered_interpreter_python":"/usr/bin/python3"'
    b'"diff":[{"before":"","after":"","before_header":"/etc/"after_header":"/etc/systemd/'
    b'"module_stderr":"","module_stdout":"","msg":"MODULE FAILURE: No start of json char found\\nSee stdout/stderr'
    b'"unreachable":true"Failed to connect to the host via ssh: "UNREACHABLE! => {\\"changed\\": false'
    b'"ignore_errors":true"ignore_errors":null"FAILED! => {\\"censored\\"'
    b"\"the output has been hidden due to the fact that 'no_log: true' was specified for this result\""
    b'"skip_reason":"Conditional result was False","false_condition":"'
    b'"item":"ansible_loop_var":"item","_ansible_item_label":"results":[{'
    b'"path":"/etc/"dest":"/etc/"src":"/root/.ansible/tmp/ansible-tmp-"checksum":"md5sum":"size":'
    b'"mode":"0644","owner":"root","group":"root","uid":0,"gid":0,"state":"file"'
    b'"state":"started","enabled":true,"status":{"ActiveState":"active"'
    b'"invocation":{"module_args":{"name":"_raw_params":"validate":null"'
    b'"ansible.builtin.command","ansible.builtin.template","ansible.builtin.copy","ansible.builtin.file"'
    b'"ansible.builtin.apt","ansible.builtin.service","ansible.builtin.systemd_service","ansible.builtin.user"'
    b'"ansible.builtin.assert","ansible.builtin.debug","ansible.builtin.set_fact","ansible.builtin.include_tasks"'
    b'"ansible.builtin.setup","Gathering Facts"'
    b"\\r\\nTASK [bedplate.datacenter. : ] ***************************************************************\\r\\n"
    b"\\u001b[0;32mok: [\\u001b[0m\\u001b[0;33mchanged: [\\u001b[0;36mskipping: [\\u001b[0;31mfatal: ["
    b'"playbook":"bedplate.datacenter.baseline","playbook_uuid":"play":"all","play_uuid":"play_pattern":"all"'
    b'"task":"task_uuid":"task_action":"ansible.builtin.","resolved_action":"ansible.builtin."'
    b'"task_args":"","task_path":"/usr/share/ansible/collections/ansible_collections/bedplate/datacenter/roles/'
    b'/tasks/main.yml:","role":"remote_addr":"host":"uuid":'
    b'"start":"2026-11-"end":"2026-11-22T00:00:00.000000+00:00","duration":0.0'
    b'"event_loop":null,"res":{"changed":true,"_ansible_no_log":false},"res":{"changed":false,"_ansible_no_log":false}'
)


def pack_event(event: Event) -> bytes:
    """Return the bulk of an event: everything that is not a column of its own."""
    bulk = [
        event.uuid,
        event.parent_uuid,
        event.play,
        event.role,
        event.task,
        event.action,
        event.duration,
        event.stdout,
        dict(event.data),
    ]
    return _compress(json.dumps(bulk, separators=(",", ":"), default=str).encode())


def unpack_event(blob: bytes) -> list[object]:
    """Return uuid, parent_uuid, play, role, task, action, duration, stdout and data of an event."""
    bulk: list[object] = json.loads(_decompress(blob))
    return bulk


def pack_names(names: Sequence[str]) -> bytes:
    """Return names compressed, in their order."""
    return _PLAIN + zlib.compress(json.dumps(list(names), separators=(",", ":")).encode(), _LEVEL)


def unpack_names(blob: bytes) -> tuple[str, ...]:
    """Return what `pack_names` was given."""
    return tuple(json.loads(_decompress(blob)))


def _compress(data: bytes) -> bytes:
    compressor = zlib.compressobj(
        _LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY_1
    )
    return _FIRST + compressor.compress(data) + compressor.flush()


def _decompress(blob: bytes) -> bytes:
    codec, body = bytes(blob[:1]), bytes(blob[1:])
    if codec == _PLAIN:
        return zlib.decompress(body)
    if codec != _FIRST:
        raise ValueError(f"compressed in a way that is not known here: {codec!r}")
    return zlib.decompressobj(zdict=_DICTIONARY_1).decompress(body)
