/** Why people come, go, cross and hand over: clauses after «because». */
import type { EventText } from '../world/labels.js';
import type { Person } from '../world/things.js';
import type { Why } from './reasons-road.js';
import type { View } from './view.js';
import { ago, lasting } from './words.js';

type PeopleText = Extract<EventText, `person ${string}`>;

export const peopleReasons: Readonly<Record<PeopleText, Why>> = {
  'person enters': () => ['a person may come at any time', 'people often come along the pavement'],
  'person comes out': () => [
    'a person may come out of the house at any time',
    'now and then a person comes out of the door',
  ],
  'person gets out': (view) => {
    const van = view
      .among(view.world.vehicles)
      .find((it) => it.livery === 'parcel' && !it.driverOut);
    if (!van) return [];
    const it = view.names.of(van.id);
    if (van.state !== 'at door') return [`${it} may stop and bring a parcel`];
    return [
      `${it} has stopped near the door`,
      `${it} has stood near the door ${lasting(view.age(van.since))} and its driver brings a parcel`,
    ];
  },
  'person hands over parcel': (view) => {
    const brings = bringsParcel(view);
    const { last, lastAt } = view.world.door;
    if (last === 'in') return brings.flatMap((it) => wentIn(view, lastAt, it));
    return brings.map((it) => `${it} and somebody may be at home`);
  },
  'person puts down parcel': (view) => {
    const brings = bringsParcel(view);
    const { last, lastAt } = view.world.door;
    if (last === 'out') return brings.flatMap((it) => cameOut(view, lastAt, it));
    return brings.map((it) => `${it} and perhaps nobody is at home`);
  },
  'person picks up parcel': (view) => {
    const { parcel, people } = view.world;
    if (!parcel || !view.sees(parcel)) return [];
    const lies = ['a parcel lies by the door', 'a parcel lies before the house'];
    return people.some((it) => it.role === 'driver')
      ? lies
      : lies.map((it) => `${it} and who brought it has gone`);
  },
  'person gets in': (view) => {
    const driver = view
      .among(view.world.people)
      .find((it) => it.role === 'driver' && !isBringing(it));
    if (!driver) return vanWaits(view);
    const it = view.names.of(driver.id);
    return driver.state === 'back to van'
      ? [`${it} walks back to the van`, `${it} has no parcel any more and walks back`]
      : [`${it} is done at the door`, `${it} is done and goes back soon`];
  },
  'person goes in': (view) => {
    const person = atDoor(view);
    if (!person) return [];
    const it = view.names.of(person.id);
    const { last, lastAt } = view.world.door;
    const stands =
      person.state === 'at door' ? `${it} stands at the door` : `${it} walks to the door`;
    if (last === 'in') return wentIn(view, lastAt, stands);
    return [stands, `${stands} and somebody may be at home`];
  },
  'person turns back': (view) => {
    const person = atDoor(view);
    if (!person) return [];
    const it = view.names.of(person.id);
    const { last, lastAt } = view.world.door;
    const stands =
      person.state === 'at door' ? `${it} stands at the door` : `${it} walks to the door`;
    if (last === 'out') return cameOut(view, lastAt, stands);
    return [`${stands} and perhaps nobody is at home`, `${stands} and may find nobody at home`];
  },
  'person crosses road': crosses,
  'person yields to forklift': (view) => {
    const { forklift } = view.world;
    const person = view.among(view.world.people).find(isOnApron);
    if (!forklift || !person || !view.sees(forklift)) return [];
    const [it, other] = [view.names.of(person.id), view.names.of(forklift.id)];
    return [`${it} comes to the way of ${other}`, `${other} drives where ${it} wants to walk`];
  },
};

const isOnApron = ({ state }: Person): boolean =>
  state === 'on apron' || state === 'back to van' || state === 'leaving' || state === 'crossing';

const isBringing = ({ carrying, state }: Person): boolean => carrying && state !== 'handing over';

/** A van hides its driver, who stands behind it. */
function vanWaits(view: View): readonly string[] {
  const van = view.among(view.world.vehicles).find((it) => it.driverOut && it.servedAt === 0);
  return van ? [`${view.names.of(van.id)} still stands there and waits`] : [];
}

const withParcel = (view: View): Person | undefined =>
  view.among(view.world.people).find((it) => it.role === 'driver' && isBringing(it));

/** What the driver is about, in two wordings: the door or the parcel may be hidden. */
function bringsParcel(view: View): readonly string[] {
  const driver = withParcel(view);
  if (!driver) return [];
  const it = view.names.of(driver.id);
  return driver.state === 'at door'
    ? [`${it} is at the door with a parcel`, `${it} stands before the house`]
    : [`${it} brings a parcel to the door`, `${it} walks to the house`];
}

/** Who stands at the door, or else is on the way there. */
function atDoor(view: View): Person | undefined {
  const people = view.among(view.world.people).filter((it) => it.role !== 'driver');
  const order: readonly Person['state'][] = ['at door', 'on apron', 'yielding', 'crossing'];
  return order
    .flatMap((state) => people.filter((it) => it.state === state))
    .find((it) => it.state !== 'yielding' || it.resumes === 'on apron');
}

const wentIn = (view: View, at: number, doing: string): readonly string[] => [
  `somebody went in ${ago(view.age(at))} and is at home`,
  `${doing} and somebody went in ${ago(view.age(at))}`,
];

const cameOut = (view: View, at: number, doing: string): readonly string[] => [
  `somebody came out ${ago(view.age(at))} and nobody is at home now`,
  `${doing} and somebody came out ${ago(view.age(at))}`,
];

function crosses(view: View): readonly string[] {
  const { light, place, vehicles, people } = view.world;
  const among = (state: Person['state']): Person[] =>
    view.among(people).filter((it) => it.state === state);
  const [waiting] = among('waiting');
  if (waiting) {
    const it = view.names.of(waiting.id);
    if (place.on.light)
      return light.phase === 'red'
        ? [
            `the light is red for vehicles and ${it} waits to cross`,
            `the light is red and ${it} waits at the kerb`,
          ]
        : [`${it} waits at the kerb and may cross before the light turns red`];
    const isComing = vehicles.some((other) => view.toGo(other, waiting.x) > -2 && view.sees(other));
    return isComing
      ? [`${it} waits at the kerb and crosses when the road is free`]
      : [`${it} waits at the kerb and no vehicle comes`, `${it} waits and the road is free`];
  }
  const [coming] = among('to kerb');
  if (coming) {
    const it = view.names.of(coming.id);
    return [`${it} walks to the kerb`, `${it} has turned to the road`];
  }
  const walking = among('walking').find(
    (it) => it.role === 'walker' && (place.crossX - it.x) * it.direction > 0,
  );
  return walking ? [`${view.names.of(walking.id)} walks along and may cross the road`] : [];
}
