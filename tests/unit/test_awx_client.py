"""The client of AWX: addresses, credentials, pages, repeats, and one sentence for whatever goes wrong."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bedplate.awx.client import AwxClient, api_root
from bedplate.awx.credential import PASSWORD as PASSWORD_VARIABLE
from bedplate.awx.credential import TOKEN as TOKEN_VARIABLE
from bedplate.awx.credential import Credential, find_credential
from bedplate.errors import EngineError, SettingsError
from bedplate.settings import AwxSettings
from fake_awx.server import PASSWORD, TOKEN, awx_server
from fake_awx.state import FakeAwx, Fault
from integration.test_netbox_tls import write_certificate

PAGE = "<html><title>Sign in</title></html>"


@pytest.fixture
def awx() -> Iterator[FakeAwx]:
    with awx_server() as fake:
        yield fake


class _Connection:
    """A client that does not wait, and remembers for how long it would have."""

    def __init__(self, awx: FakeAwx, **settings: object) -> None:
        self.waits: list[float] = []
        given = AwxSettings(**{"url": awx.url, "timeout": 5.0, **settings})  # type: ignore[arg-type]
        self.client = AwxClient(given, Credential(f"Bearer {TOKEN}"), self.waits.append)


@pytest.fixture
def connection(awx: FakeAwx) -> Iterator[_Connection]:
    made = _Connection(awx)
    with made.client:
        yield made


class TestAddress:
    @pytest.mark.parametrize(
        ("url", "root"),
        [
            ("https://awx.example.com", "https://awx.example.com/api/v2/"),
            ("https://awx.example.com/", "https://awx.example.com/api/v2/"),
            ("https://awx.example.com:8043/api/v2/", "https://awx.example.com:8043/api/v2/"),
            ("https://gw.example.com/api/controller", "https://gw.example.com/api/controller/v2/"),
            ("https://gw.example.com/awx", "https://gw.example.com/awx/api/v2/"),
            ("http://127.0.0.1:8052", "http://127.0.0.1:8052/api/v2/"),
        ],
    )
    def test_the_api_is_below_it(self, url: str, root: str) -> None:
        assert api_root(AwxSettings(url=url)) == root

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("", "awx.url: is not set"),
            ("awx.example.com", "must be an address"),
            ("https://me:word@awx.example.com", "must be an address without user"),
            ("http://awx.example.com", "would send the token in the clear"),
        ],
    )
    def test_what_is_none_is_refused(self, url: str, said: str) -> None:
        with pytest.raises(SettingsError, match=said) as error:
            api_root(AwxSettings(url=url))
        assert "word" not in str(error.value)

    def test_plain_http_on_purpose(self) -> None:
        assert api_root(AwxSettings(url="http://awx.lab", verify=False)) == "http://awx.lab/api/v2/"


class TestCredential:
    def test_the_token_of_the_environment_comes_first(self, tmp_path: Path) -> None:
        settings = AwxSettings(token_file=str(_secret(tmp_path, "other")))
        assert find_credential(settings, {TOKEN_VARIABLE: TOKEN}) == Credential(f"Bearer {TOKEN}")

    def test_a_password_goes_with_a_user(self, awx: FakeAwx) -> None:
        settings = AwxSettings(url=awx.url, user="bedplate")
        credential = find_credential(settings, {PASSWORD_VARIABLE: PASSWORD})
        with AwxClient(settings, credential) as client:
            assert client.get("me/")["count"] == 1

    def test_files(self, tmp_path: Path) -> None:
        file = str(_secret(tmp_path, "abc"))
        assert find_credential(AwxSettings(token_file=file), {}) == Credential("Bearer abc")
        settings = AwxSettings(user="me", password_file=file)
        assert find_credential(settings, {}).authorization.startswith("Basic ")

    @pytest.mark.parametrize(
        ("mode", "text", "said"),
        [(0o644, "abc", "can be read by others"), (0o600, "", "must hold one line"), (0o600, "a\nb", "one line")],
    )
    def test_a_file_that_will_not_do(self, tmp_path: Path, mode: int, text: str, said: str) -> None:
        with pytest.raises(SettingsError, match=said):
            find_credential(AwxSettings(token_file=str(_secret(tmp_path, text, mode))), {})

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="No such file"):
            find_credential(AwxSettings(token_file=str(tmp_path / "none")), {})

    def test_the_keyring(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import keyring  # noqa: PLC0415

        monkeypatch.setattr(keyring, "get_password", lambda service, account: f"{service} {account}")
        settings = AwxSettings(url="https://awx.example.com", keyring=True)
        assert find_credential(settings, {}) == Credential("Bearer bedplate-awx https://awx.example.com")
        monkeypatch.setattr(keyring, "get_password", lambda *_: None)
        with pytest.raises(SettingsError, match="has nothing for"):
            find_credential(settings, {})
        empty: ModuleType | None = None
        monkeypatch.setitem(sys.modules, "keyring", empty)
        with pytest.raises(SettingsError, match="package is missing"):
            find_credential(settings, {})

    def test_none_at_all(self) -> None:
        with pytest.raises(SettingsError, match="neither a token nor a password"):
            find_credential(AwxSettings(), {})

    def test_it_is_never_shown(self) -> None:
        assert TOKEN not in repr(Credential(f"Bearer {TOKEN}"))


class TestLists:
    def test_a_page_holds_200(self, awx: FakeAwx, connection: _Connection) -> None:
        for number in range(401):
            awx.add("organizations", name=f"o{number}")
        assert len(list(connection.client.pages("organizations/"))) == 401
        assert len(awx.requests) == 3


class TestRepeats:
    def test_a_read_is_repeated_when_the_connection_is_lost(self, awx: FakeAwx, connection: _Connection) -> None:
        awx.faults = [Fault("GET", "/me/", 0, times=2)]
        assert connection.client.get("me/")["count"] == 1
        assert connection.waits == [1.0, 2.0]

    @pytest.mark.parametrize("status", [502, 503, 504])
    def test_a_read_is_repeated_when_awx_is_away(self, awx: FakeAwx, connection: _Connection, status: int) -> None:
        awx.faults = [Fault("GET", "/me/", status, PAGE)]
        assert connection.client.get("me/")["count"] == 1

    @pytest.mark.parametrize("status", [0, 502])
    def test_what_makes_an_object_is_not_repeated(self, awx: FakeAwx, connection: _Connection, status: int) -> None:
        awx.faults = [Fault("POST", "/organizations/", status, after=True)]
        with pytest.raises(EngineError):
            connection.client.create("organizations/", {"name": "a"})
        assert len(awx.requests) == 1

    def test_a_deletion_whose_answer_was_lost_is_done(self, awx: FakeAwx, connection: _Connection) -> None:
        awx.add("organizations", name="a")
        awx.faults = [Fault("DELETE", "/organizations/1/", 0, after=True)]
        connection.client.delete("organizations/1/")
        assert len(awx.requests) == 2

    def test_too_many_requests_are_waited_for_as_asked(self, awx: FakeAwx, connection: _Connection) -> None:
        awx.faults = [Fault("POST", "/organizations/", 429, headers={"Retry-After": "7"})]
        assert connection.client.create("organizations/", {"name": "a"})["id"] == 1
        assert connection.waits == [7.0]

    def test_but_not_for_an_hour(self, awx: FakeAwx, connection: _Connection) -> None:
        awx.faults = [Fault("GET", "/me/", 429, headers={"Retry-After": "3600"})]
        with pytest.raises(EngineError, match="it asks to wait 3600 s"):
            connection.client.get("me/")
        assert connection.waits == []


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> tuple[Path, Path]:
        return write_certificate(tmp_path)

    @pytest.fixture
    def secure(self, certificate: tuple[Path, Path]) -> Iterator[FakeAwx]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*certificate)
        with awx_server(tls) as fake:
            yield fake

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, secure: FakeAwx) -> None:
        connection = _Connection(secure)
        with connection.client, pytest.raises(EngineError, match="certificate is not valid"):
            connection.client.get("me/")
        assert connection.waits == []
        assert secure.requests == []

    def test_a_file_of_authorities_is_trusted(self, secure: FakeAwx, certificate: tuple[Path, Path]) -> None:
        connection = _Connection(secure, ca_file=str(certificate[0]))
        with connection.client:
            assert connection.client.get("me/")["count"] == 1

    def test_verification_can_be_given_up(self, secure: FakeAwx) -> None:
        connection = _Connection(secure, verify=False)
        with connection.client:
            assert connection.client.get("me/")["count"] == 1


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "body", "said"),
        [
            (401, '{"detail": "Invalid token."}', "does not accept the token or password"),
            (403, '{"detail": "You do not have permission."}', "does not let this account read me: You do not have"),
            (404, '{"detail": "Not found."}', "AWX has no me (any more): Not found."),
            (404, '{"detail": "No Job matches the given query."}', "AWX has no me (any more): No Job matches"),
            (404, '["Not found."]', "there is no AWX API here"),
            (404, PAGE, "there is no AWX API here (awx.url is AWX's address, behind a gateway with its path"),
            (404, '{"detail": "The requested resource could not be found."}', "there is no AWX API here"),
            (409, '{"error": "Resource is being used."}', "for something else goes on there: Resource is being used."),
            (500, PAGE, "AWX failed with 500 when it was to read me"),
            (302, "", "AWX is somewhere else: https://sso.example.com"),
            (200, PAGE, "what answers is a web page, not AWX's API"),
            (200, "[1]", "answers with something that is no object"),
            (400, '{"name": ["May not be blank."], "__all__": ["No."]}', "AWX does not accept me: name: May not"),
        ],
    )
    def test_each_is_one_sentence(
        self, awx: FakeAwx, connection: _Connection, status: int, body: str, said: str
    ) -> None:
        awx.faults = [Fault("GET", "/me/", status, body, {"Location": "https://sso.example.com"}, times=9)]
        with pytest.raises(EngineError) as error:
            connection.client.get("me/")
        assert said in str(error.value)
        assert "\n" not in str(error.value)
        assert TOKEN not in repr(error.value) + str(error.value.__cause__)

    def test_nobody_there(self, awx: FakeAwx) -> None:
        gone = _Connection(awx, url="http://127.0.0.1:9")
        with pytest.raises(EngineError, match="AWX cannot be reached"):
            gone.client.get("me/")
        gone.client._http.close()

    def test_a_credential_that_is_refused_is_not_quoted(self, awx: FakeAwx, connection: _Connection) -> None:
        awx.faults = [Fault("POST", "/credentials/", 400, '{"inputs": ["hush-hush is no token"]}')]
        with pytest.raises(EngineError) as error:
            connection.client.create("credentials/", {"inputs": {"token": "hush-hush"}})
        assert "hush" not in str(error.value)

    def test_a_certificate_file_that_is_none(self, awx: FakeAwx, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"awx\.ca_file"):
            _Connection(awx, ca_file=str(_secret(tmp_path, "none")))


def _secret(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "secret"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file
