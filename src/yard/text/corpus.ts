/** Texts for the language model's own pre-training, from re-played worlds of the train split. */
import { openScene } from '../data/splits.js';
import { simulateFutures } from '../truth/futures.js';
import { yardLabels } from '../world/labels.js';
import { RandomStream, randomBits, stream } from '../world/random.js';
import { ticksPerSecond } from '../world/things.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';
import { eventSentence } from './events.js';
import { explanation } from './explanation.js';
import { Names } from './names.js';
import { Past } from './past.js';
import { probe } from './probes.js';
import { whatHappens, whatIf, whatNext, whyDid } from './questions.js';
import { reason } from './reasons.js';
import { ruleSentence, rulesInWords } from './rule-texts.js';
import { specialInWords, specialRuleText } from './special.js';
import { caption, describe } from './states.js';
import { causalExplanation, prediction } from './tasks.js';
import { Witness } from './witness.js';
import type { Exchange } from './words.js';

const lookEveryTicks = ticksPerSecond / 2;
const secondsPerScene = 120;
/** Nothing is told before a window is full. */
const warmUpS = 8;
/** Enough for a confidence to a tenth or so. */
const futuresPerText = 10;
/** Pairs of re-simulations behind a «what if»: enough for «would not» and «all the same». */
const pairsPerText = 6;

const futuresStream = stream('futures of a text');

interface Moment {
  readonly world: World;
  readonly witness: Witness;
  readonly random: RandomStream;
  readonly seed: number;
  readonly past: Past;
}

type Writer = (moment: Moment) => string | null;

const both = ({ prompt, answer }: Exchange): string => `${prompt} ${answer}`;

const chancesOf = ({ world, seed }: Moment, count = futuresPerText): number[] => {
  const { next } = simulateFutures(world, {
    ...{ count, seed: randomBits(seed, futuresStream, world.tick) },
    ...{ knows: 'seen', target: 'next' },
  });
  return Array.from(next, (it) => it / count);
};

/** An event of the last seconds, rather one with causes: there is more to say about it. */
function lastEvent({ world, witness, random }: Moment): YardEvent | null {
  const recent = witness.recent(world);
  const caused = recent.filter((it) => it.because.length > 0);
  const [first, ...rest] = caused.length > 0 ? caused : recent;
  return first ? random.pick([first, ...rest]) : null;
}

/** The kinds of texts, each with its share in twentieths. */
const writers: readonly (readonly [twentieths: number, Writer])[] = [
  [4, ({ world, witness, random }) => describe(world, witness, random)],
  [2, ({ world, random }) => caption(world, random)],
  [
    1,
    (moment) => {
      const event = lastEvent(moment);
      return event && eventSentence(event, new Names(moment.witness.cast), moment.random);
    },
  ],
  [
    4,
    (moment) => {
      const label = chancesOf(moment, 1).indexOf(1);
      const text = yardLabels[label]?.text ?? 'nothing';
      return `${text} , ${reason(moment.world, label, moment.random)}`;
    },
  ],
  [
    2,
    (moment) => {
      const { witness, random } = moment;
      const event = lastEvent(moment);
      if (!event) return null;
      return random.chance(0.5)
        ? explanation(event, witness.seen(), witness.cast, random)
        : both(causalExplanation(event, witness.seen(), witness.cast, random));
    },
  ],
  [2, (moment) => both(prediction(moment.world, chancesOf(moment), moment.random))],
  [2, question],
  [1, ({ world, random }) => both(probe(world, random))],
  [2, ({ random }) => rule(random)],
];

function question(moment: Moment): string | null {
  const { world, witness, random } = moment;
  const event = lastEvent(moment);
  switch (Math.floor(random.uniform() * 8)) {
    case 0:
    case 1:
      return both(whatHappens(world, witness, random));
    case 2:
    case 3:
      return both(whatNext(world, chancesOf(moment), random));
    case 4:
      return event && without(moment);
    default:
      return event && both(whyDid(event, witness.seen(), witness.cast, random));
  }
}

/** «what if», about an event and a later one: one that it led to by the rules, or any. */
function without({ world, witness, random, past }: Moment): string | null {
  const recent = witness.recent(world);
  const pairs = recent.flatMap((event) =>
    recent.filter((it) => it.tick > event.tick).map((it) => [event, it] as const),
  );
  const linked = pairs.filter(([event, later]) => later.because.includes(event.id));
  const [first, ...rest] = linked.length > 0 && random.chance(0.7) ? linked : pairs;
  if (!first) return null;
  const [event, later] = random.pick([first, ...rest]);
  const cause = past.cause(event, later, pairsPerText);
  const asked = cause && whatIf(cause, recent, witness.cast, random);
  return asked && both(asked);
}

/** The text-only rules are told as often as the others. */
function rule(random: RandomStream): string {
  const index = Math.floor(random.uniform() * (rulesInWords.length + specialInWords.length));
  const special = specialInWords[index - rulesInWords.length];
  return special ? specialRuleText(special, random) : ruleSentence(rulesInWords[index]!, random);
}

const deck: readonly Writer[] = writers.flatMap(([twentieths, writer]) =>
  Array.from({ length: twentieths }, () => writer),
);

/** Equal arguments give equal texts. */
export function* texts(count: number, seed: number): Generator<string> {
  for (let index = 0, written = 0; written < count; index++) {
    const world = openScene('train', seed, index);
    const random = new RandomStream(world.seed, 'texts');
    const moment: Moment = {
      ...{ world, random, seed: world.seed },
      ...{ witness: new Witness(), past: new Past() },
    };
    for (let second = 0; second < secondsPerScene && written < count; second++) {
      moment.past.keep(world);
      for (let tick = 1; tick <= ticksPerSecond; tick++) {
        world.step();
        if (tick % lookEveryTicks === 0) moment.witness.note(world);
      }
      if (second < warmUpS) continue;
      const [first, ...rest] = deck;
      const text = random.pick([first!, ...rest])(moment);
      if (text === null) continue;
      written++;
      yield text;
    }
  }
}
