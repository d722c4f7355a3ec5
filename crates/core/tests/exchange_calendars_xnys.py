"""Prints the sessions of PyPI's exchange_calendars for the NYSE: date, open and close in nanoseconds since the epoch."""

import sys

import exchange_calendars

calendar = exchange_calendars.get_calendar("XNYS", start=sys.argv[1], end=sys.argv[2])
for day, opens, closes in zip(calendar.schedule.index, calendar.opens, calendar.closes):
    print(day.date(), opens.as_unit("ns").value, closes.as_unit("ns").value)
