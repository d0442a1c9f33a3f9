"""Takes webhooks: believes only what is signed, fresh and calibrated, and prints it. A place to turn it into anything else."""

import hashlib
import hmac
import json
import os
import sys
import time
from collections import OrderedDict
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["LOOKAHEAD_WEBHOOK_SECRET"].encode()
seen = OrderedDict()


def is_signed(headers, body):
    timestamp = headers.get("X-Lookahead-Timestamp", "")
    # An old one may have been overheard and sent again.
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return False
    expected = hmac.new(SECRET, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(b"sha256=" + expected.encode(), headers.get("X-Lookahead-Signature", "").encode())


def judge(message):
    """What is stale or not calibrated is unknown: it never means that nothing will happen."""
    if "validUntil" not in message:
        return "told"
    until = datetime.fromisoformat(message["validUntil"].replace("Z", "+00:00"))
    if not datetime.now(timezone.utc) < until:
        return "unknown, it came too late"
    return "forecast" if message["calibrated"] is True else "unknown, not calibrated"


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # Of whoever says how long a body is and never sends it.

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        body = self.rfile.read(int(length)) if length.isdecimal() and int(length) < 1_000_000 else b""
        if not is_signed(self.headers, body):
            return self.answer(401)
        self.answer(204)
        if self.headers["X-Lookahead-Id"] in seen:
            return  # Our answer was lost, and it was sent again.
        seen[self.headers["X-Lookahead-Id"]] = None
        while len(seen) > 1000:
            seen.popitem(last=False)
        told = json.loads(body)
        print(f"{judge(told['message'])}: {told['text']}", flush=True)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
