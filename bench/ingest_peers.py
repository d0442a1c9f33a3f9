"""The readers that `bench/ingest.ts` compares ingest with: `ingest_peers.py MODE URL`.

Each keeps eight frames a second as letterboxed 160 x 96 RGB, and writes [number, arrival in ms] of each when its stdin ends.
"""

import json
import os
import sys
import threading
import time

import numpy as np

WIDTH, HEIGHT, RATE = 160, 96, 8
arrivals: list[tuple[int, float]] = []


class Grid:
    """Which frames are kept: the same grid of arrival times as the engine's."""

    def __init__(self) -> None:
        self.next_s: float | None = None

    def wants(self, now_s: float) -> bool:
        interval_s = 1 / RATE
        if self.next_s is not None and now_s < self.next_s - interval_s / 2:
            return False
        slot_s = now_s if self.next_s is None else max(self.next_s, now_s - interval_s)
        self.next_s = slot_s + interval_s
        return True


def keep(rgb: np.ndarray) -> None:
    """`rgb`: the picture scaled to 160 x 90."""
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[3:93] = rgb
    number = 0
    for bar in range(8):
        number = number * 2 + int(frame[8, bar * 20 + 10, 0] > 127)
    arrivals.append((number, time.time() * 1000))


def cv2_frames(url: str, read_all: bool) -> None:
    import cv2

    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    grid = Grid()
    while True:
        if read_all:
            ok, frame = capture.read()
            wanted = ok and grid.wants(time.time())
        else:
            ok = capture.grab()
            wanted = ok and grid.wants(time.time())
            if wanted:
                ok, frame = capture.retrieve()
        if not ok:
            sys.exit("the stream has ended")
        if wanted:
            keep(cv2.cvtColor(cv2.resize(frame, (WIDTH, 90)), cv2.COLOR_BGR2RGB))


def pyav_frames(url: str) -> None:
    import av

    options = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay"}
    container = av.open(url, options=options)
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    grid = Grid()
    for frame in container.decode(stream):
        if grid.wants(time.time()):
            small = frame.reformat(
                width=WIDTH, height=90, format="rgb24", interpolation="FAST_BILINEAR"
            )
            keep(small.to_ndarray())


def main() -> None:
    mode, url = sys.argv[1:]
    if mode == "pyav":
        target, args = pyav_frames, (url,)
    else:
        target, args = cv2_frames, (url, mode == "cv2-read")
    threading.Thread(target=target, args=args, daemon=True).start()
    sys.stdin.read()
    print(json.dumps(arrivals), flush=True)
    # The reading thread is inside a decoder; an orderly end would make it abort.
    os._exit(0)


main()
