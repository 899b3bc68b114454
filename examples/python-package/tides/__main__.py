import sys
from datetime import datetime

from tides import next_high_water

observed, now = (datetime.fromisoformat(text) for text in sys.argv[1:3])
print(next_high_water(observed, now).isoformat(timespec="minutes"))
