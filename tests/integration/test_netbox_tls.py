"""TLS to NetBox: certificates are verified, unless somebody says otherwise."""

import http.server
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from netbox_modules import client, faults


@dataclass(frozen=True)
class Site:
    """A server with a certificate that only its own file vouches for."""

    url: str
    certificate: Path


class Status(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"netbox-version": "4.6.8"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        pass


def write_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "netbox")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "netbox.pem", folder / "netbox.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    unencrypted = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(encoding, form, unencrypted))
    return files


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    certificate, key = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.HTTPServer(("127.0.0.1", 0), Status)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield Site(f"https://127.0.0.1:{server.server_address[1]}", certificate)
    server.shutdown()
    server.server_close()
    thread.join()


def status(site: Site, **options: object) -> dict[str, str]:
    asking = client.Client(client.Endpoint(site.url, timeout=5, retries=0, **options))
    try:
        answer: dict[str, str] = asking.get("/api/status/")
        return answer
    finally:
        asking.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(site: Site) -> None:
    with pytest.raises(faults.SourceError, match="certificate is not trusted"):
        status(site)


def test_a_file_of_authorities_is_trusted(site: Site) -> None:
    assert status(site, ca_path=str(site.certificate)) == {"netbox-version": "4.6.8"}


def test_verification_can_be_given_up(site: Site) -> None:
    assert status(site, validate_certs=False) == {"netbox-version": "4.6.8"}


def test_a_missing_file_of_authorities_is_named(site: Site, tmp_path: Path) -> None:
    with pytest.raises(faults.InventoryError, match=r"gone\.pem"):
        status(site, ca_path=str(tmp_path / "gone.pem"))
