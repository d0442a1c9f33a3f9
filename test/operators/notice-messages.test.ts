import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { WebhookSchema, type Message, type Notice } from '../../src/messages.js';
import { noticeMessages, type NoticeRule } from '../../src/operators/notice-messages.js';
import { marbles } from '../support/marbles.js';
import { event, forecast, outcome, scene, state } from '../support/messages.js';
import { drawing, drawnOutcome } from '../support/outcomes.js';

const rule: NoticeRule = {
  kinds: ['forecast'],
  cameras: null,
  labels: null,
  target: 'next',
  confidenceMin: 0.5,
  calibratedOnly: true,
  cooldownS: 0.006,
  waitForReasonMs: 0,
};

/** `forecast van enters 0.62` */
const shown = ({ kind, camera, label, confidence }: Notice): string =>
  [kind, camera, label, confidence].filter((part) => part !== null).join(' ');

/** The same events with other chances. */
function chances(sequence: number, van: number, gate: number): Message {
  const { events } = forecast(sequence);
  const [first, second, third] = events as [
    (typeof events)[0],
    (typeof events)[0],
    (typeof events)[0],
  ];
  const pair = [
    { ...first, confidence: van },
    { ...second, confidence: gate },
  ];
  pair.sort((one, other) => other.confidence - one.confidence);
  return forecast(sequence, { events: [...pair, third] });
}

const reasoned = (sequence: number): Message => forecast(sequence, { rev: 1 });
const unreasoned = (sequence: number): Message => {
  const whole = forecast(sequence);
  return { ...whole, events: whole.events.map((one) => ({ ...one, justification: '' })) };
};

/** All that comes of messages that come at once. */
function noticesOf(messages: readonly Message[], changes: Partial<NoticeRule>): Notice[] {
  const notices: Notice[] = [];
  marbles(({ cold, flush }) => {
    const values = Object.fromEntries(messages.map((message, index) => [String(index), message]));
    cold(`(${Object.keys(values).join('')})`, values)
      .pipe(noticeMessages({ ...rule, ...changes }))
      .subscribe((notice) => void notices.push(notice));
    flush();
  })();
  return notices;
}

const labelsOf = (messages: readonly Message[], changes: Partial<NoticeRule>): string[] =>
  noticesOf(messages, changes).map(shown);

describe('the cooldown', () => {
  it(
    'begins with a notice, is of one label, and another label is told meanwhile',
    marbles(({ cold, expectObservable }) => {
      const message$ = cold('-aaba--a--', { a: chances(1, 0.6, 0.2), b: chances(2, 0.7, 0.55) });
      const expected = '     -x-y---x--';
      expectObservable(message$.pipe(noticeMessages(rule), map(shown))).toBe(expected, {
        x: 'forecast gate van enters 0.6',
        y: 'forecast gate gate opens 0.55',
      });
    }),
  );

  it(
    'is of one camera and one kind',
    marbles(({ cold, expectObservable }) => {
      const message$ = cold('-abc-abc', {
        a: forecast(1),
        b: forecast(1, { camera: 'yard' }),
        c: event(1),
      });
      const notice$ = message$.pipe(noticeMessages({ ...rule, kinds: ['forecast', 'event'] }));
      expectObservable(notice$.pipe(map(shown))).toBe('-xyz', {
        x: 'forecast gate van enters 0.62',
        y: 'forecast yard van enters 0.62',
        z: 'event gate van enters 0.97',
      });
    }),
  );

  it('silences nothing for longer when the clock is set back', () => {
    marbles(({ cold, expectObservable }) => {
      let nowMs = 1_000_000;
      const clock = {
        now: () => nowMs,
        schedule: () => {
          throw new Error('no timer is needed');
        },
      };
      const back$ = cold('-a-a', { a: forecast(1) }).pipe(
        map((message) => {
          nowMs -= 1_000;
          return message;
        }),
        noticeMessages(rule, clock),
        map(({ label }) => label),
      );
      expectObservable(back$).toBe('-x-x', { x: 'van enters' });
    })();
  });
});

describe('a state', () => {
  it(
    'that changes during the cooldown is told when that is over, unless it is as it was told',
    marbles(({ cold, expectObservable }) => {
      const of = { f: state({ state: 'offline' }), o: state(), c: state({ state: 'connecting' }) };
      const message$ = cold('-fco------fof------', of);
      const expected = '     -f---o----f--------';
      const notice$ = message$.pipe(
        noticeMessages({ ...rule, kinds: ['state'], cooldownS: 0.004 }),
      );
      expectObservable(notice$.pipe(map(({ label }) => label))).toBe(expected, {
        f: 'offline',
        o: 'online',
      });
    }),
  );

  it('is of one camera, and passes whatever labels are wanted', () => {
    const states = [state({ state: 'frozen', why: 'still' }), state({ camera: 'yard' })];
    const notices = noticesOf(states, { kinds: ['state'], labels: ['van enters'] });
    expect(notices.map(({ text }) => text)).toEqual([
      'gate: frozen: still',
      'yard: online: pictures arrive',
    ]);
  });
});

describe('reasons', () => {
  it(
    'are waited for, but no longer than allowed and not beyond the end',
    marbles(({ cold, expectObservable }) => {
      const message$ = cold('-a--A--b---B--c-|', {
        a: unreasoned(1),
        A: reasoned(1),
        b: unreasoned(2),
        B: reasoned(2),
        c: unreasoned(3),
      });
      const expected = '     ----A-----b-----(c|)';
      const waiting = { ...rule, cooldownS: 0, waitForReasonMs: 3 };
      const text = ({ text, message }: Notice): string =>
        `${(message as { id: string }).id} ${text}`;
      expectObservable(message$.pipe(noticeMessages(waiting), map(text))).toBe(expected, {
        A: 'test-gate-1-1 gate: van enters next within 4 s: 62 %. It is close and moves towards the gate.',
        b: 'test-gate-1-2 gate: van enters next within 4 s: 62 %.',
        c: 'test-gate-1-3 gate: van enters next within 4 s: 62 %.',
      });
    }),
  );

  it(
    'are not waited for where none are worked out, and revisions are no forecasts of their own',
    marbles(({ cold, expectObservable }) => {
      const message$ = cold('-a-B-', { a: forecast(1, { basis: 'carried' }), B: reasoned(2) });
      const notice$ = message$.pipe(noticeMessages({ ...rule, cooldownS: 0, waitForReasonMs: 3 }));
      expectObservable(notice$.pipe(map(({ label }) => label))).toBe('-x', { x: 'van enters' });
    }),
  );

  it('go on with the sentence where they begin with a small letter, and with the rest of it', () => {
    const events = forecast(1).events.map((one) => ({
      ...one,
      justification: 'because it is near .',
    }));
    const [notice] = noticesOf([forecast(1, { events, calibrated: false })], {
      calibratedOnly: false,
    });
    expect(notice?.text).toBe(
      'gate: van enters next within 4 s: 62 %, because it is near. Not calibrated.',
    );
  });

  it('that could not be verified are called so', () => {
    const { events } = forecast(1);
    const doubtful = events.map((one) => ({ ...one, justificationVerified: false }));
    const [notice] = noticesOf([forecast(1, { events: doubtful })], {});
    expect(notice?.text).toMatch(/towards the gate \(unverified\)\.$/);
  });
});

describe('which messages are told', () => {
  const within = forecast(1, {
    target: 'within',
    chances: { 'van enters': 0.62, 'gate opens': 0.8, 'person falls': 0.3 },
  });

  it.each<[string, Message, Partial<NoticeRule>, string[]]>([
    ['a likely forecast', forecast(1), {}, ['forecast gate van enters 0.62']],
    ['not an unlikely one', forecast(1), { confidenceMin: 0.63 }, []],
    [
      'a wanted label',
      forecast(1),
      { labels: ['gate opens'], confidenceMin: 0.2 },
      ['forecast gate gate opens 0.21'],
    ],
    ['not where the wanted label is unlikely', forecast(1), { labels: ['gate opens'] }, []],
    ['a wanted camera', forecast(1), { cameras: ['gate'] }, ['forecast gate van enters 0.62']],
    ['no other camera', forecast(1), { cameras: ['yard'] }, []],
    ['nothing uncalibrated', forecast(1, { calibrated: false }), {}, []],
    [
      'unless it is wanted',
      forecast(1, { calibrated: false }),
      { calibratedOnly: false },
      ['forecast gate van enters 0.62'],
    ],
    ['only the wanted target', within, {}, []],
    [
      'within: every label has a chance',
      within,
      { target: 'within', labels: ['person falls'], confidenceMin: 0.25 },
      ['forecast gate person falls 0.3'],
    ],
    [
      'within: the most likely first',
      within,
      { target: 'within' },
      ['forecast gate gate opens 0.8'],
    ],
    ['no kind that is not wanted', event(1), {}, []],
    ['an event', event(1), { kinds: ['event'] }, ['event gate van enters 0.97']],
    ['not a doubtful event', event(1, { probability: 0.4 }), { kinds: ['event'] }, []],
    ['never a scene', scene(1), { kinds: ['forecast', 'outcome', 'event', 'state', 'score'] }, []],
    ['no outcome of which nothing is known', outcome(1), { kinds: ['outcome'] }, []],
  ])('%s', (_, message, changes, expected) => {
    expect(labelsOf([message], changes)).toEqual(expected);
  });
});

describe('an outcome', () => {
  const answers = { events: forecast(1).events, somethingElse: 0.06, nothing: 0.09 };
  const textOf = (changes: Parameters<typeof outcome>[1]): string | undefined =>
    noticesOf([outcome(1, { answers, ...changes })], { kinds: ['outcome'] })[0]?.text;

  it.each([
    [{}, 'gate: van enters came after 2.3 s; 62 % had been given.'],
    [
      { observed: 'nothing', verdict: 'miss' },
      'gate: van enters did not come, nothing began; 62 % had been given.',
    ],
    [
      { observed: 'dog leaves', verdict: 'miss' },
      'gate: van enters did not come, dog leaves came; 62 % had been given.',
    ],
    [
      { observed: null, verdict: 'undecidable', because: 'gap' },
      'gate: whether van enters came cannot be told (gap); 62 % had been given.',
    ],
  ] as const)('%j is told in words', (changes, text) => {
    expect(textOf(changes)).toBe(text);
  });

  it('is told of each forecast that was told, and of no other', () => {
    const changes: Partial<NoticeRule> = { kinds: ['forecast', 'outcome'], cooldownS: 60 };
    const messages = [
      forecast(1),
      forecast(2),
      outcome(2, { answers }),
      outcome(1, { answers }),
      outcome(1, { answers }),
    ];
    expect(
      noticesOf(messages, changes).map(({ message }) => 'id' in message && message.id),
    ).toEqual(['test-gate-1-1', 'test-gate-1-1']);
    expect(labelsOf([forecast(1), outcome(1, { answers })], { kinds: ['forecast'] }).length).toBe(
      1,
    );
  });
});

it('every notice is of the schema', () => {
  const drawn = drawnOutcome(drawing(1), Date.UTC(2026, 10, 22, 9));
  const messages = [forecast(1), event(1), state(), drawn];
  const all = noticesOf(messages, {
    kinds: ['forecast', 'outcome', 'event', 'state', 'score'],
    confidenceMin: 0,
  });
  expect(all.length).toBeGreaterThan(2);
  for (const notice of all) expect(WebhookSchema.parse(notice)).toEqual(notice);
});
