"""Configuration: defaults, bedplate.toml, the file that BEDPLATE_CONFIG names, BEDPLATE_… variables, options.

Later sources win. A setting `store.url` is `[store] url` in TOML and BEDPLATE_STORE_URL in the environment.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

from bedplate.errors import SettingsError
from bedplate.setting_sources import read_setting_file, setting_files, state_folder

_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class StoreSettings:
    """Attributes: url: SQLAlchemy URL; empty means SQLite in the state folder."""

    url: str = ""
    busy_timeout: float = 10.0


@dataclass(frozen=True)
class InventorySettings:
    """Attributes: path: inventory folder or file; max_age: hours that a stale snapshot may serve; shrink_percent."""

    path: str = ""
    max_age: float = 24.0
    shrink_percent: float = 10.0


@dataclass(frozen=True)
class ContentSettings:
    """Attributes: path: root of a clone or an installed collection; empty means what this package came with."""

    path: str = ""


@dataclass(frozen=True)
class ExecutionSettings:
    """How ansible is started.

    Attributes:
        forks: hosts at a time; 0 lets Bedplate choose by hosts and cores.
        timeout: seconds for a connection to be made.
        strategy: how runs in check mode go through their tasks: `linear`, or `mitogen` where that is installed. What
            changes hosts always does so by ansible's own strategy.
        private_key, vault_password_file, ssh_common_args, remote_user: handed to ansible, never stored.
    """

    forks: int = 0
    timeout: int = 15
    strategy: str = "linear"
    private_key: str = ""
    vault_password_file: str = ""
    ssh_common_args: str = ""
    remote_user: str = ""


@dataclass(frozen=True)
class RetentionSettings:
    """What is kept for how long.

    Attributes:
        days, runs: `runs prune` keeps runs younger than `days` or among the last `runs` of a product. A night forgets
            checks, and findings that were resolved, more than `days` ago.
    """

    days: int = 90
    runs: int = 1000


@dataclass(frozen=True)
class AccessSettings:
    """Attributes: user: who orders, default the login name; teams: the teams that this person is in."""

    user: str = ""
    teams: tuple[str, ...] = ()


@dataclass(frozen=True)
class AwxSettings:
    """Where AWX is, and what it has that the catalog does not say. Tokens and passwords are never in here.

    Attributes:
        url: AWX's address; behind a gateway with the path of its API, such as https://host/api/controller.
        user: who logs in with a password; empty for a token.
        token_file, password_file, keyring: where they are, besides BEDPLATE_AWX_TOKEN and BEDPLATE_AWX_PASSWORD.
        verify, ca_file: whether AWX's certificate must be valid, and by which authorities.
        timeout: seconds for one answer.
        organization, project, inventory: names in AWX.
        project_url, project_branch: the content's git repository; without them the project must be there already.
        inventory_source: a file of the project that reads NetBox; without it the inventory must be there already.
        netbox_url, netbox_token_file: what that file gets as environment.
        execution_environment: an image; empty for AWX's own.
        credentials: names of credentials that each template gets, such as that of the SSH key.
    """

    url: str = ""
    user: str = ""
    token_file: str = ""
    password_file: str = ""
    keyring: bool = False
    verify: bool = True
    ca_file: str = ""
    timeout: float = 30.0
    organization: str = "Bedplate"
    project: str = "Bedplate"
    project_url: str = ""
    project_branch: str = ""
    inventory: str = "Bedplate"
    inventory_source: str = ""
    netbox_url: str = ""
    netbox_token_file: str = ""
    execution_environment: str = ""
    credentials: tuple[str, ...] = ()


@dataclass(frozen=True)
class TeamsSettings:
    """Attributes: file: YAML file of teams, their members and contacts; empty means that none is known."""

    file: str = ""


@dataclass(frozen=True)
class GuardrailSettings:
    """What guardrails are read from.

    Attributes:
        calendars: folder of freeze calendars, `NAME.yml` or `NAME.ics`.
        freeze: calendars that hold for every product.
        policies: folder of Cedar policies; empty means that there are none.
        timezone: in which policies see the time.
        workers: accounts that may start the approved runs of others.
        contact: who can help with policies and calendars.
    """

    calendars: str = ""
    freeze: tuple[str, ...] = ()
    policies: str = ""
    timezone: str = "UTC"
    workers: tuple[str, ...] = ()
    contact: str = ""


@dataclass(frozen=True)
class AuditSettings:
    """Where the end of the audit log is said outside of the store.

    Attributes:
        key_file: the key that signs; without one nothing is anchored.
        anchor_file: a file that only grows (`chattr +a`).
        syslog: whether to tell syslog, too.
    """

    key_file: str = ""
    anchor_file: str = ""
    syslog: bool = True


@dataclass(frozen=True)
class NotificationSettings:
    """Attributes: file: YAML file of receivers of results and their addresses; empty means that there are none."""

    file: str = ""


@dataclass(frozen=True)
class DriftSettings:
    """What holds for checks and for the night.

    Attributes:
        waivers: the file of accepted findings, to be kept under version control; empty means waivers.yml in the state
            folder.
        reports: the folder of the night's reports; empty means reports in the state folder.
        textfile: the file of the night's metrics, in a folder that a node exporter reads; empty means none.
        notify: where messages go, as apprise has it (mailto://…, slack://…).
        seal_after: the products after whose runs hosts are sealed; empty for none.
        renew_after: the products of whose runs seals take over what they updated or wrote; empty for none.
        settled_hours: for so long after a run on a host, another one of that product leaves it alone if a look finds it
            as it was sealed; 0 for never.
        record: whether fast checks also compare hosts with their records in NetBox, as the inventory has these.
        journal: whether what differs goes to the journal of the host in NetBox, too.
        escalate_percent: how many of a fast check's hosts may be sent to the full check because what is agreed changed.
        repair_roles: the roles whose findings `nightly --remediate` may repair; empty for none.
        repair_hosts, repair_percent: with more hosts to repair than either, none is.
        repair_window: when it may, such as `mon-fri 22:00-04:00 Europe/Berlin`; empty for always.
        vanished_percent, moved_percent: how many hosts may vanish, or change their class, from night to night.
    """

    waivers: str = ""
    reports: str = ""
    textfile: str = ""
    notify: tuple[str, ...] = ()
    seal_after: tuple[str, ...] = ("baseline",)
    renew_after: tuple[str, ...] = ("patch", "observe")
    settled_hours: float = 24.0
    record: bool = True
    journal: bool = False
    escalate_percent: float = 10.0
    repair_roles: tuple[str, ...] = ()
    repair_hosts: int = 5
    repair_percent: float = 10.0
    repair_window: str = ""
    vanished_percent: float = 5.0
    moved_percent: float = 5.0


@dataclass(frozen=True)
class Settings:
    """All settings of one invocation. `home` is the state folder."""

    home: Path
    store: StoreSettings = field(default_factory=StoreSettings)
    inventory: InventorySettings = field(default_factory=InventorySettings)
    content: ContentSettings = field(default_factory=ContentSettings)
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    awx: AwxSettings = field(default_factory=AwxSettings)
    teams: TeamsSettings = field(default_factory=TeamsSettings)
    guardrails: GuardrailSettings = field(default_factory=GuardrailSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    sources: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        return self.access.user or getpass.getuser()

    @property
    def store_url(self) -> str:
        return self.store.url or f"sqlite:///{self.home / 'bedplate.db'}"

    @property
    def runs_folder(self) -> Path:
        return self.home / "runs"

    @property
    def snapshots_folder(self) -> Path:
        return self.home / "snapshots"

    @property
    def waivers_file(self) -> Path:
        return Path(self.drift.waivers).expanduser() if self.drift.waivers else self.home / "waivers.yml"

    @property
    def reports_folder(self) -> Path:
        return Path(self.drift.reports).expanduser() if self.drift.reports else self.home / "reports"

    @property
    def lab_folder(self) -> Path:
        return self.home / "lab"


_SECTIONS = tuple(f.name for f in fields(Settings) if f.name not in {"home", "sources"})


def load_settings(env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Settings:
    """Read the settings that hold for `cwd` (a `bedplate.toml` there or in a folder above) and `env`.

    Raises:
        SettingsError: a file cannot be read, a key is unknown, or a value has the wrong type.
    """
    env = os.environ if env is None else env
    settings = Settings(home=state_folder(env))
    for file in setting_files(env, cwd or Path.cwd()):
        settings = _merge(settings, read_setting_file(file), str(file))
        settings = replace(settings, sources=(*settings.sources, str(file)))
    return _merge_environment(settings, env)


def override(settings: Settings, section: str, **values: Any) -> Settings:  # noqa: ANN401
    """Return settings with what command line options gave."""
    return replace(settings, **{section: replace(getattr(settings, section), **values)})


def _merge(settings: Settings, data: Mapping[str, Any], where: str) -> Settings:
    for name, table in data.items():
        _known(name, _SECTIONS, where)
        if not isinstance(table, dict):
            raise SettingsError(f"must be a table: [{name}]", where=f"{where}: {name}")
        section = getattr(settings, name)
        types = get_type_hints(type(section))
        values = {}
        for key, value in table.items():
            _known(key, tuple(types), where, prefix=f"{name}.")
            values[key] = _typed(value, types[key], f"{where}: {name}.{key}")
        settings = replace(settings, **{name: replace(section, **values)})
    return settings


def _merge_environment(settings: Settings, env: Mapping[str, str]) -> Settings:
    for name in _SECTIONS:
        section = getattr(settings, name)
        types = get_type_hints(type(section))
        values = {}
        for key, wanted in types.items():
            variable = f"BEDPLATE_{name}_{key}".upper()
            if variable in env:
                values[key] = _parse(env[variable], wanted, variable)
        if values:
            settings = replace(settings, **{name: replace(section, **values)})
    return settings


def _known(key: str, names: tuple[str, ...], where: str, prefix: str = "") -> None:
    if key not in names:
        near = get_close_matches(key, names, n=1)
        hint = f"did you mean {prefix}{near[0]}?" if near else f"known are {', '.join(prefix + n for n in names)}"
        raise SettingsError(f"unknown setting {prefix}{key}", where=where, hint=hint)


def _typed(value: Any, wanted: Any, where: str) -> Any:  # noqa: ANN401
    if wanted == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise SettingsError(f"must be a list of strings, not {value!r}", where=where)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        raise SettingsError(f"must be {wanted.__name__}, not {value!r}", where=where)
    return value


def _parse(text: str, wanted: Any, where: str) -> Any:  # noqa: ANN401
    if wanted == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if wanted is bool:
        if text.lower() not in _BOOLEANS:
            raise SettingsError(f"must be true or false, not {text!r}", where=where)
        return _BOOLEANS[text.lower()]
    try:
        return wanted(text)
    except ValueError as error:
        raise SettingsError(f"must be {wanted.__name__}, not {text!r}", where=where) from error
