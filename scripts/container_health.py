"""The container's health check: the web process answers, whatever the other parts do."""

import http.client
import os
import sys


def main() -> int:
    """Ask `/health` for the name of the site; 0 if the web process and its database answer."""
    name = (
        os.environ.get("MENACE_ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".*") or "localhost"
    )
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    try:
        connection.request("GET", "/health", headers={"Host": name})
        body = connection.getresponse().read()
    except OSError as error:
        print(error)
        return 1
    finally:
        connection.close()
    return 0 if b'"database": {"ok": true' in body else 1


if __name__ == "__main__":
    sys.exit(main())
