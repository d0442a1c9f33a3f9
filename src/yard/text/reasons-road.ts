/** Why vehicles, the gate and the light do what they do: clauses after «because», the best known first. */
import { zones } from '../world/place.js';
import type { EventText } from '../world/labels.js';
import type { Person, Thing, Vehicle } from '../world/things.js';
import { isOnRoad } from './view.js';
import type { View } from './view.js';
import { lasting } from './words.js';

/** What speaks for an event now, in several wordings; none where nothing in view does. */
export type Why = (view: View) => readonly string[];

type RoadText = Extract<
  EventText,
  `van ${string}` | `car ${string}` | `gate ${string}` | `light ${string}`
>;

export const roadReasons: Readonly<Record<RoadText, Why>> = {
  'van enters': (view) => vehicleComes(view, 'van'),
  'car enters': (view) => vehicleComes(view, 'car'),
  'van leaves': (view) => leaves(view, 'van'),
  'car leaves': (view) => leaves(view, 'car'),
  'van stops at gate': (view) => {
    const van = comingToGate(view);
    if (!van) return [];
    const it = view.names.of(van.id);
    if (brakesFor(view, van, view.world.place.gateX))
      return [`${it} brakes before the gate`, `${it} slows down and the gate is near`];
    return [`${it} comes and mostly such a van stops at the gate`, `${it} drives towards the gate`];
  },
  'gate opens': gateOpens,
  'van drives in': (view) => {
    const van = atGate(view);
    if (!van) return [];
    const it = view.names.of(van.id);
    if (view.world.gate.state === 'open')
      return [`the gate is open and ${it} waits there`, `the gate stands open for ${it}`];
    if (view.world.gate.state === 'opening')
      return [`the gate opens for ${it}`, `the gate opens and ${it} waits there`];
    return [`${it} waits and the gate may open for it`];
  },
  'gate closes': ({ world }) =>
    world.gate.state === 'open'
      ? [
          'the van has driven in and the gate is still open',
          'the gate is open and nothing waits there',
        ]
      : [],
  'van turns away': (view) => {
    const van = atGate(view);
    if (view.world.gate.state !== 'closed') return [];
    if (!van) return [];
    const it = view.names.of(van.id);
    const since = lasting(view.age(van.since));
    const waits = [
      `${it} has waited ${since} and the gate is still closed`,
      `the gate stays closed for ${it}`,
    ];
    return van.livery === 'plain' && !van.flashed
      ? [...waits, `${it} did not flash its headlights and the gate seldom opens for such a van`]
      : waits;
  },
  'van stops at door': (view) => {
    const [van] = ahead(view, 'van', view.world.place.kerbX).filter((it) => it.livery === 'parcel');
    if (!van) return [];
    const it = view.names.of(van.id);
    if (brakesFor(view, van, view.world.place.kerbX))
      return [`${it} brakes near the door`, `${it} slows down near the door`];
    return [
      `${it} comes and mostly such a van stops near the door`,
      `${it} may bring a parcel to the door`,
    ];
  },
  'light turns red': lightTurnsRed,
  'light turns green': (view) => {
    const { light } = view.world;
    if (light.phase !== 'red') return [];
    const since = lasting(view.age(light.since));
    return [
      `the light has been red ${since}`,
      `the light is red ${since} now and stays red for some seconds only`,
    ];
  },
  'car stops at light': (view) => stopsAtLight(view, 'car'),
  'van stops at light': (view) => stopsAtLight(view, 'van'),
  'car yields': (view) => yields(view, 'car'),
  'van yields': (view) => yields(view, 'van'),
};

function vehicleComes(view: View, kind: Vehicle['kind']): readonly string[] {
  const often = [`a ${kind} may come at any time`, `${kind}s often come along this road`];
  return view.among(view.world.vehicles).length === 0
    ? [...often, `no vehicle is in view and a ${kind} may come`]
    : often;
}

/** Visible vehicles that drive and have a place still before them, the nearest to it first. */
function ahead(view: View, kind: Vehicle['kind'], x: number): Vehicle[] {
  return view
    .among(view.world.vehicles)
    .filter((it) => it.kind === kind && it.state === 'driving' && view.toGo(it, x) > 0)
    .sort((a, b) => view.toGo(a, x) - view.toGo(b, x));
}

/** Whether it brakes near there, and not before a red light. */
function brakesFor(view: View, vehicle: Vehicle, x: number): boolean {
  const { light, place } = view.world;
  const isBeforeLight = light.phase === 'red' && view.toGo(vehicle, place.crossX) > 0;
  return vehicle.braking && vehicle.speed > 0 && view.toGo(vehicle, x) < 5 && !isBeforeLight;
}

const comingToGate = (view: View): Vehicle | undefined =>
  ahead(view, 'van', view.world.place.gateX).find((it) => it.livery !== 'parcel');

const atGate = (view: View): Vehicle | undefined =>
  view.among(view.world.vehicles).find((it) => it.state === 'at gate');

function gateOpens(view: View): readonly string[] {
  const waiting = atGate(view);
  const van = waiting ?? comingToGate(view);
  if (!van || view.world.gate.state !== 'closed') return [];
  const it = view.names.of(van.id);
  const comes = waiting ? `${it} waits at the gate` : `${it} comes to the gate`;
  if (van.livery === 'known')
    return [
      `${comes} and the gate mostly opens for such a van`,
      waiting ? `${it} has stopped at the gate and is mostly let in` : `${it} is mostly let in`,
    ];
  return van.flashed
    ? [
        `${comes} and it flashed its headlights as it came`,
        `the headlights of ${it} flashed as it came`,
      ]
    : [`${comes} and now and then the gate opens for such a van`];
}

function leaves(view: View, kind: Vehicle['kind']): readonly string[] {
  const { world } = view;
  const [vehicle] = view
    .among(world.vehicles)
    .filter((it) => it.kind === kind && it.state !== 'driving in')
    .sort((a, b) => view.toGo(a, 0) - view.toGo(b, 0));
  if (!vehicle) return [];
  const it = view.names.of(vehicle.id);
  if (vehicle.state === 'at gate') return [`${it} may turn away from the gate and drive on`];
  if (vehicle.state === 'at door')
    return vehicle.servedAt > 0
      ? [`the driver of ${it} is back in it`, `${it} has its driver back and drives on`]
      : [`${it} drives on when its work is done`];
  if (vehicle.speed > 0.5)
    return [`${it} drives on along the road`, `${it} drives along the road and comes to its end`];
  return [`${it} stands on the road and soon drives on`];
}

function stopsAtLight(view: View, kind: Vehicle['kind']): readonly string[] {
  const { light, place } = view.world;
  const vehicle = ahead(view, kind, place.crossX).find((it) => it.speed > 0);
  if (!vehicle) return [];
  const it = view.names.of(vehicle.id);
  if (light.phase === 'green') return [`${it} comes and the light may turn red`];
  return vehicle.braking
    ? [`${it} brakes before the red light`, `the light is red and ${it} slows down`]
    : [`the light is red and ${it} comes`, `the light is red for ${it}`];
}

function lightTurnsRed(view: View): readonly string[] {
  const { light, people, place } = view.world;
  if (light.phase !== 'green') return [];
  const among = (state: Person['state']): Person[] =>
    view.among(people).filter((it) => it.state === state);
  const [waiting] = among('waiting').sort((a, b) => a.since - b.since);
  if (waiting) {
    const it = view.names.of(waiting.id);
    const since = lasting(view.age(waiting.since));
    return [`${it} has waited at the kerb ${since}`, `${it} waits at the kerb to cross`];
  }
  const [coming] = among('to kerb');
  if (coming) return [`${view.names.of(coming.id)} walks to the kerb and will wait there`];
  const walking = among('walking').find(
    (it) => it.role === 'walker' && (place.crossX - it.x) * it.direction > 0,
  );
  return walking ? [`${view.names.of(walking.id)} walks along and may wait to cross`] : [];
}

/** What on the road lies ahead of a vehicle of this kind, or soon may. */
function yields(view: View, kind: Vehicle['kind']): readonly string[] {
  const { people, child, dog, ball, bicycle } = view.world;
  const vehicles = view
    .among(view.world.vehicles)
    .filter((it) => it.kind === kind && it.state === 'driving' && it.speed > 0);
  const onRoad: readonly [Thing | null, string][] = [
    ...people
      .filter((it) => it.state === 'crossing')
      .map((it): [Thing, string] => [it, 'is on the road']),
    [child && isOnRoad(child) ? child : null, 'is on the road'],
    [dog && isOnRoad(dog) ? dog : null, 'is on the road'],
    [bicycle?.state === 'fallen' ? bicycle : null, 'lies on the road'],
    [ball?.state === 'on road' ? ball : null, 'is on the road'],
    ...people
      .filter((it) => it.state === 'waiting' || it.state === 'to kerb')
      .map((it): [Thing, string] => [it, 'may cross']),
    [ball?.state === 'rolling' && ball.z < zones.roadFrom ? ball : null, 'may roll onto the road'],
  ];
  for (const vehicle of vehicles)
    for (const [thing, does] of onRoad) {
      if (thing === null || !view.sees(thing)) continue;
      if (view.toGo(vehicle, thing.x) < 0) continue;
      const it = view.names.of(vehicle.id);
      const other = view.names.of(thing.id);
      return [`${other} ${does} before ${it}`, `${it} comes and ${other} ${does} before it`];
    }
  return [];
}
