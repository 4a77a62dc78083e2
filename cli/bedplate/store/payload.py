"""What the store keeps compressed: the bulk of an event, other plain data, and lists of names.

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
_LEVEL = 3
_WINDOW_BITS = 13
_MEMORY_LEVEL = 6
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=str)

# The commonest comes last: zlib finds near matches cheaper.
_DICTIONARY_1 = (
    b'"unreachable":true,"msg":"Task failed: Failed to connect to the host via ssh: Permission denied (publickey).'
    b"\"the output has been hidden due to the fact that 'no_log: true' was specified for this result\""
    b'"module_stderr":"","module_stdout":"","msg":"MODULE FAILURE: No start of json char found\nSee stdout/stderr'
    b'"deprecations":[],"warnings":[],"exception":"(traceback unavailable)","attempts":1,"retries":'
    b'"ansible_facts":{"discovered_interpreter_python":"/usr/bin/python3","packages":{"services":{'
    b'"item":"ansible_loop_var":"item","item_label":"results":[{"msg":"All items completed"'
    b'"status":{"ActiveState":"active","SubState":"running","name":"state":"started","enabled":true,"daemon_reload":'
    b'"cache_updated":false,"cache_update_time":1795,"stdout_lines":["Reading package lists...'
    b'"allow_downgrade":false,"cache_valid_time":0,"install_recommends":null,"update_cache":null,"package":['
    b'"append":false,"comment":"","create_home":true,"home":"/home/","shell":"/bin/bash","group":'
    b'"skip_reason":"Conditional result was False","skipped":true,"false_condition":" is "when":'
    b'"_original_basename":"follow":false,"force":true,"local_follow":null,"remote_src":null,"backup":false,'
    b'"attributes":null,"content":null,"directory_mode":null,"selevel":null,"serole":null,"setype":null,"seuser":null,'
    b'"unsafe_writes":false,"validate":null,"recurse":false,"access_time":null,"modification_time":null}}}'
    b'"diff":[{"before":"","before_header":"/etc/","after_header":"/etc/","after":""}'
    b'"dest":"/etc/","src":"/root/.ansible/tmp/ansible-tmp-1795/.source","md5sum":"","checksum":"","changed":true,'
    b'"path":"/etc/systemd/","uid":0,"gid":0,"owner":"root","group":"root","mode":"0644","state":"file","size":'
    b'"_uses_shell":false,"expand_argument_vars":true,"stdin_add_newline":true,"strip_empty_ends":true,"cmd":null,'
    b'"argv":null,"chdir":null,"executable":null,"creates":null,"removes":null,"stdin":null}}'
    b'"res":{"changed":true,"stdout":"","stderr":"","rc":0,"cmd":["start":"2026-","end":"2026-","delta":"0:00:00.0'
    b'"msg":"","invocation":{"module_args":{"_raw_params":"","stdout_lines":[],"stderr_lines":[]}}]'
    b'"ansible.builtin.command","ansible.builtin.template","ansible.builtin.copy","ansible.builtin.file"'
    b'"ansible.builtin.apt","ansible.builtin.service","ansible.builtin.systemd_service","ansible.builtin.user"'
    b'"ansible.builtin.assert","ansible.builtin.set_fact","ansible.builtin.include_tasks","ansible.builtin.debug"'
    b'"Gathering Facts","ansible.builtin.setup","ansible.builtin.meta","bedplate.datacenter.validate_parameters"'
    b'"access","time_sync","logging","metrics","baseline_marker","observer",'
    b'"\\u001b[0;31mfatal: [\\u001b[0m\\u001b[0;31m]: FAILED! => {\\"changed\\": false, \\"msg\\": \\"'
    b'\\nTASK [bedplate.datacenter. : ] ***************************************************************\\u001b[0m"'
    b',{"task_path":"/usr/share/ansible/collections/ansible_collections/bedplate/datacenter/roles/tasks/main.yml:'
    b'/tasks/install.yml:/tasks/preflight.yml:/tasks/service.yml:/tasks/configure.yml:","res":{"msg":"'
    b'"\\u001b[0;36mskipping: [\\u001b[0m","\\u001b[0;33mchanged: [\\u001b[0m","\\u001b[0;32mok: [\\u001b[0m",'
    b'","res":{"changed":false}}],"",null,null,null,null,"",{},null,"",{"task_path":"'
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
    return _compress(_ENCODER.encode(bulk).encode())


def unpack_event(blob: bytes) -> list[object]:
    """Return uuid, parent_uuid, play, role, task, action, duration, stdout and data of an event."""
    bulk: list[object] = json.loads(_decompress(blob))
    return bulk


def pack_document(document: object) -> bytes:
    """Return plain data compressed."""
    return _compress(_ENCODER.encode(document).encode())


def unpack_document(blob: bytes) -> object:
    """Return what `pack_document` was given; tuples have become lists."""
    document: object = json.loads(_decompress(blob))
    return document


def pack_names(names: Sequence[str]) -> bytes:
    """Return names compressed, in their order."""
    return _PLAIN + zlib.compress(_ENCODER.encode(list(names)).encode(), _LEVEL)


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
