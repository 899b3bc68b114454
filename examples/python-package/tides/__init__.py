"""Times of high water, from one observation."""

from datetime import datetime, timedelta

__version__ = "0.3.1"

# Two high waters in one lunar day.
PERIOD = timedelta(hours=12, minutes=25, seconds=14)


def next_high_water(observed: datetime, now: datetime) -> datetime:
    """The first high water at or after `now`, given one that was observed at any time."""
    passed = -((observed - now) // PERIOD)
    return observed + passed * PERIOD
