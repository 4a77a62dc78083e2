"""Windows and freezes: hours of zones, also on the days on which clocks are set."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.guardrails.calendars import parse_calendar
from bedplate.guardrails.moments import moment
from bedplate.guardrails.windows import DAYS, Hours, MaintenanceWindow, parse_window, shown

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo")
CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
MOMENTS = st.integers(0, 11 * 365 * 24 * 3600).map(lambda after: datetime(2020, 1, 2, tzinfo=UTC) + timedelta(0, after))
WINDOWS = st.builds(
    Hours,
    st.frozensets(st.integers(0, 6), min_size=1),
    CLOCKS,
    CLOCKS,
    st.sampled_from(ZONES).map(ZoneInfo),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestMoment:
    @given(st.dates(date(1990, 1, 1), date(2035, 12, 31)), CLOCKS, st.sampled_from(ZONES))
    def test_the_clock_shows_it_or_skips_it(self, day: date, clock: time, zone: str) -> None:
        at = moment(day, clock, ZoneInfo(zone))
        shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        wanted = datetime.combine(day, clock)
        if shown != wanted:
            before = (at - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            assert before < wanted < shown, "only a time that no clock shows moves, and to the moment of the skip"

    def test_a_time_that_is_shown_twice_means_the_first(self) -> None:
        assert moment(date(2026, 10, 25), time(2, 30), BERLIN) == utc("2026-10-25T00:30")

    def test_a_time_that_is_skipped_means_the_skip(self) -> None:
        assert moment(date(2026, 3, 29), time(2, 30), BERLIN) == utc("2026-03-29T01:00")


class TestWindow:
    @given(WINDOWS, MOMENTS)
    def test_it_is_open_within_its_openings_and_only_there(self, hours: Hours, now: datetime) -> None:
        window = MaintenanceWindow((hours,))
        day = now.astimezone(hours.zone).date()
        around = [hours.opening(day + timedelta(days=offset)) for offset in range(-3, 4)
                  if (day + timedelta(days=offset)).weekday() in hours.days]  # fmt: skip
        assert window.is_open(now) == any(opens <= now < closes for opens, closes in around)

    @given(WINDOWS, MOMENTS)
    def test_it_opens_next_when_it_is_not_open_and_not_before(self, hours: Hours, now: datetime) -> None:
        window = MaintenanceWindow((hours,))
        opens = window.next_opening(now)
        assert opens is not None
        assert opens > now
        assert window.is_open(opens)
        if not window.is_open(now):
            assert not window.is_open(now + (opens - now) / 2)
            assert not window.is_open(opens - timedelta(seconds=1))

    @given(WINDOWS, st.dates(date(2020, 1, 2), date(2030, 12, 30)))
    def test_an_opening_is_as_long_as_it_says_give_or_take_what_clocks_were_set(self, hours: Hours, day: date) -> None:
        opens, closes = hours.opening(day)
        start, end = datetime.combine(day, hours.start), datetime.combine(day, hours.end)
        nominal = end - start if end > start else end - start + timedelta(days=1)
        offsets = [at.astimezone(hours.zone).utcoffset() or timedelta() for at in (opens, closes)]
        assert abs(closes - opens - nominal) <= timedelta(hours=1)
        if offsets[0] == offsets[1] and (opens - timedelta(hours=2)).astimezone(hours.zone).utcoffset() == offsets[0]:
            assert closes - opens == nominal

    @pytest.mark.parametrize(
        ("text", "length"),
        [
            ("22:00-04:00 Europe/Berlin", {"2026-03-28": 5, "2026-10-24": 7, "2026-07-01": 6}),
            ("02:30-03:30 Europe/Berlin", {"2026-03-29": 0.5, "2026-10-25": 2, "2026-07-01": 1}),
            ("02:00-03:00 Europe/Berlin", {"2026-03-29": 0, "2026-07-01": 1}),
            ("00:00-24:00 Europe/Berlin", {"2026-03-29": 23, "2026-10-25": 25, "2026-07-01": 24}),
        ],
    )
    def test_on_the_days_on_which_clocks_are_set(self, text: str, length: dict[str, float]) -> None:
        (hours,) = parse_window(text).hours
        for day, wanted in length.items():
            opens, closes = hours.opening(date.fromisoformat(day))
            assert (closes - opens) / timedelta(hours=1) == wanted, day

    @pytest.mark.parametrize(
        ("text", "opened", "closed"),
        [
            ("mon-fri 22:00-04:00 Europe/Berlin", ["2026-11-25T21:00", "2026-11-28T02:59"],
             ["2026-11-25T20:59", "2026-11-28T03:00", "2026-11-28T22:00"]),
            ("sat,sun 00:00-24:00", ["2026-11-28T00:00", "2026-11-29T23:59"], ["2026-11-27T23:59", "2026-11-30T00:00"]),
            ("fri-mon 1:00 - 2:00; wed 05:00-06:00", ["2026-11-29T01:30", "2026-11-25T05:00"], ["2026-11-25T01:30"]),
            ("Always", ["2026-11-25T12:00"], []),
            ("never", [], ["2026-11-25T12:00"]),
        ],
    )  # fmt: skip
    def test_what_a_text_means(self, text: str, opened: list[str], closed: list[str]) -> None:
        window = parse_window(text)
        assert [window.is_open(utc(at)) for at in opened + closed] == [True] * len(opened) + [False] * len(closed)

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "is empty"),
            ("at night", "is no window"),
            ("22:00-22:00", "begins and ends at the same time"),
            ("22:00-24:30", "24:30 is no time of day"),
            ("mon 24:00-04:00", "begins with the end of a day"),
            ("moon 22:00-04:00", "'moon' is no day of the week"),
            ("22:00-04:00 Europe/Berlim", "no time zone 'Europe/Berlim'"),
            ("22:00-04:00 ../../etc/passwd", "no time zone"),
        ],
    )
    def test_what_is_no_window(self, text: str, fault: str) -> None:
        with pytest.raises(ValueError, match=fault):
            parse_window(text)

    def test_every_day_has_a_name(self) -> None:
        assert parse_window("mon-sun 01:00-02:00") == parse_window("01:00-02:00")
        assert len(DAYS) == 7


ICALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
{events}
END:VCALENDAR
"""


def calendar(*lines: str) -> str:
    events = "\n".join(("BEGIN:VEVENT", "UID:one", "SUMMARY:Freeze", *lines, "END:VEVENT"))
    return ICALENDAR.format(events=events).replace("\n", "\r\n")


class TestFreeze:
    def test_days_of_a_yaml_calendar_are_whole_days_of_its_zone(self) -> None:
        found = parse_calendar(
            "timezone: Europe/Berlin\nfreezes:\n"
            "  - {name: Year end, from: 2026-12-20, to: 2027-01-03, contact: '#change'}\n"
            "  - {name: Audit, from: 2026-11-02T08:00, to: '2026-11-02T18:00:00+00:00'}\n"
        )
        assert found.at(utc("2026-12-19T22:59")) is None
        year_end = found.at(utc("2026-12-19T23:00"))
        assert year_end is not None
        assert (year_end.name, year_end.contact, year_end.end) == ("Year end", "#change", utc("2027-01-03T23:00"))
        assert found.at(utc("2027-01-03T23:00")) is None
        assert found.at(utc("2026-11-02T06:59")) is None
        assert found.at(utc("2026-11-02T17:59")) is not None

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "must be a mapping with a list"),
            ("freezes: [", "neither iCalendar nor YAML"),
            ("freezes: [{name: x, from: 2026-01-01}]", r"freezes\[0\] must have name, from and to"),
            ("freezes: [{name: x, from: 2026-01-02, to: 2026-01-01}]", "to must be after from"),
            ("freezes: [{name: x, from: soon, to: 2026-01-01}]", r"freezes\[0\].from must be a day or a time"),
            ("freezes: [{name: x, from: 2026-01-01, to: 2026-01-02, host: y}]", "unknown key host"),
            ("freezes: []\nfreeze: []", "unknown key freeze"),
            ("timezone: Mars\nfreezes: []", "no time zone 'Mars'"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT", "."),
            (calendar("DTEND:20261225T120000Z"), "has no DTSTART"),
            (calendar("DTSTART:20261225T120000Z", "RRULE:FREQ=SOMETIMES"), "the event 'Freeze': RRULE"),
            (calendar("DTSTART:soon"), "the event 'Freeze': DTSTART"),
            (calendar("DTEND;VALUE=DATE,TIME:20261225"), "cannot be read as iCalendar"),
            (calendar("DTSTART:20261225T120000Z", "RRULE:FREQ=DAILY;UNTIL=20261230,070000Z"), "cannot be read as iCal"),
            (calendar("DTSTART:20261225T120000Z", "DTSTART:20261226T120000Z"), "has more than one DTSTART"),
            (calendar("DTSTART:20261225T120000Z", "DTEND:20261224T120000Z"), "ends before it starts"),
            (calendar("DTSTART:20261225T120000Z", "DURATION:-P1D"), "ends before it starts"),
            ("freezes: [{name: x, from: 2026-02-30, to: 2026-03-01}]", "nor YAML: day is out of range"),
            (
                "freezes: [{name: x, from: 2026-01-01, to: 2026-01-02, contact: [a]}]",
                r"freezes\[0\].contact must be text",
            ),
            ("[" * 20_000, "nor YAML"),
        ],
    )
    def test_what_is_no_calendar(self, text: str, fault: str) -> None:
        with pytest.raises(ValueError, match=fault):
            parse_calendar(text)

    @pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
    @pytest.mark.parametrize(
        "text",
        [
            "timezone: {zone}\nfreezes: [{{name: x, from: 0001-01-01, to: 9999-12-31}}]",
            "timezone: {zone}\nfreezes: [{{name: x, from: 2026-01-01, to: 9999-12-31T23:59:59}}]",
            "timezone: {zone}\nfreezes: [{{name: x, from: 2026-01-01, to: '9999-12-31T23:59:59-12:00'}}]",
            calendar("X-ZONE:{zone}", "DTSTART;VALUE=DATE:00010101", "DTEND;VALUE=DATE:99991231"),
            calendar("DTSTART;TZID={zone}:20260101T000000", "DTEND:99991231T235959Z"),
            calendar("DTSTART;TZID={zone}:20260101T000000", "DURATION:P9999999D", "RRULE:FREQ=YEARLY"),
        ],
    )
    def test_until_the_end_of_time(self, text: str, zone: str) -> None:
        found = parse_calendar(text.format(zone=zone)).at(utc("2026-11-25T12:00"))
        assert found is not None
        assert shown(found.end).startswith("9999-12-3")

    def test_a_day_in_quotes_is_a_whole_day_too(self) -> None:
        found = parse_calendar("freezes: [{name: x, from: '2026-12-24', to: '2026-12-24'}]")
        assert found.at(utc("2026-12-24T23:59")) is not None
        assert found.at(utc("2026-12-25T00:00")) is None

    def test_an_event_of_icalendar(self) -> None:
        found = parse_calendar(calendar("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"))
        assert found.at(utc("2026-12-23T23:59")) is None
        assert found.at(utc("2026-12-26T23:59")) is not None
        assert found.at(utc("2026-12-27T00:00")) is None

    def test_what_was_called_off_freezes_nothing(self) -> None:
        found = parse_calendar(calendar("DTSTART:20261224T000000Z", "DURATION:P1D", "STATUS:CANCELLED"))
        assert found.at(utc("2026-12-24T12:00")) is None

    def test_an_event_that_comes_again_keeps_its_hour_when_clocks_are_set(self) -> None:
        found = parse_calendar(
            calendar(
                "DTSTART;TZID=Europe/Berlin:20260302T080000",
                "DTEND;TZID=Europe/Berlin:20260302T100000",
                "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20261130T070000Z",
                "EXDATE;TZID=Europe/Berlin:20260608T080000",
            )
        )
        frozen = {
            "2026-03-02T07:00": True, "2026-03-02T06:59": False, "2026-03-30T06:00": True, "2026-03-30T08:00": False,
            "2026-06-08T06:30": False, "2026-11-30T07:00": True, "2026-12-07T07:00": False, "2026-03-31T06:30": False,
        }  # fmt: skip
        assert {at: found.at(utc(at)) is not None for at in frozen} == frozen

    def test_an_occasion_that_was_moved(self) -> None:
        weekly = calendar("DTSTART:20260302T080000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")
        moved = (
            "BEGIN:VEVENT\r\nUID:one\r\nRECURRENCE-ID:20260309T080000Z\r\nDTSTART:20260310T080000Z\r\n"
            "DURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR"
        )
        found = parse_calendar(weekly.replace("END:VCALENDAR", moved))
        assert found.at(utc("2026-03-09T08:30")) is None
        assert found.at(utc("2026-03-10T08:30")) is not None
        assert found.at(utc("2026-03-16T08:30")) is not None
