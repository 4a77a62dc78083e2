# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A small private certificate authority in a folder of one host."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils import x509

DOCUMENTATION = r"""
module: certificate_authority
short_description: A small private certificate authority in a folder of one host
description:
  - Tells of the authority in a folder, makes it if that is wanted, and signs one request.
  - What a certificate says (subject, names, length of life) is decided here; of the request only the key is taken.
  - The authority's own key never leaves the folder, where only root may read it. An authority that was made here gets
    a new certificate with the same key before its certificate ends, so that what it signed stays valid.
options:
  path:
    description: The folder. Its parent must exist when it is made.
    type: path
    required: true
  name:
    description: The common name of an authority that is made.
    type: str
    default: Bedplate CA
  days:
    description: How many days the certificate of an authority that is made is valid.
    type: int
    default: 3650
  create:
    description: Whether an authority is made if there is none.
    type: bool
    default: false
  certificate:
    description: The certificate of an authority that exists already (PEM), followed by those above it, if any.
    type: str
    default: ""
  key:
    description: The private key of that authority (PEM, without a passphrase).
    type: str
    default: ""
  request:
    description: A request for a certificate (PEM).
    type: str
    default: ""
  subject:
    description: The common name of the certificate that is signed.
    type: str
    default: ""
  names:
    description: Its alternative names, each as C(DNS:name) or C(IP:address).
    type: list
    elements: str
    default: []
  request_days:
    description: How many days it is valid; never longer than the authority.
    type: int
    default: 365
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Sign what a host asks for
  bedplate.datacenter.certificate_authority:
    path: /etc/bedplate/ca
    create: true
    request: "{{ asked.request }}"
    subject: web1
    names: ["DNS:web1", "IP:192.0.2.11"]
  delegate_to: observer1
"""

RETURN = r"""
exists:
  description: Whether there is an authority (after what was done).
  returned: always
  type: bool
certificate:
  description: The authority's certificate (PEM), followed by those above it; empty if there is none.
  returned: always
  type: str
refused:
  description: That there is an authority, and it cannot sign; C(msg) says why.
  returned: when it fails for that
  type: bool
signed:
  description: The certificate that was signed (PEM), and those between it and the root; empty without a request.
  returned: always
  type: str
"""

_AUTHORITY = (
    "basicConstraints=critical,CA:TRUE,pathlen:0",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
)
_LEAF = (
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth,clientAuth",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid:always",
)


class Authority:
    """The authority in a folder."""

    def __init__(self, module: AnsibleModule, openssl: x509.OpenSSL) -> None:
        self._module = module
        self._openssl = openssl
        self._folder = module.params["path"]
        self._key_path = os.path.join(self._folder, "ca.key")
        self._certificate_path = os.path.join(self._folder, "ca.pem")
        self.certificate = x509.read(self._certificate_path)
        self.key = x509.read(self._key_path)
        self.changed = False

    @property
    def exists(self) -> bool:
        return bool(self.certificate and self.key)

    def keep(self, key: str, certificate: str) -> None:
        """Make this key and certificate the authority's, on disk too."""
        self.changed = True
        self.key, self.certificate = key, certificate
        if self._module.check_mode:
            return
        x509.write(self._key_path, key, 0o600)
        x509.write(self._certificate_path, certificate, 0o644)

    def own(self) -> bool:
        """Whether the certificate was made by this module: one certificate, signed by itself, of the given name."""
        return not self._module.params["certificate"] and len(x509.blocks(self.certificate)) == 1

    def make_certificate(self, key: str) -> str:
        """Return a new certificate of an authority with this key."""
        extensions = [part for one in _AUTHORITY for part in ("-addext", one)]
        return self._openssl.run(
            *("req", "-x509", "-new", "-sha256", "-key", self._openssl.file("ca.key", key)),
            *("-days", str(self._module.params["days"]), "-subj", _subject(self._module.params["name"]), *extensions),
        )

    def bring_about(self) -> None:
        """Take the authority that is given, or make one if none exists and that is wanted; renew one before its end."""
        given, key = self._module.params["certificate"], self._module.params["key"]
        if given and key:
            if self._openssl.certificate(given).public_key != self._openssl.public_key(key):
                raise x509.RefusedError("the given certificate of the authority does not belong to the given key")
            if (self.certificate.strip(), self.key.strip()) != (given.strip(), key.strip()):
                self.keep(key.strip() + "\n", given.strip() + "\n")
        elif not self.exists and self._module.params["create"]:
            new = self.key or self._openssl.new_key()
            self.keep(new, self.make_certificate(new))
        if self.exists:
            self.check_end()

    def check_end(self) -> None:
        """Renew an authority of ours that is near its end; refuse one that is past it."""
        found = self._openssl.certificate(self.certificate)
        if found.days_left() <= 0:
            way_out = (
                "remove that file, and the next run makes a new certificate with the same key"
                if self.own()
                else "give a new one: certificates_authority_certificate and certificates_authority_key"
            )
            raise x509.RefusedError(
                f"the certificate authority {self._certificate_path} expired on {found.end_text}, "
                f"and with it everything that it signed; {way_out}"
            )
        if self.own() and found.days_left() < self._module.params["request_days"]:
            self.keep(self.key, self.make_certificate(self.key))

    def sign(self, request: str) -> str:
        """Return a certificate for the key of a request, and those between it and the root."""
        file = self._openssl.file("request.pem", request)
        self._openssl.run("req", "-verify", "-noout", "-in", file)
        names = ",".join(self._module.params["names"])
        extensions = self._openssl.file("extensions", "\n".join([*_LEAF, "subjectAltName=" + names, ""]))
        left = int(self._openssl.certificate(self.certificate).days_left())
        signed = self._openssl.run(
            *("x509", "-req", "-sha256", "-in", file, "-extfile", extensions),
            *("-subj", _subject(self._module.params["subject"])),
            *("-CA", self._openssl.file("ca.pem", self.certificate), "-CAkey", self._openssl.file("ca.key", self.key)),
            *("-set_serial", "0x{0:032x}".format(secrets.randbits(126) + 1)),
            *("-days", str(max(1, min(left, self._module.params["request_days"])))),
        )
        above = [block for block in x509.blocks(self.certificate) if not self._is_root(block)]
        return "".join([*x509.blocks(signed), *above])

    def _is_root(self, block: str) -> bool:
        out = self._openssl.run("x509", "-noout", "-subject_hash", "-issuer_hash", text=block).split()
        return out[0] == out[1]


def _subject(name: str) -> str:
    """Return a subject of one common name, which has at most 64 characters."""
    return "/CN=" + name[:64].replace("\\", "").replace("/", "\\/")


def _work(module: AnsibleModule, scratch: str) -> dict[str, object]:
    authority = Authority(module, x509.OpenSSL(module, scratch))
    authority.bring_about()
    signed = ""
    if module.params["request"] and not module.check_mode:
        if not authority.exists:
            raise x509.RefusedError(f"there is no certificate authority in {module.params['path']}")
        signed = authority.sign(module.params["request"])
    return {
        "changed": authority.changed or bool(signed),
        "exists": authority.exists,
        "certificate": authority.certificate if authority.exists else "",
        "signed": signed,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "name": {"type": "str", "default": "Bedplate CA"},
            "days": {"type": "int", "default": 3650},
            "create": {"type": "bool", "default": False},
            "certificate": {"type": "str", "default": ""},
            "key": {"type": "str", "default": "", "no_log": True},
            "request": {"type": "str", "default": ""},
            "subject": {"type": "str", "default": ""},
            "names": {"type": "list", "elements": "str", "default": []},
            "request_days": {"type": "int", "default": 365},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    path = module.params["path"]
    wanted = (module.params["create"] or module.params["key"]) and not module.check_mode
    if wanted:
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.chown(path, 0, 0)
        os.chmod(path, 0o700)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            if not wanted:
                module.exit_json(**_work(module, scratch))
            # Several hosts may ask at once, and the first of them makes the authority.
            with open(os.path.join(path, "lock"), "w", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                module.exit_json(**_work(module, scratch))
        except x509.RefusedError as error:
            module.fail_json(msg=str(error), refused=True)


if __name__ == "__main__":
    main()
