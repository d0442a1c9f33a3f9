import {
  asyncScheduler,
  defer,
  EMPTY,
  ignoreElements,
  map,
  merge,
  NEVER,
  of,
  switchMap,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import type { Observable, ObservableInput } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  ForecastSchema,
  kindOf,
  type Forecast,
  type Message,
  type MessageKind,
} from '../src/messages.js';
import type { GateLimits } from '../src/operators/gate.js';
import { takeTurns } from '../src/operators/take-turns.js';
import { watchCamera } from '../src/pipeline.js';
import {
  defaultGate,
  defaultLimits,
  type PipelineConfig,
  type PipelineLimits,
} from '../src/pipeline-config.js';
import type {
  Clip,
  Explanation,
  Frame,
  Ports,
  PublishReceipt,
  Reasoning,
  Scene,
  Window,
} from '../src/types.js';
import {
  fakeConfig,
  fakeEvent,
  fakeExplanation,
  fakeFrame,
  fakePorts,
  fakeReasoning,
  recordReport,
  sceneOf,
} from './support/fakes.js';
import { marbles } from './support/marbles.js';

type OnlyFrames = Partial<Ports> & Pick<Ports, 'frames'>;

/** A camera in virtual time: a frame every 10 ms, so that clip n (two frames) is whole at 20 n + 10. */
function camera(frames = Infinity): Observable<Frame> {
  return timer(0, 10).pipe(
    take(frames),
    map(() => fakeFrame(asyncScheduler.now())),
  );
}

/** Watches a camera in virtual time until `untilMs`. */
function watch(
  change: OnlyFrames,
  untilMs: number,
  limits: Partial<PipelineLimits> = {},
  gate?: GateLimits,
  within?: PipelineConfig['within'],
) {
  const report = recordReport();
  const messages: Message[] = [];
  const told: string[] = [];
  marbles(({ flush }) => {
    const config = fakeConfig({ now: () => asyncScheduler.now() });
    const ports = fakePorts({ report, ...change });
    const watched$ = watchCamera(
      'gate',
      { ...config, gate, within, limits: { ...config.limits, ...limits } },
      ports,
    ).pipe(
      tap((message) => {
        messages.push(message);
        told.push(`${String(asyncScheduler.now())} ${describeMessage(message)}`);
      }),
    );
    const subscription = watched$.subscribe();
    asyncScheduler.schedule(() => subscription.unsubscribe(), untilMs);
    flush();
  })();
  return {
    report,
    messages,
    told,
    of: (kind: MessageKind) => messages.filter((message) => kindOf(message) === kind),
  };
}

function describeMessage(message: Message): string {
  switch (message.schema) {
    case 'lookahead.state.v1':
      return `state ${message.state}`;
    case 'lookahead.scene.v1':
      return `scene ${String(message.clip)}`;
    case 'lookahead.event.v1':
      return `event ${message.label}`;
    case 'lookahead.score.v1':
      return `score ${message.target}`;
    case 'lookahead.forecast.v1':
      return `${message.target === 'within' ? 'within' : 'forecast'} ${String(message.sequence)}${message.rev === 0 ? '' : `.${String(message.rev)}`}`;
    case 'lookahead.outcome.v1':
      return `outcome ${message.id.split('-').at(-1) ?? ''} ${message.verdict}`;
  }
}

const after = <T>(ms: number, value: T): Observable<T> => timer(ms).pipe(map(() => value));

describe('watchCamera', () => {
  it('tells state, scenes, events, forecasts and, once the horizon has passed, outcomes, in this order', () => {
    const perceive = (clip: Clip): Observable<Scene> => {
      const events = clip.index === 3 ? [fakeEvent(1, clip.fromMs + 5)] : [];
      return after(2, { ...sceneOf(clip), events });
    };
    const score = (): Observable<Reasoning> => after(3, fakeReasoning());
    const { told, report } = watch({ frames: () => camera(), perceive, score }, 118);
    expect(told).toEqual([
      '0 state connecting',
      '10 state online',
      '12 scene 0',
      '32 scene 1',
      '52 scene 2',
      '55 forecast 0', // The window of three scenes is whole; its end is at 50, its horizon at 90.
      '72 scene 3',
      '72 event van enters',
      '75 forecast 1',
      '92 scene 4',
      '92 outcome 0 hit',
      '95 forecast 2',
      '112 scene 5',
      '112 outcome 1 miss',
      '115 forecast 3',
    ]);
    expect(report.lines).toEqual(['connecting: Opening the camera.', 'online: Pictures arrive.']);
  });

  it('tells the chances first and why after them, as revision 1 of the same forecast', () => {
    const score = (): Observable<Reasoning> => after(3, fakeReasoning());
    const explain = (): Observable<Explanation> => after(9, fakeExplanation());
    const { told, of: kind } = watch({ frames: () => camera(), score, explain }, 68);
    expect(told.slice(2)).toEqual([
      '10 scene 0',
      '30 scene 1',
      '50 scene 2',
      '53 forecast 0',
      '62 forecast 0.1',
    ]);
    const [first, second] = kind('forecast') as Forecast[];
    expect(second).toMatchObject({
      ...first,
      rev: 1,
      events: [{ justification: 'because it slows down at the gate .' }, {}, {}],
      explanation: [{ text: 'the gate opens , because the van enters .' }],
      latencyMs: { explain: 30 },
      grounded: true,
    });
  });

  it('tells what may begin at all right after what begins first, judges both, and explains the first alone', () => {
    const score = (): Observable<Reasoning> => after(3, fakeReasoning());
    const explain = (): Observable<Explanation> => after(9, fakeExplanation());
    const ports = { frames: () => camera(), score, explain };
    const { told, of: kind } = watch(ports, 100, {}, undefined, { table: null });
    expect(told.slice(5).filter((line) => !line.includes('scene'))).toEqual([
      '53 forecast 0',
      '53 within 0',
      '62 forecast 0.1',
      '73 forecast 1',
      '73 within 1',
      '90 outcome 0 miss',
      '90 outcome within miss',
      '93 forecast 2',
      '93 within 2',
    ]);
    const [within] = kind('within') as Forecast[];
    expect(ForecastSchema.parse(within)).toEqual(within);
    const [next] = kind('forecast') as Forecast[];
    expect(within).toMatchObject({ id: `${String(next?.id)}-within`, target: 'within', rev: 0 });
  });

  it('an explanation delays no forecast: a newer one ends it, and it is counted', () => {
    const explain = (): Observable<Explanation> => after(25, fakeExplanation());
    const { told, report } = watch({ frames: () => camera(), explain }, 95);
    expect(told.filter((line) => line.includes('forecast'))).toEqual([
      '50 forecast 0',
      '70 forecast 1',
      '90 forecast 2',
    ]);
    expect(report.lines.filter((line) => line === 'explain dropped 1: newer')).toHaveLength(3);
  });

  it('explanations wait for every forecast that is being made, of other cameras too', () => {
    const turns = takeTurns();
    const begun: number[] = [];
    const explain = (): Observable<Explanation> =>
      defer(() => {
        begun.push(asyncScheduler.now());
        return of(fakeExplanation());
      });
    const other = timer(48).pipe(switchMap(() => turns.urgent(() => timer(9))));
    const frames = (): Observable<Frame> => merge(camera(), other.pipe(ignoreElements()));
    watch({ frames, explain, turns }, 68);
    expect(begun).toEqual([57]);
  });

  it('a failing explanation costs its prose and nothing else', () => {
    const explain = (): Observable<Explanation> => throwError(() => new Error('no words'));
    const { told, report } = watch({ frames: () => camera(), explain }, 75);
    expect(report.lines).toContain('explain failed: no words');
    expect(told).toContain('70 forecast 1');
    expect(told).not.toContain('50 forecast 0.1');
  });

  it('with a gate reasons at the clip at which something happens, carries in between, and judges all alike', () => {
    const perceive = (clip: Clip): Observable<Scene> => {
      const events = clip.index === 4 ? [fakeEvent(1, clip.fromMs + 5)] : [];
      return of({ ...sceneOf(clip), events });
    };
    const { of: kind } = watch({ frames: () => camera(), perceive }, 175, {}, defaultGate);
    const forecasts = kind('forecast') as Forecast[];
    expect(
      forecasts.map(({ window, basis }) => `${window.to.slice(-4, -1)} ${String(basis)}`),
    ).toEqual([
      '050 reasoned',
      '070 carried',
      '090 reasoned',
      '110 carried',
      '130 carried',
      '150 carried',
      '170 carried',
    ]);
    expect(kind('outcome')).toHaveLength(5);
  });

  it('without a cheap head, or when it fails, the gate lets every forecast be reasoned', () => {
    const failing = (): Observable<Reasoning> => throwError(() => new Error('no head'));
    for (const carry of [() => EMPTY, failing]) {
      const { of: kind } = watch({ frames: () => camera(), carry }, 95, {}, defaultGate);
      const bases = (kind('forecast') as Forecast[]).map(({ basis }) => basis);
      expect(bases).toEqual(['reasoned', 'reasoned', 'reasoned']);
    }
  });

  it('gives each forecast its own id, and an outcome that refers to it', () => {
    const { of: kind } = watch({ frames: () => camera(20) }, 300);
    const ids = kind('forecast').map((message) => 'id' in message && message.id);
    expect(ids.slice(0, 2)).toEqual(['yard-gate-7-0', 'yard-gate-7-1']);
    expect(new Set(ids).size).toBe(ids.length);
    expect(kind('outcome').map((message) => 'id' in message && message.id)).toEqual(ids);
  });

  it('a slow model sees the newest clip; the older ones are dropped and counted', () => {
    const perceive = (clip: Clip): Observable<Scene> => after(47, sceneOf(clip));
    const { told, report } = watch({ frames: () => camera(), perceive }, 165);
    expect(told.filter((line) => line.includes('scene'))).toEqual([
      '57 scene 0',
      '104 scene 2',
      '151 scene 4',
    ]);
    expect(report.lines.filter((line) => line === 'perceive dropped 1: newer')).toHaveLength(4);
  });

  it('a slow reasoner gets the newest window', () => {
    const windows: number[] = [];
    const score = (window: Window): Observable<Reasoning> => {
      windows.push(window.at(-1)?.clip ?? -1);
      return after(47, fakeReasoning());
    };
    const { report } = watch({ frames: () => camera(), score }, 165);
    expect(windows).toEqual([2, 4, 6]);
    expect(report.lines.filter((line) => line === 'reason dropped 1: newer')).toHaveLength(2);
  });

  it('one bad clip does not stop the camera, and the forecasts over it are undecidable', () => {
    const perceive = (clip: Clip): ObservableInput<Scene> => {
      if (clip.index === 4) throw new Error('broken clip');
      return of(sceneOf(clip));
    };
    const { told, report } = watch({ frames: () => camera(), perceive }, 135);
    expect(report.lines).toContain('perceive failed: broken clip');
    expect(report.lines).toContain('perceive dropped 1: failed');
    expect(told).toContain('110 scene 5');
    expect(told).toContain('110 outcome 0 undecidable');
  });

  it('a failing or nonsensical reasoner costs forecasts, not scenes', () => {
    const answers = [throwError(() => new Error('reasoner lost')), of(fakeReasoning([0.5, 0.5]))];
    const score = (): Observable<Reasoning> => answers.shift() ?? of(fakeReasoning());
    const { told, report } = watch({ frames: () => camera(), score }, 95);
    expect(report.lines.filter((line) => line.startsWith('reason failed'))).toEqual([
      'reason failed: reasoner lost',
      'reason failed: The reasoner gave 2 chances with sum 1 for 6 labels.',
    ]);
    expect(told.filter((line) => line.includes('forecast'))).toEqual(['90 forecast 0']);
    expect(told.filter((line) => line.includes('scene'))).toHaveLength(5);
  });

  it('a model that never answers frees the camera after its limit', () => {
    const perceive = (clip: Clip): ObservableInput<Scene> =>
      clip.index === 0 ? NEVER : of(sceneOf(clip));
    const { told, report } = watch({ frames: () => camera(), perceive }, 60, { perceiveMaxMs: 25 });
    expect(report.lines).toContain('perceive dropped 1: late');
    expect(told).toContain('35 scene 1');
  });

  it('comes back after 1 and 5 seconds, counts on, and no clip spans the gap', () => {
    const clips: Clip[] = [];
    const tries = [camera(3), throwError(() => new Error('no route')), camera(4), NEVER];
    const frames = (): Observable<Frame> => tries.shift() ?? NEVER;
    const perceive = (clip: Clip): Observable<Scene> => {
      clips.push(clip);
      return of(sceneOf(clip));
    };
    const { told, report } = watch({ frames, perceive }, 6_200);
    expect(
      clips.map(({ index, frames: [first, second] }) => [
        index,
        first?.capturedAtMs,
        second?.capturedAtMs,
      ]),
    ).toEqual([
      [0, 0, 10],
      [1, 6_020, 6_030],
      [2, 6_040, 6_050],
    ]);
    expect(told.filter((line) => line.includes('state'))).toEqual([
      '0 state connecting',
      '10 state online',
      '20 state offline',
      '1020 state connecting',
      '1020 state offline',
      '6020 state connecting',
      '6030 state online',
      '6050 state offline',
    ]);
    expect(report.lines).toContain('ingest dropped 1: gap');
    expect(report.lines).toContain('ingest failed: no route');
    expect(report.lines).toContain('offline: no route');
  });

  it('a camera that goes offline makes open forecasts undecidable at once', () => {
    const { told } = watch({ frames: () => camera(6) }, 500);
    expect(told.slice(-3)).toEqual([
      '50 forecast 0',
      '50 state offline',
      '50 outcome 0 undecidable',
    ]);
  });

  it('says when the picture is frozen or corrupt, and calls no forecast calibrated then', () => {
    const stuck = (shade: number | null) => () =>
      camera().pipe(map(({ capturedAtMs }) => fakeFrame(capturedAtMs, shade)));
    const frozen = watch({ frames: stuck(9) }, 120, { frozenAfterMs: 60 });
    expect(frozen.told).toContain('70 state frozen');
    const calibrated = frozen
      .of('forecast')
      .map((message) => 'quality' in message && [message.calibrated, message.quality]);
    expect(calibrated).toEqual([
      [true, 'good'],
      [false, 'corrupt'],
      [false, 'corrupt'],
      [false, 'corrupt'],
    ]);
    expect(watch({ frames: stuck(null) }, 20).told).toContain('10 state corrupt');
  });

  it('a stalled broker costs scenes first; the queue stays bounded and all is counted', () => {
    let isStalled = true;
    const published: string[] = [];
    const publish = (message: Message): Observable<PublishReceipt> =>
      defer(() => {
        published.push(describeMessage(message));
        return isStalled ? timer(300).pipe(map(() => ({ ackedAtMs: 0 }))) : of({ ackedAtMs: 0 });
      });
    const limits = { publishInFlightMax: 1, publishWaitingMax: 4 };
    const frames = (): Observable<Frame> =>
      camera(20).pipe(tap({ complete: () => (isStalled = false) }));
    const { report } = watch({ frames, publish }, 700, limits);
    const lost = report.lines.filter((line) => line === 'publish dropped 1: full').length;
    // 10 scenes, 8 forecasts, 8 outcomes and 3 states were made; one was in flight and the newest four of worth waited.
    expect(published.length + lost).toBe(29);
    expect(published).toHaveLength(5);
    expect(published.slice(1).some((line) => line.startsWith('scene'))).toBe(false);
  });

  it('a failing broker does not stop the camera', () => {
    const publish = (): Observable<PublishReceipt> => throwError(() => new Error('no broker'));
    const { messages, report } = watch({ frames: () => camera(), publish }, 100);
    expect(messages).toEqual([]);
    expect(
      report.lines.filter((line) => line === 'publish failed: no broker').length,
    ).toBeGreaterThan(5);
  });

  it(
    'holds nothing after the reader left',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const frames = cold<Frame>('ab----', { a: fakeFrame(0), b: fakeFrame(10) });
      const model = cold<Scene>(' -----');
      const ports = fakePorts({
        frames: () => frames,
        perceive: () => model,
        publish: () => NEVER,
      });
      expectObservable(watchCamera('gate', fakeConfig(), ports), '----!').toBe('-----');
      expectSubscriptions(frames.subscriptions).toBe('^---!');
      expectSubscriptions(model.subscriptions).toBe(' -^--!');
    }),
  );

  it(
    'a programming error ends it: a report that throws is a bug',
    marbles(({ cold, expectObservable }) => {
      const report = {
        ...recordReport(),
        clip: () => {
          throw new TypeError('bug');
        },
      };
      const frames = cold<Frame>('-ab', { a: fakeFrame(0), b: fakeFrame(10) });
      const kinds$ = watchCamera(
        'gate',
        fakeConfig(),
        fakePorts({ frames: () => frames, report }),
      ).pipe(map(kindOf));
      expectObservable(kinds$).toBe('s-#', { s: 'state' }, new TypeError('bug'));
    }),
  );

  it('takes promises, observables and iterables as ports', () => {
    expectTypeOf<Ports['frames']>().returns.toEqualTypeOf<ObservableInput<Frame>>();
    expectTypeOf<(clip: Clip) => Promise<Scene>>().toExtend<Ports['perceive']>();
    expectTypeOf<(clip: Clip) => Observable<Scene>>().toExtend<Ports['perceive']>();
    expectTypeOf<(window: Window) => Promise<Reasoning>>().toExtend<Ports['score']>();
    expectTypeOf<(message: Message) => Promise<PublishReceipt>>().toExtend<Ports['publish']>();
    expectTypeOf(watchCamera).returns.toEqualTypeOf<Observable<Message>>();
  });

  it('joins frames over less than what a lost clip of the yard leaves', () => {
    expect(defaultLimits.frameGapMaxMs).toBeLessThan(1_125);
  });
});
