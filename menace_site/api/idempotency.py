"""`Idempotency-Key`: a POST that a program repeats has its effect once and gets the same answer again.

The effect and the kept answer are one transaction: a process that dies in between leaves neither, so the
repeat does the work; one that died later left both, so the repeat gets the answer.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from engines.domain.errors import InvalidInput
from menace_site.api.authentication import user_of
from menace_site.api.problems import Contradiction, Unprocessable
from menace_site.api.rendering import FiniteJSON
from menace_site.models import IdempotencyKey

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
MAX_KEY = 100
Handler = Callable[..., Response]


def key_of(request: Request) -> str | None:
    """Return the request's key, or None; InvalidInput when it is malformed."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not key or len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise InvalidInput(f"1 to {MAX_KEY} printable ASCII characters", field=HEADER)
    return key


def once(handler: Handler, request: Request, key: str, *args: Any, **kwargs: Any) -> Response:
    """Run the handler, or return what it answered to the same request before.

    Raises:
        Contradiction: a request with this key is running right now.
        Unprocessable: the key was used for another request.
    """
    mark = _fingerprint(request)
    with transaction.atomic():
        if not _lock(user_of(request).pk, key):
            raise Contradiction(
                "a request with this Idempotency-Key is running; try again", code="in_progress"
            )
        kept = IdempotencyKey.objects.filter(user=user_of(request), key=key).first()
        if kept is not None and kept.at > timezone.now() - KEPT:
            return _replay(kept, mark)
        response = handler(request, *args, **kwargs)
        _keep(request, key, mark, response)
    return response


def _fingerprint(request: Request) -> str:
    said = json.dumps([request.method, request.path, request.data], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _lock(user_id: int, key: str) -> bool:
    """Take the lock of this key until the transaction ends; False when another request holds it."""
    number = int.from_bytes(hashlib.sha256(f"{user_id}:{key}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        row = cursor.fetchone()
    return bool(row and row[0])


def _replay(kept: IdempotencyKey, mark: str) -> Response:
    if kept.fingerprint != mark:
        raise Unprocessable(
            "this Idempotency-Key was used for another request; take a new one", code="key_reused"
        )
    return Response(kept.body, kept.status, headers={REPLAYED: "true"})


def _keep(request: Request, key: str, mark: str, response: Response) -> None:
    """Keep the answer for a day. What an answer shows only once is left out (`response.secret_fields`)."""
    body = json.loads(FiniteJSON().render(response.data) or "null")
    for name in getattr(response, "secret_fields", ()):
        body[name] = None
    mine = IdempotencyKey.objects.filter(user=user_of(request))
    mine.filter(at__lte=timezone.now() - KEPT).delete()
    mine.create(user=user_of(request), key=key, fingerprint=mark, status=response.status_code, body=body)
