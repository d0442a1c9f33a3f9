/**
 * English from the rules: what was seen, and why something comes next. Lower case, few words, one space between words,
 * every sentence ends with ' .', so that a small language model can learn it.
 */
import { futures } from './futures.js';
import { yardLabels } from './labels.js';
import type { LabelText } from './labels.js';
import { vanColours } from './place.js';
import { RandomStream } from './random.js';
import { ticksPerSecond } from './things.js';
import type { Person, Van, YardEvent } from './things.js';
import type { World } from './world.js';

type Phrases = readonly [string, ...string[]];

/** How each event is told; {van} stands for the van's name. */
const eventPhrases: Record<Exclude<LabelText, 'nothing'>, Phrases> = {
  'van enters': ['{van} enters', '{van} comes along the road', '{van} comes into view'],
  'van stops at gate': ['{van} stops at the gate', '{van} comes to a stop before the gate'],
  'gate opens': ['the gate opens', 'the gate slides open'],
  'van drives in': ['{van} drives in', '{van} drives through the open gate'],
  'gate closes': ['the gate closes', 'the gate slides shut'],
  'van turns away': ['{van} turns away', '{van} turns round at the gate'],
  'van leaves': ['{van} leaves', '{van} drives out of view'],
  'person enters': ['a person enters', 'a person comes into view'],
  'person crosses road': ['the person crosses the road', 'the person steps onto the road'],
  'person goes in': ['the person goes in', 'the person goes in at the door'],
  'person turns back': ['the person turns back', 'the person turns back at the door'],
  'dog enters': ['a dog enters', 'a dog comes into view'],
  'ball rolls onto road': ['a ball rolls onto the road', 'the ball rolls onto the road'],
  'dog chases ball': ['the dog chases the ball', 'the dog runs after the ball'],
};

function vanName(colour: string | undefined): string {
  return colour === undefined ? 'a van' : `a ${colour} van`;
}

function sentence(label: number, van: string, random: RandomStream): string {
  const text = yardLabels[label]?.text ?? 'nothing';
  if (text === 'nothing') return 'nothing happens .';
  return `${random.pick(eventPhrases[text]).replace('{van}', van)} .`;
}

/** What can be seen now, apart from events. */
function stateSentences(world: World): string[] {
  const sentences: string[] = [];
  const { van, dog, ball, gate } = world;
  if (van?.entered === true) sentences.push(vanState(van, world));
  if (gate.state === 'open') sentences.push('the gate is open .');
  for (const person of world.persons) {
    const sentence = person.entered ? personState(person) : null;
    if (sentence === null) continue;
    const another = sentences.some((other) => other.startsWith('a person'));
    sentences.push(another ? sentence.replace('a person', 'another person') : sentence);
  }
  if (ball?.onRoad === true) sentences.push('a ball is on the road .');
  if (dog?.state === 'sitting') sentences.push('a dog sits by the road .');
  if (dog?.state === 'carrying') sentences.push('the dog carries the ball .');
  return sentences.length > 0 ? sentences : ['the road is empty .'];
}

function vanState(van: Van, world: World): string {
  const name = vanName(van.colour);
  const beforeGate = (world.place.gateX - van.x) * van.direction > 0;
  if (van.state === 'stopped') return `${name} waits at the gate .`;
  if (van.state === 'driving in') return `${name} drives in .`;
  if (van.state === 'turning') return `${name} turns round .`;
  if (beforeGate && van.plan === 'stop') return `${name} brakes before the gate .`;
  return beforeGate && van.plan === null
    ? `${name} drives towards the gate .`
    : `${name} drives away .`;
}

function personState(person: Person): string | null {
  switch (person.state) {
    case 'walking':
      return person.decided ? 'a person walks by .' : 'a person walks towards the crossing .';
    case 'waiting':
      return 'a person waits at the road .';
    case 'crossing':
      return 'a person crosses the road .';
    case 'at door':
      return person.waited
        ? 'a person who had to wait stands at the door .'
        : 'a person stands at the door .';
    case 'leaving':
      return 'a person walks away from the door .';
    case 'going in':
      return null;
  }
}

/** The events of the last clips in order, then what can be seen now. */
export function describe(
  world: World,
  events: readonly YardEvent[],
  vanColourOf: (id: number) => string | undefined,
  random: RandomStream,
): string {
  const told = events.slice(-5).map((event) => {
    const van = event.actors[0];
    return sentence(event.label, vanName(van === undefined ? undefined : vanColourOf(van)), random);
  });
  return [...told, ...stateSentences(world)].join(' ');
}

const generic: Phrases = ['because this happens here now and then .'];

/** Why this label comes next, from the rule that fires it; written from the state at the window's end. */
export function reason(world: World, label: number, random: RandomStream): string {
  const text = yardLabels[label]?.text ?? 'nothing';
  return random.pick(reasons(world, text));
}

function reasons(world: World, text: LabelText): Phrases {
  const { van, gate, dog, ball } = world;
  const name = vanName(van?.colour);
  const isAt = (state: Person['state']): boolean =>
    world.persons.some((person) => person.state === state && person.entered);
  switch (text) {
    case 'nothing':
      return nothingReasons(world);
    case 'van enters':
      return van?.entered === true
        ? ['because the road is free again and another van may come .']
        : ['because the road is free and a van may come .', 'because vans often come here .'];
    case 'van stops at gate':
      if (van?.plan === 'stop')
        return [`because ${name} brakes before the gate .`, `because ${name} slows down .`];
      return van?.plan === null ? [`because ${name} drives towards the gate .`] : generic;
    case 'gate opens':
      if (van?.state !== 'stopped')
        return van ? [`because ${name} will stop at the gate .`] : generic;
      return van.colour === 'blue'
        ? [
            'because a blue van has stopped at the gate .',
            'because a blue van waits at the gate and the gate opens for blue vans .',
          ]
        : [`because ${name} waits at the gate and sometimes the gate opens .`];
    case 'van drives in':
      return gate.state === 'closed'
        ? [`because the gate will open for ${name} .`]
        : [`because the gate is open and ${name} waits .`, `because the gate opens for ${name} .`];
    case 'gate closes':
      return van?.state === 'driving in'
        ? [`because ${name} drives in and the gate closes behind it .`]
        : ['because the gate is open and no van waits .', 'because the van is in .'];
    case 'van turns away':
      if (van?.state !== 'stopped')
        return van ? [`because ${name} will stop at the gate .`] : generic;
      return van.colour === 'red'
        ? [
            'because a red van has stopped at the gate .',
            'because a red van waits at the gate and the gate stays closed for red vans .',
          ]
        : [`because ${name} waits and the gate is still closed .`];
    case 'van leaves':
      if (van?.plan === 'leave') return [`because ${name} has turned away and drives back .`];
      return van
        ? [`because ${name} drives past the gate .`, `because ${name} does not stop .`]
        : generic;
    case 'person enters':
      return ['because people often come here .', 'because a person may come at any time .'];
    case 'person crosses road':
      if (isAt('waiting'))
        return world.van?.state === 'driving'
          ? ['because a person waits and will cross when the van has gone .']
          : ['because a person waits and the road is free .'];
      if (isAt('crossing')) return ['because a person steps onto the road .'];
      return isAt('walking') ? ['because a person walks towards the crossing .'] : generic;
    case 'person goes in':
    case 'person turns back':
      return doorReasons(world, text);
    case 'dog enters':
      return ['because the dog is away and may come back .', 'because the dog is not here .'];
    case 'ball rolls onto road':
      return ball ? ['because a ball rolls towards the road .'] : ['because a ball may come .'];
    case 'dog chases ball':
      if (dog?.state !== 'sitting') return generic;
      return ball?.onRoad === true
        ? [
            'because a ball is on the road and the dog sees it .',
            'because the ball is on the road .',
          ]
        : ['because a ball comes and the dog is here .'];
  }
}

function doorReasons(world: World, text: 'person goes in' | 'person turns back'): Phrases {
  const atDoor = world.persons.find((person) => person.state === 'at door');
  if (!atDoor)
    return world.persons.some((person) => person.state === 'crossing')
      ? ['because a person walks to the door .']
      : generic;
  if (text === 'person goes in')
    return atDoor.waited
      ? ['because a person stands at the door .']
      : [
          'because a person stands at the door and did not have to wait .',
          'because a person has come to the door .',
        ];
  return atDoor.waited
    ? ['because the person at the door had to wait at the road .']
    : ['because some people turn back at the door .'];
}

function nothingReasons(world: World): Phrases {
  if (world.van?.state === 'stopped') return ['because the van may wait for long .'];
  if (world.persons.length > 0) return ['because the person needs more time .'];
  return ['because the road is empty .', 'because all is quiet .'];
}

/** Sentences for the language model's own pre-training, from re-played worlds and the phrase families above. */
export function* texts(makeWorld: (index: number) => World, count: number): Generator<string> {
  for (let index = 0, written = 0; written < count; index++) {
    const world = makeWorld(index);
    const random = new RandomStream(index, 'texts');
    const colours = new Map<number, string>();
    for (let second = 0; second < 60 && written < count; second++) {
      for (let tick = 0; tick < ticksPerSecond; tick++) {
        world.step();
        if (world.van) colours.set(world.van.id, world.van.colour);
      }
      const from = world.tick - 8 * ticksPerSecond;
      const recent = world.events.filter((event) => event.tick > from);
      const colour = random.pick(vanColours);
      switch (Math.floor(random.uniform() * 3)) {
        case 0:
          yield describe(world, recent, (id) => colours.get(id), random);
          break;
        case 1:
          yield sentence(recent.at(-1)?.label ?? 0, vanName(colour), random);
          break;
        default: {
          const label = futures(world, 4000, 1, index * 64 + second).findIndex((n) => n > 0);
          yield `${yardLabels[label]?.text ?? 'nothing'} ${reason(world, label, random)}`;
        }
      }
      written++;
    }
  }
}
