"""What a robot does with forecasts: act on fresh, calibrated ones; call everything else unknown, never clear."""

import asyncio
import json
import sys
import time
from datetime import datetime, timezone

import nats

DEFAULTS = ["nats://127.0.0.1:4222", "home", "yard-1"]
server, site, camera = sys.argv[1:4] + DEFAULTS[len(sys.argv) - 1 :]
seen = {"forecast": None, "heartbeat": None, "heard_at": -float("inf")}


def judge():
    """The comparisons are written so that a missing or broken value is unknown or caution."""
    if not time.monotonic() - seen["heard_at"] < 3:
        return "unknown", "no heartbeat"
    state = seen["heartbeat"]["cameras"].get(camera, "not watched")
    if state != "online":
        return "unknown", f"the camera is {state}"
    forecast = seen["forecast"]
    if forecast is None:
        return "unknown", "no forecast yet"
    if not datetime.now(timezone.utc) < datetime.fromisoformat(forecast["validUntil"].replace("Z", "+00:00")):
        return "unknown", "the forecast is stale"
    if not forecast["calibrated"]:
        return "unknown", "the forecast is not calibrated"
    if forecast["quality"] == "corrupt":
        return "unknown", "the picture is corrupt"
    likely = ", ".join(f"{e['label']} {e['confidence']:.0%}" for e in forecast["events"])
    return ("clear" if forecast["nothing"] >= 0.5 else "caution"), likely


async def main():
    async def on_forecast(message):
        seen["forecast"] = json.loads(message.data)

    async def on_heartbeat(message):
        seen["heartbeat"] = json.loads(message.data)
        seen["heard_at"] = time.monotonic()

    # For ever: a broker that is away is no reason to end, only a reason not to know.
    nc = await nats.connect(server, max_reconnect_attempts=-1, ping_interval=1, max_outstanding_pings=2)
    await nc.subscribe(f"lookahead.v1.{site}.{camera}.forecast", cb=on_forecast)
    await nc.subscribe(f"lookahead.v1.{site}.heartbeat", cb=on_heartbeat)
    last = None
    while True:
        action, why = judge()
        if action != last:
            print(f"{datetime.now(timezone.utc).isoformat()} {action}: {why}", flush=True)
        last = action
        await asyncio.sleep(0.1)


asyncio.run(main())
