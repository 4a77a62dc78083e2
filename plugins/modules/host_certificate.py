# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The host's key and its certificate, with the authority that both sides trust."""

from __future__ import annotations

import grp
import os
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils import x509

DOCUMENTATION = r"""
module: host_certificate
short_description: The host's key and its certificate, with the authority that both sides trust
description:
  - Without I(certificate), it looks whether the host's certificate is as it should be. If it is not, a new key is made
    on the host, and a request for a certificate is returned; the old pair stays in use until the new one is complete.
  - With I(certificate), it installs that certificate, for the key of the last request or for I(key).
  - The private key never leaves the host.
options:
  path:
    description: The folder of C(host.key), C(host.pem) and C(ca.pem). Its parent is made if it is missing.
    type: path
    required: true
  group:
    description: The group of the services that may read the key. It is made if it is missing.
    type: str
    required: true
  subject:
    description: The common name of the certificate.
    type: str
    required: true
  names:
    description: The alternative names that the certificate must have, each as C(DNS:name) or C(IP:address).
    type: list
    elements: str
    default: []
  renew_days:
    description: A certificate that ends sooner than in so many days is renewed, if the authority lasts longer.
    type: int
    default: 120
  authority:
    description: >-
      The certificate of the authority (PEM). Empty if one is yet to be made. Left out if nobody could be asked:
      the host then goes on with the one that it has.
    type: str
  certificate:
    description: The certificate to install (PEM), followed by those between it and the root.
    type: str
  key:
    description: The key of the certificate, if it was not made by this module.
    type: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Look at the host's certificate
  bedplate.datacenter.host_certificate:
    path: /etc/bedplate/tls
    group: bedplate-tls
    subject: web1
    names: ["DNS:web1", "IP:192.0.2.11"]
"""

RETURN = r"""
reasons:
  description: Why a new certificate is needed; empty if it is not.
  returned: always
  type: list
  elements: str
openssl:
  description: Whether the host has the program openssl. If not, nothing was looked at.
  returned: always
  type: bool
request:
  description: The request (PEM), if a certificate is needed.
  returned: always
  type: str
"""


class HostCertificate:
    """The folder with the host's key and certificate."""

    def __init__(self, module: AnsibleModule, openssl: x509.OpenSSL) -> None:
        self._module = module
        self._openssl = openssl
        self._folder = module.params["path"]
        self.changed = False
        self.key, self.certificate, self.authority = (
            x509.read(self._path(name)) for name in ("host.key", "host.pem", "ca.pem")
        )

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def prepare(self) -> None:
        """Make the group and the folder, and give it and what lies in it the right owner and mode.

        Who may write into the folder can put a key and a certificate of theirs in the place of the host's.
        """
        parent = os.path.dirname(self._folder)
        mode = 0o755
        for path, agreed in ((parent, os.path.isdir(parent)), (self._folder, x509.as_agreed(self._folder, mode))):
            if not agreed:
                self.changed = True
                if not self._module.check_mode:
                    os.makedirs(path, mode, exist_ok=True)
                    os.chown(path, 0, 0)
                    os.chmod(path, mode)
        group = self._group()
        for name, mode, owner in (("host.key", 0o640, group), ("host.pem", 0o644, 0), ("ca.pem", 0o644, 0)):
            path = self._path(name)
            if os.path.exists(path) and not x509.as_agreed(path, mode, owner):
                self.changed = True
                if not self._module.check_mode:
                    os.chown(path, 0, owner)
                    os.chmod(path, mode)

    def _group(self) -> int:
        name = self._module.params["group"]
        try:
            return grp.getgrnam(name).gr_gid
        except KeyError:
            self.changed = True
        if self._module.check_mode:
            return 0
        code, out, err = self._module.run_command(["groupadd", "--system", name])
        if code != 0:
            raise x509.RefusedError(f"groupadd {name} failed: {(err or out).strip()}")
        return grp.getgrnam(name).gr_gid

    def reasons(self, trusted: str) -> list[str]:
        """Return why a new certificate is needed from an authority whose certificate is `trusted`."""
        if not self.key or not self.certificate:
            return ["the host has no certificate yet"]
        if not trusted:
            return ["there is no authority yet"]
        try:
            found = self._openssl.certificate(self.certificate)
            if found.public_key != self._openssl.public_key(self.key):
                return ["the certificate does not belong to the key"]
            self._openssl.verify(self.certificate, trusted)
        except x509.RefusedError as error:
            return [str(error)]
        reasons = []
        wanted = sorted({_canonical(name) for name in self._module.params["names"]})
        if found.names != wanted:
            reasons.append("its names are {0}, and should be {1}".format(", ".join(found.names), ", ".join(wanted)))
        lasts = self._openssl.certificate(trusted).end - found.end > x509.DAY
        if found.days_left() < self._module.params["renew_days"] and lasts:
            reasons.append("it ends on {0}".format(found.end_text))
        return reasons

    def trust(self, authority: str) -> None:
        """Write the authority's certificate, if it differs."""
        if authority.strip() and authority.strip() != self.authority.strip():
            self.changed = True
            if not self._module.check_mode:
                x509.write(self._path("ca.pem"), authority.strip() + "\n", 0o644)

    def request(self) -> str:
        """Make a new key beside the one in use, and return a request for it."""
        self.changed = True
        if self._module.check_mode:
            return ""
        key = self._openssl.new_key()
        x509.write(self._path("host.key.new"), key, 0o600)
        file = self._openssl.file("new.key", key)
        return self._openssl.run("req", "-new", "-sha256", "-key", file, "-subj", "/CN=host")

    def install(self, certificate: str, key: str, authority: str) -> None:
        """Put a certificate and its key in the place of the old ones, after they were checked."""
        if self._openssl.certificate(certificate).public_key != self._openssl.public_key(key):
            raise x509.RefusedError(f"the certificate of {self._module.params['subject']} does not belong to its key")
        self._openssl.verify(certificate, authority)
        self.trust(authority)
        if (certificate.strip(), key.strip()) == (self.certificate.strip(), self.key.strip()):
            return
        self.changed = True
        if self._module.check_mode:
            return
        x509.write(self._path("host.key"), key.strip() + "\n", 0o640, self._group())
        x509.write(self._path("host.pem"), certificate.strip() + "\n", 0o644)
        if os.path.exists(self._path("host.key.new")):
            os.unlink(self._path("host.key.new"))


def _canonical(name: str) -> str:
    kind, _, value = name.partition(":")
    return "IP:" + x509.canonical(value) if kind == "IP" else name


def _work(module: AnsibleModule, scratch: str) -> dict[str, object]:
    openssl = x509.OpenSSL(module, scratch)
    host = HostCertificate(module, openssl)
    host.prepare()
    authority, certificate = module.params["authority"], module.params["certificate"]
    reasons: list[str] = []
    request = ""
    if certificate is not None:
        key = module.params["key"] or x509.read(os.path.join(module.params["path"], "host.key.new"))
        host.install(certificate, key, authority or "")
    else:
        reasons = host.reasons(host.authority if authority is None else authority)
        if reasons:
            request = host.request()
        else:
            host.trust(authority or "")
    return {"changed": host.changed, "openssl": True, "reasons": reasons, "request": request}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "group": {"type": "str", "required": True},
            "subject": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "default": []},
            "renew_days": {"type": "int", "default": 120},
            "authority": {"type": "str"},
            "certificate": {"type": "str"},
            "key": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C", "LANG": "C"}
    if module.get_bin_path("openssl") is None:
        module.exit_json(changed=False, openssl=False, reasons=[], request="")
    with tempfile.TemporaryDirectory() as scratch:
        try:
            result = _work(module, scratch)
        except x509.RefusedError as error:
            module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
