import unittest
from datetime import datetime, timedelta

from tides import PERIOD, next_high_water

OBSERVED = datetime(2026, 3, 1, 6, 40)


class NextHighWater(unittest.TestCase):
    def test_the_observed_one_counts(self):
        self.assertEqual(next_high_water(OBSERVED, OBSERVED), OBSERVED)

    def test_a_minute_later_it_is_the_following_one(self):
        self.assertEqual(next_high_water(OBSERVED, OBSERVED + timedelta(minutes=1)), OBSERVED + PERIOD)

    def test_the_past_works_as_well(self):
        self.assertEqual(next_high_water(OBSERVED, OBSERVED - timedelta(hours=13)), OBSERVED - PERIOD)

    def test_it_is_never_a_whole_period_away(self):
        for minutes in range(-5000, 5000, 61):
            now = OBSERVED + timedelta(minutes=minutes)
            self.assertLess(next_high_water(OBSERVED, now) - now, PERIOD)


if __name__ == "__main__":
    unittest.main()
