"""Numbers and words as people read them. A value that was not measured stays a visible gap."""

from forecasting.domain.finite import is_finite

NOT_MEASURED = "not measured"
MINUS = "\N{MINUS SIGN}"
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with `digits` significant digits, thousands grouped.

    >>> number(1234.5), number(0.012345), number(None)
    ('1,234', '0.01235', 'not measured')
    """
    if value is None or not is_finite(value):
        return NOT_MEASURED
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}".replace("-", MINUS)
    return f"{value:.{digits}g}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """Return a number of three digits that always shows its sign, such as `+0.5`."""
    text = number(value, 3)
    return f"+{text}" if value is not None and value > 0 and text != NOT_MEASURED else text


def sign(value: float | None) -> str:
    """Return `up`, `down` or nothing."""
    if value is None or not is_finite(value) or value == 0:
        return ""
    return "up" if value > 0 else "down"


def lasting(seconds: float | None) -> str:
    """Return a duration in its two largest units.

    >>> lasting(4.21), lasting(80), lasting(7500), lasting(100_000)
    ('4.2 s', '1 m 20 s', '2 h 5 m', '1 d 3 h')
    """
    if seconds is None or not is_finite(seconds) or seconds < 0:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s" if seconds >= 0.95 else f"{seconds * 1000:.0f} ms"
    whole = round(seconds)
    for name, size, below, part in (("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {name} {rest} {below}" if rest else f"{whole // size} {name}"
    return f"{whole} s"


def size(count: int) -> str:
    """Return a size in bytes in the unit that fits."""
    value = float(count)
    for unit in UNITS[:-1]:
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} {UNITS[-1]}"


def word(name: str) -> str:
    """Return a name of the code as words."""
    return name.replace("_", " ")
