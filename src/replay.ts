/** Recordings through the very code that watches live cameras, so that every bug of a live camera can be made again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defer, EMPTY, finalize, map, of, type Observable, type ObservableInput } from 'rxjs';
import type { Message } from './messages.js';
import { watchCamera } from './pipeline.js';
import type { PipelineConfig } from './pipeline-config.js';
import type { Frame, Ports, Report } from './types.js';

export interface ReplayPorts {
  readonly perceive: Ports['perceive'];
  readonly score: Ports['score'];
  /** Without it there is no cheap head. */
  readonly carry?: Ports['carry'] | undefined;
  /** Without it nothing is explained. */
  readonly explain?: Ports['explain'] | undefined;
  /** Where messages go; without it they are only emitted. */
  readonly publish?: Ports['publish'];
  readonly report?: Report;
}

export interface ReplayOptions {
  /** 1: as fast as it was recorded, 2: twice as fast. Default: as fast as the models can. */
  readonly speed?: number;
}

/**
 * Runs one recording to its end and completes. No clip is dropped, however slow the models are: the next frame is taken
 * only when nothing of the frames before is still in work. All times are the recording's and durations are left out,
 * so that two runs give equal messages. Errors only on programming errors and when the recording cannot be read.
 */
export function replayRecording(
  camera: string,
  frames: AsyncIterable<Frame>,
  config: Omit<PipelineConfig, 'now' | 'random' | 'clock'>,
  ports: ReplayPorts,
  { speed = Infinity }: ReplayOptions = {},
): Observable<Message> {
  return defer(() => {
    const work = createWorkCounter();
    let recordingMs = 0;

    async function* onDemand(): AsyncGenerator<Frame> {
      const startedAtMs = performance.now();
      let firstMs: number | undefined;
      for await (const frame of frames) {
        firstMs ??= frame.capturedAtMs;
        const dueInMs = (frame.capturedAtMs - firstMs) / speed - (performance.now() - startedAtMs);
        if (dueInMs > 0) await sleep(dueInMs);
        recordingMs = frame.capturedAtMs;
        yield frame;
        await work.done();
      }
    }

    const { perceive, score, carry, explain, publish, report = silentReport } = ports;
    const replayPorts: Ports = {
      frames: onDemand,
      perceive: (clip) => work.counted(perceive(clip)).pipe(map(withoutDurations)),
      score: (window) => work.counted(score(window)).pipe(map(withoutDurations)),
      carry: (window) => (carry ? work.counted(carry(window)).pipe(map(withoutDurations)) : EMPTY),
      explain: (window, reasoning) =>
        explain ? work.counted(explain(window, reasoning)).pipe(map(withoutDurations)) : EMPTY,
      publish: (message) =>
        publish ? work.counted(publish(message)) : of({ ackedAtMs: recordingMs }),
      report,
    };
    const replayConfig: PipelineConfig = {
      ...config,
      clock: 'recording',
      now: () => recordingMs,
      random: () => 0.5,
      limits: {
        ...config.limits,
        reconnectPausesMs: [],
        perceiveMaxMs: Infinity,
        reasonMaxMs: Infinity,
        publishMaxMs: Infinity,
        // One at a time, so that messages keep their order whatever each takes.
        publishInFlightMax: 1,
      },
    };
    return watchCamera(camera, replayConfig, replayPorts).pipe(finalize(work.stop));
  });
}

/**
 * Counts calls of ports that run. A stage hands its value on before its call counts as ended, so that the count is 0 only
 * when the last stage is through.
 */
function createWorkCounter(): {
  counted: <T>(call: ObservableInput<T>) => Observable<T>;
  done: () => Promise<void>;
  stop: () => void;
} {
  let running = 0;
  let wake: (() => void) | undefined;
  const wakeUp = (): void => {
    wake?.();
    wake = undefined;
  };
  return {
    counted: (call) =>
      defer(() => {
        running += 1;
        return call;
      }).pipe(
        finalize(() => {
          running -= 1;
          if (running === 0) wakeUp();
        }),
      ),
    done: () =>
      running === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            wake = resolve;
          }),
    // Who unsubscribes in mid-work must not leave the recording open.
    stop: wakeUp,
  };
}

/** How long a stage took differs from run to run. */
function withoutDurations<T extends { readonly stagesMs: Readonly<Record<string, number>> }>(
  value: T,
): T {
  return { ...value, stagesMs: {} };
}

/** For whoever counts nothing. */
export const silentReport: Report = {
  frame: () => undefined,
  clip: () => undefined,
  scene: () => undefined,
  window: () => undefined,
  decided: () => undefined,
  dropped: () => undefined,
  failed: () => undefined,
  state: () => undefined,
};
