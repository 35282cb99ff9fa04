"""Put first on PYTHONPATH, this shifts the wall clock of a process by CLOCK_SKEW seconds."""

import datetime
import os
import time

_SKEW = float(os.environ["CLOCK_SKEW"])
_time = time.time
_now = datetime.datetime.now


class _Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        return _now(tz) + datetime.timedelta(seconds=_SKEW)


time.time = lambda: _time() + _SKEW
datetime.datetime = _Shifted  # type: ignore[misc]
