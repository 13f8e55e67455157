"""A small Glasswren client in one file, for scripts that post or read readings.

It needs nothing outside the standard library. Make a token with the scopes you need,
put it into WREN_TOKEN, and:

    client = Wren("https://wren.example.com:7420")
    client.post_readings([Row("TH20-7F3A", "temperature", 21.4, now())])
    for row in client.query("TH20-7F3A", "2025-07-01", "2025-07-02", step="1h"):
        print(row["at"], row["value"])
"""

import dataclasses
import datetime
import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

BATCH_ROWS = 2500  # well below the server's max_batch_rows, so that E1043 never happens
PATIENCE = 4


class WrenError(Exception):
    """A refusal by the core, with its code such as E1034."""

    def __init__(self, code, message, status):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status


@dataclasses.dataclass(frozen=True)
class Row:
    """One reading: sensor, quantity, value and the moment it was measured (ISO 8601, UTC)."""

    sensor: str
    quantity: str
    value: float
    at: str


def now():
    """The present moment in the form the API expects."""
    moment = datetime.datetime.now(datetime.timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


class Wren:
    """A connection to one core."""

    def __init__(self, base, token=None, timeout=10.0):
        self.base = base.rstrip("/") + "/api/v2"
        self.token = token or os.environ["WREN_TOKEN"]
        self.timeout = timeout

    def post_readings(self, rows):
        """Send rows in pieces of BATCH_ROWS and return the rows that were refused.

        Each piece carries its own Idempotency-Key, so that repeating it after a lost
        connection stores nothing twice.
        """
        rejected = []
        for start in range(0, len(rows), BATCH_ROWS):
            piece = [dataclasses.asdict(row) for row in rows[start : start + BATCH_ROWS]]
            answer = self._call("POST", "/readings", {"rows": piece}, {"Idempotency-Key": uuid.uuid4().hex})
            rejected.extend(answer.get("rejected", []))
        return rejected

    def query(self, sensor, start, end, step="raw"):
        """Yield the readings of one sensor from start up to, but not including, end."""
        parameters = {"sensor": sensor, "from": start, "to": end, "step": step}
        answer = self._call("GET", "/readings/query?" + urllib.parse.urlencode(parameters))
        yield from answer["rows"]

    def open_vent(self, actuator, percent, hold_min=30):
        """Ask an actuator to open; return the command identifier (scope: control)."""
        body = {"action": "open", "percent": percent, "hold_min": hold_min}
        return self._call("POST", f"/actuators/{actuator}/command", body)["command_id"]

    def _call(self, method, path, body=None, headers=None):
        """Make one request. On 429 it sleeps as told by Retry-After, up to PATIENCE times."""
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        for attempt in range(PATIENCE + 1):
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code == 429 and attempt < PATIENCE:
                    time.sleep(float(error.headers.get("Retry-After", "1")))
                    continue
                problem = json.load(error)["error"]
                raise WrenError(problem["code"], problem["message"], error.code) from None


def signature_is_genuine(header, body, secret, tolerance_s=300):
    """Check the X-Wren-Signature header of a webhook call against its raw body."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    if abs(time.time() - int(parts["t"])) > tolerance_s:
        return False
    message = parts["t"].encode() + b"." + body
    expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])
