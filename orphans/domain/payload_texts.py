"""What attackers write: texts, numbers and keys that break careless programs."""

from typing import Any, Final

HUGE: Final = 100_000

TEXTS: Final = {
    "sql": "x' OR '1'='1'; DROP TABLE users; --",
    "huge": "A" * HUGE,
    "path": "../../../../../../etc/passwd",
    "bidi": "invoice\u202egpj.exe\u2066\u200b",
    "shell": "$(touch pwned); `id` | sh & #",
    "template": "{{ 7 * 7 }}${7*7}<%= 7 * 7 %>{{ ''.__class__.__mro__ }}",
    "lone_surrogate": "half \ud800 pair",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "nul": "name\x00.txt",
    "format": "{0.__class__.__init__.__globals__} %s%n%(x)s",
    "crlf": "x\r\nSet-Cookie: admin=1\r\n\r\n<html>",
    "combining": "Z" + "\u0351\u0363\u0335\u0489" * 500,
    "code": "__import__('os').system('id')",
    "xml": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "regex": "a" * 5000 + "!",
    "ldap": "*)(uid=*))(|(uid=*",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 50,
    "digits": "9" * 5000,
    "url": "http://169.254.169.254/latest/meta-data/",
    "blank": "",
}
"""Label → text. The order is that of the inputs made, so a few inputs hold different kinds."""

EXTREMES: Final = (2**63 - 1, -(2**63), 2**53 + 1, 10**300, 1e308, -1e308, 5e-324, -1, 0)

KEYS: Final = ("__class__", "__proto__", "constructor", "$where", "../x", "", "a\x00b", "\u202ekey")


def nested(depth: int) -> Any:
    """Return a list in a list in a list …"""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value
