"""What the environment says of NetBox: the inventory, what writes in a playbook, and bedplate itself read it alike."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleActionFail

from bedplate.errors import SettingsError
from bedplate.watch.netbox import NetBox
from content.role_content import load_plugin

INVENTORY = load_plugin("plugins/inventory/netbox.py")
WRITING = load_plugin("plugins/plugin_utils/netbox_writing.py")
CASES = json.loads((Path(__file__).parents[1] / "fixtures" / "netbox_environment.json").read_text(encoding="utf-8"))
Said = tuple[str, str]


@pytest.fixture(params=CASES, ids=lambda case: str(case["case"]))
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """Have the environment say what a case has, and nothing else."""
    (tmp_path / "token").write_text("of-the-file\n", encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("NETBOX_")]:
        monkeypatch.delenv(name)
    for name, value in request.param["environment"].items():
        monkeypatch.setenv(name, value.format(folder=tmp_path))
    return dict(request.param)


@pytest.fixture(scope="module", autouse=True)
def _options_are_known() -> None:
    options = yaml.safe_load(INVENTORY.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("inventory", "netbox_environment", options)


def _to_the_inventory() -> Said:
    plugin = {"plugin_type": "inventory", "plugin_name": "netbox_environment"}
    endpoint = INVENTORY.Options(lambda name: constants.config.get_config_value(name, **plugin), "/").endpoint()
    return endpoint.base, endpoint.headers["Authorization"].removeprefix("Token ")


def _to_playbooks() -> Said:
    client = WRITING.client()
    return client.base_url.removesuffix("/api"), client.token


def _to_bedplate() -> Said | None:
    netbox = NetBox.from_environment()
    return netbox and (netbox._client.base_url.removesuffix("/api"), netbox._client.token)


def test_all_read_it_alike(case: dict[str, Any]) -> None:
    said = (case["url"], case["token"])
    if all(said):
        assert _to_the_inventory() == _to_playbooks() == _to_bedplate() == said
    else:
        assert _to_bedplate() is None
        with pytest.raises(AnsibleActionFail, match="not set"):
            _to_playbooks()
    if not case["url"]:
        with pytest.raises(INVENTORY.InventoryError, match="NETBOX_URL"):
            _to_the_inventory()


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), (b"\n", "is empty"), (b"\xff", "it is no text")])
def test_a_file_without_a_token_is_named(
    content: bytes | None, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    for name in [name for name in os.environ if name.startswith("NETBOX_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETBOX_URL", "https://a")
    monkeypatch.setenv("NETBOX_TOKEN_FILE", str(path))
    with pytest.raises(SettingsError, match=why) as ours:
        NetBox.from_environment()
    with pytest.raises(AnsibleActionFail, match=why) as theirs:
        WRITING.client()
    assert str(path) in str(ours.value)
    assert str(path) in str(theirs.value)
