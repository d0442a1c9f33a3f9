import { beforeAll, describe as suite, expect, it, vi } from 'vitest';
import { openScene } from '../../src/yard/data/splits.js';
import { simulateFutures } from '../../src/yard/truth/futures.js';
import { look } from '../../src/yard/truth/look.js';
import { yardLabels } from '../../src/yard/world/labels.js';
import type { LabelText, YardClass } from '../../src/yard/world/labels.js';
import { RandomStream } from '../../src/yard/world/random.js';
import { specialRules } from '../../src/yard/world/special-rules.js';
import { ticksPerSecond } from '../../src/yard/world/things.js';
import type { YardEvent } from '../../src/yard/world/things.js';
import type { World } from '../../src/yard/world/world.js';
import { texts } from '../../src/yard/text/corpus.js';
import { comeIntoView, eventSentence, predicates } from '../../src/yard/text/events.js';
import { chain, explanation } from '../../src/yard/text/explanation.js';
import { Cast, Names } from '../../src/yard/text/names.js';
import { Past } from '../../src/yard/text/past.js';
import { probe } from '../../src/yard/text/probes.js';
import { whatIf, whyDid } from '../../src/yard/text/questions.js';
import { reason, withoutReason } from '../../src/yard/text/reasons.js';
import { rulesInWords } from '../../src/yard/text/rule-texts.js';
import { specialInWords, specialRuleText } from '../../src/yard/text/special.js';
import { caption, describe } from '../../src/yard/text/states.js';
import { causalExplanation, prediction } from '../../src/yard/text/tasks.js';
import { conjugate } from '../../src/yard/text/verbs.js';
import { Witness } from '../../src/yard/text/witness.js';
import { sentence } from '../../src/yard/text/words.js';

// Thousands of simulated minutes: how long they take says nothing, least of all on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

interface Moment {
  readonly world: World;
  readonly witness: Witness;
  readonly random: RandomStream;
}

/** Calls back at the end of each of some seconds of some scenes. */
function watch(scenes: number, seconds: number, at: (moment: Moment) => void): void {
  for (let index = 0; index < scenes; index++) {
    const world = openScene('train', 7, index);
    const moment = { world, witness: new Witness(), random: new RandomStream(index, 'text test') };
    for (let tick = 1; tick <= seconds * ticksPerSecond; tick++) {
      world.step();
      if (tick % 4 === 0) moment.witness.note(world);
      if (tick % ticksPerSecond === 0) at(moment);
    }
  }
}

const indexOf = (text: LabelText): number => yardLabels.findIndex((label) => label.text === text);

/** Sentences that end with ' .' or ' ?', of words, numbers and commas, one space apart. */
const form =
  /^(?:(?:[a-z]+|[01](?:\.\d+)?)(?: (?:[a-z]+|[01](?:\.\d+)?|,))* [.?])(?: (?:[a-z]+|[01](?:\.\d+)?)(?: (?:[a-z]+|[01](?:\.\d+)?|,))* [.?])*$/;

/** A list of its own, so that the test does not believe the code. */
const wordsOf: Readonly<Record<string, readonly YardClass[]>> = {
  person: ['person'],
  driver: ['person'],
  owner: ['person'],
  child: ['child'],
  car: ['car'],
  van: ['van'],
  forklift: ['forklift'],
  bicycle: ['bicycle'],
  dog: ['dog'],
  ball: ['ball'],
  pallet: ['pallet'],
  stack: ['stack'],
  gate: ['gate'],
  door: ['door'],
  dock: ['dock'],
  light: ['light'],
};

function unseenIn(text: string, world: World): string[] {
  const seen = new Set(look(world).map((thing) => thing.class));
  const words = text.replaceAll('brown parcel van', 'van').split(' ');
  const parcel = words.includes('parcel') && !seen.has('parcel') ? ['parcel'] : [];
  return [
    ...parcel,
    ...words.filter((word) => (wordsOf[word] ?? []).some((kind) => !seen.has(kind))),
  ];
}

suite('events', () => {
  it('are told in three wordings or more, each from a verb that is known', () => {
    const events = yardLabels.filter(({ text }) => text !== 'nothing');
    expect(Object.keys(predicates).sort()).toEqual(events.map(({ text }) => text).sort());
    for (const phrases of Object.values(predicates)) {
      expect(new Set(phrases).size).toBeGreaterThanOrEqual(3);
      for (const phrase of phrases) expect(phrase).toMatch(/^[a-z]+(?: (?:[a-z]+|\{it\}))*$/);
    }
  });

  it('name their actors by what is drawn of them, first with «a» and then with «the»', () => {
    const world = openScene('train', 7, 0);
    const van = { ...vanOf(world), id: 900, livery: 'known' as const };
    world.vehicles = [van, { ...van, id: 901 }, { ...van, id: 902, livery: 'parcel' }];
    const names = new Names(new Cast().note(world));
    expect([900, 901, 902, 900, 901].map((id) => names.of(id))).toEqual([
      'a van with a yellow stripe',
      'another van with a yellow stripe',
      'a brown parcel van',
      'the van with a yellow stripe',
      'the other van with a yellow stripe',
    ]);
    const event = { ...{ id: 1, tick: 1, actor: 902, target: 2 }, because: [] };
    const told = eventSentence(
      { ...event, label: indexOf('van stops at door') },
      names,
      new RandomStream(1, 'text test'),
    );
    expect(told).toMatch(
      /^the brown parcel van (?:stops|comes to a stop) (?:at|near) the door \.$/,
    );
  });

  it('are conjugated', () => {
    expect(conjugate('come to a stop', 'participle')).toBe('come to a stop');
    expect(conjugate('cross the road', 'present')).toBe('crosses the road');
    expect(conjugate('drive in', 'past')).toBe('drove in');
    expect(conjugate('close', 'past')).toBe('closed');
  });
});

/** Any van, from a scene that has one. */
function vanOf(world: World): World['vehicles'][number] {
  while (!world.vehicles.some((thing) => thing.kind === 'van')) world.step();
  return world.vehicles.find((thing) => thing.kind === 'van')!;
}

suite('captions and descriptions', () => {
  it('name only classes that can be seen now', () => {
    watch(8, 30, ({ world, random }) => {
      const text = caption(world, random);
      expect(unseenIn(text, world), text).toEqual([]);
    });
  });

  it('tell events that showed in the last eight seconds, in order, then what is now', () => {
    let told = 0;
    watch(8, 30, ({ world, witness, random }) => {
      const recent = witness.recent(world);
      expect(recent.map(({ id }) => id)).toEqual(recent.map(({ id }) => id).sort((a, b) => a - b));
      for (const event of recent) expect(world.tick - event.tick).toBeLessThan(8 * ticksPerSecond);
      const sentences = describe(world, witness, random).split(/(?<= \.) /);
      const events = recent.slice(-6);
      expect(sentences.length).toBeGreaterThan(events.length);
      events.forEach((event, at) => {
        const verbs = predicates[yardLabels[event.label]!.text as keyof typeof predicates].map(
          (phrase) => conjugate(phrase, 'present').split(' ')[0]!,
        );
        expect(verbs.some((verb) => sentences[at]?.split(' ').includes(verb))).toBe(true);
        told++;
      });
    });
    expect(told).toBeGreaterThan(200);
  });

  it('leave out what a van hides', () => {
    const world = openScene('train', 7, 1);
    const witness = new Witness();
    world.events = [
      {
        ...{ id: 1e6, tick: world.tick, label: indexOf('stack falls') },
        actor: 5,
        target: null,
        because: [],
      },
    ];
    witness.note(world, []);
    expect(witness.recent(world)).toEqual([]);
    witness.note(world, [{ id: 5, class: 'stack', box: [0, 0, 1, 1], visible: 1, attributes: {} }]);
    expect(witness.recent(world)).toHaveLength(1);
  });
});

suite('reasons', () => {
  it('are found for what occurs in futures, and name nothing that is out of view', () => {
    const found = new Map<number, { all: number; without: number }>();
    watch(16, 40, ({ world, random }) => {
      const { next } = simulateFutures(world, {
        ...{ count: 4, seed: world.tick },
        ...{ knows: 'seen', target: 'next' },
      });
      next.forEach((count, label) => {
        if (count === 0) return;
        const text = reason(world, label, random);
        expect(text).toMatch(/^because [a-z ]+ \.$/);
        const counts = found.get(label) ?? { all: 0, without: 0 };
        found.set(label, counts);
        counts.all++;
        if (text === withoutReason) counts.without++;
        if (!comeIntoView.has(label))
          expect(unseenIn(text, world), `${yardLabels[label]!.text}, ${text}`).toEqual([]);
      });
    });
    expect(found.size).toBeGreaterThan(32);
    const total = [...found.values()].reduce((sum, { all }) => sum + all, 0);
    const without = [...found.values()].reduce((sum, it) => sum + it.without, 0);
    expect(without / total).toBeLessThan(0.02);
    for (const [label, counts] of found)
      expect(counts.without < counts.all, yardLabels[label]!.text).toBe(true);
  });

  it('do not know what is hidden: whether a van is expected', () => {
    let asked = 0;
    watch(16, 60, ({ world }) => {
      const van = world.vehicles.find(({ state }) => state === 'at gate');
      if (!van) return;
      asked++;
      const other = world.clone(world.seed);
      for (const it of other.vehicles) {
        it.expected = !it.expected;
        it.belief = 1 - it.belief;
      }
      for (const text of ['gate opens', 'van turns away', 'van drives in', 'nothing'] as const) {
        const random = (): RandomStream => new RandomStream(world.tick, 'text test');
        expect(reason(other, indexOf(text), random())).toBe(reason(world, indexOf(text), random()));
      }
    });
    expect(asked).toBeGreaterThan(10);
  });

  it('say how long the light has been red, and that headlights flashed', () => {
    const heard = new Set<string>();
    watch(8, 90, ({ world, random }) => {
      heard.add(reason(world, indexOf('light turns green'), random));
      const van = world.vehicles.find(({ state }) => state === 'at gate');
      const text = reason(world, indexOf('gate opens'), random);
      if (text.includes('flashed')) expect(van ? van.flashed : true).toBe(true);
      heard.add(text);
    });
    expect(heard).toContain('because the light has been red for three seconds .');
    expect([...heard].some((text) => text.includes('flashed as it came'))).toBe(true);
  });
});

suite('explanations', () => {
  const moments: { event: YardEvent; witness: Witness; random: RandomStream }[] = [];

  beforeAll(() => {
    watch(12, 60, ({ world, witness, random }) => {
      if (world.tick % (10 * ticksPerSecond) !== 0) return;
      for (const event of witness.recent(world)) moments.push({ event, witness, random });
    });
  });

  it('follow real links and are ordered in time', () => {
    let long = 0;
    for (const { event, witness } of moments) {
      const steps = chain(event, witness.seen());
      expect(steps.at(-1)).toBe(event);
      for (let i = 1; i < steps.length; i++)
        expect(steps[i]!.tick).toBeGreaterThanOrEqual(steps[i - 1]!.tick);
      // Each step leads to a later one.
      for (const step of steps.slice(0, -1))
        expect(steps.some(({ because }) => because.includes(step.id))).toBe(true);
      if (steps.length >= 3) long++;
    }
    expect(long).toBeGreaterThan(20);
  });

  it('tell every step once, with the event last', () => {
    for (const { event, witness, random } of moments) {
      const steps = chain(event, witness.seen());
      const sentences = explanation(event, witness.seen(), witness.cast, random).split(/(?<= \.) /);
      expect(sentences).toHaveLength(steps.length === 1 ? 2 : steps.length);
      expect(sentences[0]).toMatch(/^(?:at )?first /);
      const { prompt } = causalExplanation(event, witness.seen(), witness.cast, random);
      expect(prompt).toContain('step by step');
    }
  });

  it('of one cause answer why', () => {
    for (const { event, witness, random } of moments) {
      const { prompt, answer } = whyDid(event, witness.seen(), witness.cast, random);
      expect(prompt).toMatch(/^why did .* \?$/);
      const isLinked = event.because.some((id) => witness.seen().some((cause) => cause.id === id));
      expect(answer.startsWith('because ')).toBe(isLinked);
    }
  });
});

suite('predictions', () => {
  it('name the likeliest three events with their chances, and nothing', () => {
    const world = openScene('train', 7, 0);
    const chances = yardLabels.map(() => 0);
    chances[0] = 0.1;
    chances[indexOf('van enters')] = 0.5;
    chances[indexOf('car enters')] = 0.24;
    chances[indexOf('person comes out')] = 0.11;
    chances[indexOf('person enters')] = 0.05;
    const { answer } = prediction(world, chances, new RandomStream(1, 'text test'));
    expect(answer).toMatch(
      /^first , van enters , because .* , with confidence 0\.5 \. second , car enters , because .* , with confidence 0\.25 \. third , person comes out , because .* , with confidence 0\.1 \. nothing , with confidence 0\.1 \.$/,
    );
    expect(answer).not.toContain('person enters');
  });
});

suite('what if', () => {
  const world = openScene('train', 7, 1);
  const witness = new Witness();
  const events: YardEvent[] = [];
  beforeAll(() => {
    events.push(
      {
        ...{ id: 1, tick: 1, label: indexOf('light turns red') },
        actor: 4,
        target: null,
        because: [],
      },
      { ...{ id: 2, tick: 9, label: indexOf('gate opens') }, actor: 1, target: null, because: [1] },
    );
    witness.note(world);
  });
  const ask = (difference: number): string | undefined =>
    whatIf(
      { cause: 1, effect: 2, difference, stderr: 0.01 },
      events,
      witness.cast,
      new RandomStream(3, 'text test'),
    )?.answer;

  it('answers by the difference that the intervention made', () => {
    expect(ask(0.95)).toMatch(/^the gate would not /);
    expect(ask(0.4)).toMatch(/^the gate would less often /);
    expect(ask(0.1)).toMatch(/^the gate would mostly .* all the same \.$/);
    expect(ask(-0.5)).toMatch(/^the gate would rather /);
  });

  it('is silent about events that did not show', () => {
    events.pop();
    expect(ask(0.95)).toBeUndefined();
  });

  it('goes back to just before the cause: without a stop no gate opens', () => {
    const past = new Past();
    const replay = openScene('train', 7, 0);
    const asked: number[] = [];
    for (let second = 0; second < 90 && asked.length < 2; second++) {
      past.keep(replay);
      for (let tick = 0; tick < ticksPerSecond; tick++) replay.step();
      const opened = replay.events.at(-1);
      if (opened?.label !== indexOf('gate opens')) continue;
      const stop = replay.events.find(({ id }) => opened.because.includes(id));
      const cause = stop && past.cause(stop, opened, 12);
      if (cause) asked.push(cause.difference);
    }
    expect(asked.length).toBeGreaterThan(0);
    for (const difference of asked) expect(difference).toBeGreaterThan(0.2);
  });
});

suite('probes', () => {
  it('are never wrong, and ask as often about what is there as about what is not', () => {
    let there = 0;
    let all = 0;
    watch(16, 40, ({ world, random }) => {
      const { noun, isThere, prompt, answer } = probe(world, random);
      const isSeen = look(world).some(({ class: kind, attributes }) => {
        if (noun === 'van with a yellow stripe') return kind === 'van' && attributes.known === 1;
        if (noun === 'brown parcel van') return kind === 'van' && attributes.parcelVan === 1;
        if (noun === 'person in a red coat') return kind === 'person' && attributes.owner === 1;
        if (noun === 'driver in brown') return kind === 'person' && attributes.driver === 1;
        return kind === noun;
      });
      expect(isThere).toBe(isSeen);
      expect(prompt).toContain(` a ${noun} `);
      expect(answer.startsWith('yes')).toBe(isSeen);
      expect(answer.startsWith('no')).toBe(!isSeen);
      all++;
      if (isSeen) there++;
    });
    expect(Math.abs(there / all - 0.5)).toBeLessThan(0.08);
  });
});

suite('text-only rules', () => {
  const mentions = (text: string): boolean =>
    specialRules.some(({ rule, look: how }) => text.includes(rule) || text.includes(how));

  it('are told in varied wording, all ten of them', () => {
    const [first, second] = [1, 2].map((seed) => {
      const random = new RandomStream(seed, 'text test');
      return specialInWords.map((rule) => specialRuleText(rule, random));
    }) as [string[], string[]];
    expect(first).toHaveLength(10);
    expect(second).not.toEqual(first);
    first.forEach((text, at) => {
      expect(text).toContain(specialRules[at]!.look);
      expect(text).toContain(specialRules[at]!.rule);
    });
  });

  it('are never told beside a picture of the train split', () => {
    watch(16, 40, ({ world, witness, random }) => {
      const label = Math.floor(random.uniform() * yardLabels.length);
      const event = witness.recent(world).at(-1);
      const told = [
        caption(world, random),
        describe(world, witness, random),
        reason(world, label, random),
        event ? explanation(event, witness.seen(), witness.cast, random) : '',
      ];
      for (const text of told) expect(mentions(text), text).toBe(false);
    });
    for (const { subject, does } of rulesInWords)
      expect(mentions(`${subject} ${does}`)).toBe(false);
  });

  it('are as frequent in the corpus as the other rules', () => {
    const all = [...texts(4000, 2)];
    const share = (rules: readonly { readonly subject: string; readonly does: string }[]): number =>
      all.filter((text) => rules.some((it) => text.includes(`${it.subject} ${it.does}`))).length /
      rules.length;
    const ratio = share(specialInWords) / share(rulesInWords);
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.6);
  });
});

suite('the corpus', () => {
  const all = [...texts(2500, 1)];

  it('is the same for equal arguments and another for another seed', () => {
    expect([...texts(200, 1)]).toEqual(all.slice(0, 200));
    expect([...texts(50, 3)]).not.toEqual(all.slice(0, 50));
  });

  it('is plain: lower case, one space between words, whole sentences, few words', () => {
    for (const text of all) expect(text).toMatch(form);
    for (const text of all) expect(text).not.toMatch(/thing\b(?<!nothing)|undefined|\{/);
    const words = new Set(all.flatMap((text) => text.split(' ')));
    expect(words.size).toBeLessThan(400);
  });

  it('asks, explains, predicts and supposes', () => {
    for (const part of ['what if ', 'why did ', 'step by step', 'confidence score', 'is there a '])
      expect(
        all.some((text) => text.includes(part)),
        part,
      ).toBe(true);
    expect(sentence('all is quiet')).toBe('all is quiet .');
  });
});
