"""Reading a NetBox by GraphQL: the same hosts as by REST, and each way in which it can lie or fail."""

import json
import re
import time
from collections.abc import Iterator

import pytest

from integration import netbox_graphql
from integration.netbox_server import (
    CUSTOM_FIELDS,
    DEVICES,
    GRAPHQL,
    MACHINES,
    V2_TOKEN,
    Answer,
    NetBoxServer,
    json_answer,
    netbox_server,
)
from netbox_modules import client, faults, query, reading, source

CLUSTERS, TAGS = "/api/virtualization/clusters/", "/api/extras/tags/"
KINDS = ("device", "virtual_machine")
LOGIN = Answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html; charset=utf-8"})


@pytest.fixture
def netbox() -> Iterator[NetBoxServer]:
    with netbox_server() as server:
        yield server


def read(
    netbox: NetBoxServer,
    transport: str = "auto",
    *,
    filters: dict[str, list[tuple[str, str]]] | None = None,
    statuses: tuple[str, ...] = ("active", "staged"),
    page_size: int = 500,
    **options: object,
) -> "reading.Reading":
    endpoint = client.Endpoint(netbox.url, token=V2_TOKEN, **{"timeout": 5, "retries": 1, **options})
    asked_of = source.NetBoxSource(client.Client(endpoint, pause=lambda _seconds: None), page_size, transport)
    return asked_of.read(query.Query(KINDS, filters or {}, statuses), faults.Notices())


def records(found: "reading.Reading") -> list[dict[str, object]]:
    return sorted((host.record for host in found.hosts), key=lambda record: (record["type"], record["id"]))


@pytest.mark.parametrize("page_size", [1, 7, 1000])
def test_the_records_are_those_of_rest(netbox: NetBoxServer, page_size: int) -> None:
    netbox.device(2)["position"] = 11.5
    netbox.machine(1)["site"] = None  # in a cluster that has one
    by_graphql = read(netbox, "graphql", page_size=page_size)
    assert by_graphql.how == "in full, by GraphQL"
    assert records(by_graphql) == records(read(netbox, "rest"))


def test_hosts_are_asked_for_with_few_requests(netbox: NetBoxServer) -> None:
    read(netbox)
    hosts = [text for text in netbox.queries if "primary_ip4" in text]
    assert len(hosts) == 2
    assert all('id:{gte:"1"}' in text for text in hosts)


@pytest.mark.parametrize(
    "filters",
    [
        {"device": [("site", "ams1")], "virtual_machine": [("status", "failed")]},
        {"device": [("tag", "canary")], "virtual_machine": [("has_primary_ip", "true")]},
        {"device": [("name", "nobody")]},
    ],
)
def test_filters_mean_what_they_mean_to_rest(netbox: NetBoxServer, filters: dict[str, list[tuple[str, str]]]) -> None:
    assert records(read(netbox, "graphql", filters=filters)) == records(read(netbox, "rest", filters=filters))


def test_netbox_may_give_smaller_pages_than_asked_for(netbox: NetBoxServer) -> None:
    whole = records(read(netbox, "rest"))
    netbox.max_page_size = 4
    assert records(read(netbox)) == whole


def test_ids_may_have_gaps(netbox: NetBoxServer) -> None:
    for entry in netbox.lists[DEVICES][10:]:
        entry["id"] += 40_000
    assert records(read(netbox, page_size=5)) == records(read(netbox, "rest"))


@pytest.mark.parametrize("path", [DEVICES, MACHINES])
def test_a_host_that_goes_or_comes_in_mid_read_costs_no_other(netbox: NetBoxServer, path: str) -> None:
    names = {record["name"] for record in records(read(netbox))}
    hosts, again = netbox.lists[path], []

    def move(asked: str) -> None:
        if asked == GRAPHQL and not again and "primary_ip4" in netbox.queries[-1]:
            again.append(hosts.pop(0))
            hosts.append({**hosts[-1], "id": 9000, "name": "newcomer"})

    netbox.after_page = move
    found = {record["name"] for record in records(read(netbox, page_size=5))}
    assert names - {again[0]["name"]} <= found
    assert len(found) == len(records(read(netbox)))


class TestWithoutGraphQL:
    @pytest.mark.parametrize("answer", [LOGIN, json_answer({"detail": "no"}, 405), Answer(404, b"not enabled")])
    def test_rest_serves_and_the_reason_is_told(self, netbox: NetBoxServer, answer: Answer) -> None:
        by_graphql = records(read(netbox))
        netbox.fail(GRAPHQL, answer)
        found = read(netbox)
        assert records(found) == by_graphql
        assert "by REST (" in found.how
        with pytest.raises(faults.SourceError, match="transport: auto"):
            read(netbox, "graphql")

    @pytest.mark.parametrize(
        "message", ["Query exceeds depth 2", "11 aliases found. Allowed: 10", "Cannot query field 'oob_ip'"]
    )
    def test_a_limited_graphql_is_not_used(self, netbox: NetBoxServer, message: str) -> None:
        netbox.fail(GRAPHQL, json_answer({"data": None, "errors": [{"message": message}]}))
        assert message in read(netbox).how

    def test_an_older_netbox_has_no_ranges(self, netbox: NetBoxServer) -> None:
        netbox.fail(GRAPHQL, json_answer({"data": {"device": None, "virtual_machine": None, "lookup": None}}))
        assert "no ranges of ids" in read(netbox).how

    def test_custom_fields_that_cannot_be_seen_come_with_the_hosts(self, netbox: NetBoxServer) -> None:
        netbox.fail(CUSTOM_FIELDS, json_answer({"detail": "no permission"}, 403))
        assert "by REST (custom fields cannot be seen" in read(netbox).how


class TestHidden:
    """GraphQL answers with nothing where a right is missing."""

    @pytest.mark.parametrize("hidden", ["device_list", "virtual_machine_list"])
    def test_hosts(self, netbox: NetBoxServer, hidden: str) -> None:
        netbox.hidden = {hidden}
        with pytest.raises(faults.SourceError, match=r"REST counts \d+ .*, and 0 came"):
            read(netbox)

    @pytest.mark.parametrize("hidden", ["tenant", "rack", "platform", "primary_ip4"])
    def test_what_hosts_refer_to(self, netbox: NetBoxServer, hidden: str) -> None:
        netbox.hidden = {hidden}
        with pytest.raises(faults.SourceError, match=r"by GraphQL \d+ .* have no .*REST counts \d+"):
            read(netbox)

    def test_what_hosts_must_have(self, netbox: NetBoxServer) -> None:
        def before(path: str) -> Answer | None:
            if path != GRAPHQL or not netbox.queries:
                return None
            return json_answer(
                {"data": None, "errors": [{"message": "Cannot return null for non-nullable field site"}]}
            )

        netbox.before = before
        with pytest.raises(faults.SourceError, match="hidden from the token"):
            read(netbox)

    def test_a_list_that_may_not_be_viewed(self, netbox: NetBoxServer) -> None:
        netbox.fail("/api/extras/tags/", json_answer({"detail": "no permission"}, 403))
        with pytest.raises(faults.SourceError, match=r"tags/.*no permission"):
            read(netbox)

    def test_sites_that_are_not_listed(self, netbox: NetBoxServer) -> None:
        netbox.lists["/api/dcim/sites/"].pop()
        with pytest.raises(faults.SourceError, match="not among those that NetBox listed"):
            read(netbox, "rest")


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"data": None},
        {"data": {"device_list": None}},
        {"data": {"device_list": [{"name": "x"}]}},
        {"data": {"device_list": [{"id": "1"}]}},
        {"data": {"device_list": [{"id": "1"}, {"id": "1"}]}},
        {"data": {"device_list": [{"id": "1"}], "virtual_machine_list": []}},
    ],
)
def test_an_answer_that_is_not_well_formed_fails_the_read(netbox: NetBoxServer, data: object) -> None:
    def before(path: str) -> Answer | None:
        return json_answer(data) if path == GRAPHQL and len(netbox.queries) > 1 else None

    netbox.before = before
    with pytest.raises(faults.SourceError):
        read(netbox)


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({}, 429, **{"Retry-After": "1"}),
        json_answer({}, 503),
        Answer(200, b'{"data": {"device_list": [', {"Content-Type": "application/json"}, cut=20),
    ],
)
def test_a_failure_that_may_pass_is_tried_again(netbox: NetBoxServer, answer: Answer) -> None:
    netbox.fail(GRAPHQL, answer, times=1)
    assert "by GraphQL" in read(netbox).how
    netbox.fail(GRAPHQL, answer)
    with pytest.raises(faults.SourceError):
        read(netbox)


def test_a_page_that_takes_long_is_not_waited_for_without_end(netbox: NetBoxServer) -> None:
    def slow(path: str) -> Answer | None:
        late = path == GRAPHQL and len(netbox.queries) > 1
        return Answer(200, b"{}", {"Content-Type": "application/json"}, delay=1.5) if late else None

    netbox.before = slow
    with pytest.raises(faults.SourceError, match=r"no answer within 0\.5 seconds"):
        read(netbox, timeout=0.5, retries=0)


def test_custom_fields_of_every_type_and_null_in_each(netbox: NetBoxServer) -> None:
    stored = {
        "text": "x", "longtext": "a\nb", "integer": 3, "boolean": True, "date": "2026-01-02", "url": "http://x/",
        "json": {"a": [1]}, "select": "a", "multiselect": ["a", "b"],
    }  # fmt: skip
    in_rest = {"decimal": "1.50", "datetime": "2026-01-02T03:04:05Z", "object": {"id": 1, "display": "AMS1"}}
    in_rest["multiobject"] = [{"id": 1, "display": "AMS1"}]  # type: ignore[assignment]
    for number, of_type in enumerate([*stored, *in_rest], 20):
        entry = {"id": number, "name": f"t_{of_type}", "type": {"value": of_type}, "object_types": ["dcim.device"]}
        netbox.lists[CUSTOM_FIELDS].append(entry)
    full = {f"t_{key}": value for key, value in {**stored, **in_rest}.items()}
    for device in netbox.lists[DEVICES]:
        device["custom_fields"] = {**device["custom_fields"], **(full if device["id"] == 1 else dict.fromkeys(full))}
    netbox.requests.clear()
    assert records(read(netbox)) == records(read(netbox, "rest"))
    by_rest = [dict(asked) for path, asked, _ in netbox.requests if path == DEVICES]
    assert [asked["id"] for asked in by_rest if asked.get("fields") == "id,custom_fields"] == ["1"]


def test_names_and_tags_of_any_kind(netbox: NetBoxServer) -> None:
    names = ["web 01", "büro-ß", "a.b.c", "x:y", "日本", "a{id}b"]
    for device, name in zip(netbox.lists[DEVICES], names, strict=False):
        device["name"] = name
    tags = [{"id": number, "slug": f"t{number}", "name": f"T {number}"} for number in range(100, 1100)]
    netbox.lists["/api/extras/tags/"] += tags
    netbox.device(1)["tags"] = tags
    found = records(read(netbox))
    assert found == records(read(netbox, "rest"))
    assert len(found[0]["tags"]) == 1000


def test_members_of_a_virtual_chassis_are_hosts_of_their_own(netbox: NetBoxServer) -> None:
    chassis = {"id": 1, "name": "stack", "master": {"id": 1}, "member_count": 2}
    for number in (1, 2):
        netbox.device(number).update({"virtual_chassis": chassis, "vc_position": number})
    netbox.device(2)["name"] = None  # as members often are
    found = records(read(netbox))
    assert found == records(read(netbox, "rest"))
    assert [record["name"] for record in found if record["id"] in {1, 2}][:2] == ["srv-ams1-00000", None]


def test_hosts_in_a_cluster_without_site(netbox: NetBoxServer) -> None:
    machine = netbox.machine(1)
    machine["site"] = None
    cluster = next(one for one in netbox.lists[CLUSTERS] if one["id"] == machine["cluster"]["id"])
    cluster.update({"scope_type": None, "scope_id": None, "scope": None})
    found = records(read(netbox))
    assert found == records(read(netbox, "rest"))
    record = next(one for one in found if (one["type"], one["id"]) == ("virtual_machine", 1))
    assert (record["cluster"], record["site"], record["region"]) == (cluster["name"], None, [])


def test_a_config_context_of_a_megabyte(netbox: NetBoxServer) -> None:
    for device in netbox.lists[DEVICES]:
        if device["site"]["slug"] == "ams1":
            device["local_context_data"] = None
            device["config_context"] = {"blob": "x" * 1_000_000}
    found = {record["name"]: record for record in records(read(netbox))}
    assert len(found["srv-ams1-00000"]["config_context"]["blob"]) == 1_000_000


def test_a_context_that_is_hidden_from_us_is_found_out(netbox: NetBoxServer) -> None:
    for device in netbox.lists[DEVICES]:  # by role, which no context that we see asks for
        device["config_context"] = {**device["config_context"], "of_role": device["role"]["slug"]}
    assert records(read(netbox)) == records(read(netbox, "rest"))


@pytest.fixture
def many(netbox: NetBoxServer) -> NetBoxServer:
    """A NetBox of 1,200 hosts and two tags, one of them on every third host, the other on the first 199."""
    tags = netbox.lists[TAGS] = [{"id": number, "slug": f"t{number}", "name": f"T{number}"} for number in (1, 2, 3)]
    for path in (DEVICES, MACHINES):
        hosts = netbox.lists[path]
        first = {**hosts[0], "local_context_data": None, "config_context": {}}
        netbox.lists[path] = [{**first, "id": number, "name": f"h{number}"} for number in range(1, 601)]
        for host in netbox.lists[path]:
            host["tags"] = [tags[0]] * (host["id"] % 3 == 0) + [tags[1]] * (host["id"] < 200)
    hosts = [*netbox.lists[DEVICES], *netbox.lists[MACHINES]]
    for tag in tags:
        tag["tagged_items"] = sum(tag in host["tags"] for host in hosts) + 5
    return netbox


def nested(netbox: NetBoxServer) -> int:
    """Return how many pages of hosts were asked for with their tags nested."""
    return sum("primary_ip4" in text and "tags{id}" in text for text in netbox.queries)


class TestTagsApart:
    @pytest.mark.parametrize("page_size", [150, 1000])
    def test_many_hosts_have_the_tags_that_they_have_by_rest(self, many: NetBoxServer, page_size: int) -> None:
        by_graphql = records(read(many, "graphql", page_size=page_size))
        assert nested(many) == 0
        assert by_graphql == records(read(many, "rest"))

    def test_netbox_may_give_smaller_pages_than_asked_for(self, many: NetBoxServer) -> None:
        many.max_page_size = 40
        by_graphql = records(read(many, "graphql"))
        assert nested(many) == 0
        assert by_graphql == records(read(many, "rest"))

    def test_a_server_that_ignores_the_filter_is_found_out(self, many: NetBoxServer) -> None:
        whole = records(read(many, "rest"))

        def ignore(path: str) -> Answer | None:
            if path != GRAPHQL or b"filters:{tags" not in many.body:
                return None
            text = re.sub(r'tags:\{id:\{exact:"\d+"\}\},', "", json.loads(many.body)["query"])
            return json_answer(netbox_graphql.answer(text, many.lists, 1000, ()))

        many.before = ignore
        assert records(read(many, "graphql")) == whole
        assert nested(many) > 0

    @pytest.mark.parametrize(
        "answer",
        [
            json_answer({"data": None, "errors": [{"message": "Unknown field tags"}]}),
            json_answer({"data": {"device_list": [{"id": "3"}, {"id": "3"}], "virtual_machine_list": []}}),
        ],
    )
    def test_a_filter_that_does_not_work_is_done_without(self, many: NetBoxServer, answer: Answer) -> None:
        whole = records(read(many, "rest"))
        many.before = lambda path: answer if path == GRAPHQL and b"filters:{tags" in many.body else None
        assert records(read(many, "graphql")) == whole
        assert nested(many) > 0

    def test_tags_are_nested_where_that_is_less_work(self, many: NetBoxServer) -> None:
        for tag in many.lists[TAGS]:
            del tag["tagged_items"]
        read(many, "graphql", page_size=1000)
        assert nested(many) == 2
        many.lists[TAGS] += [
            {"id": number, "slug": f"t{number}", "name": "T", "tagged_items": 1} for number in range(10, 500)
        ]
        read(many, "graphql", page_size=1000)
        assert nested(many) == 4


def test_a_kind_of_host_that_is_hidden_and_the_only_one(netbox: NetBoxServer) -> None:
    netbox.hidden = {"device_list"}
    endpoint = client.Endpoint(netbox.url, token=V2_TOKEN, timeout=5, retries=0)
    asked_of = source.NetBoxSource(client.Client(endpoint), 500, "graphql")
    with pytest.raises(faults.SourceError, match=r"REST counts 2\d devices, and 0 came"):
        asked_of.read(query.Query(("device",), {}, ("active", "staged")), faults.Notices())


def test_a_slow_page_is_waited_for(netbox: NetBoxServer) -> None:
    """Thirty seconds are less than the sixty for which NetBox may be silent; here all is ten times as fast."""
    whole = records(read(netbox))
    begun: list[float] = []

    def slow(path: str) -> None:
        if path == GRAPHQL and "primary_ip4" in netbox.queries[-1] and not begun:
            begun.append(time.monotonic())
            time.sleep(0.6)

    netbox.after_page = slow
    assert records(read(netbox, timeout=1.2, retries=0)) == whole
    assert begun
