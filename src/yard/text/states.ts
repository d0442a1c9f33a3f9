/** What can be seen now: weather, fixed things, and what everyone is about. */
import type { RandomStream } from '../world/random.js';
import { dockId, doorId, gateId, lightId, residentId, stackId } from '../world/things.js';
import type { Ball, Bicycle, Child, Dog, Forklift, Person, Vehicle } from '../world/things.js';
import type { World } from '../world/world.js';
import { eventSentence } from './events.js';
import { Names } from './names.js';
import { View } from './view.js';
import type { Witness } from './witness.js';
import { lasting, numberWord, sentence } from './words.js';
import type { Phrases } from './words.js';

/** What can be seen now. */
export function caption(world: World, random: RandomStream): string {
  const view = new View(world);
  return [weather(world, random), ...movingStates(view, random), ...fixedStates(view, random)].join(
    ' ',
  );
}

/** More events than these are not told: the oldest are left out. */
const toldMax = 6;

/** What was seen in the last eight seconds, in order, then what can be seen now. */
export function describe(world: World, witness: Witness, random: RandomStream): string {
  const names = new Names(witness.cast);
  const told = witness
    .recent(world)
    .slice(-toldMax)
    .map((event) => eventSentence(event, names, random));
  const view = new View(world, names);
  return [...told, ...movingStates(view, random), ...fixedStates(view, random)].join(' ');
}

function weather({ place }: World, random: RandomStream): string {
  const { light, rain } = place.appearance;
  const hour = { day: 'it is day', dusk: 'it is dusk', night: 'it is night' }[light];
  const sky: Phrases = rain ? ['it rains', 'it is raining', 'the road is wet'] : ['it is dry'];
  if (!rain && random.chance(0.5)) return sentence(hour);
  return sentence(
    random.chance(0.5) ? `${hour} and ${random.pick(sky)}` : `${random.pick(sky)} and ${hour}`,
  );
}

/** A sentence for each thing that moves, or says that there is none. */
export function movingStates(view: View, random: RandomStream): string[] {
  const told = doings(view).map(({ id, does }) => {
    return sentence(`${view.names.of(id)} ${pickHonest(view, does, random)}`);
  });
  return told.length > 0 ? told : [random.pick(['nobody is in view .', 'nothing moves .'])];
}

/** One of the phrases that name nothing out of view. */
function pickHonest(view: View, phrases: readonly string[], random: RandomStream): string {
  const [first = 'is in view', ...rest] = view.honest(phrases);
  return random.pick([first, ...rest]);
}

/** What each visible thing does, in several wordings. */
export function doings(view: View): { readonly id: number; readonly does: readonly string[] }[] {
  const { vehicles, people, child, dog, ball, bicycle, forklift, door, tick } = view.world;
  return [
    ...view.among(vehicles).map((it) => ({ id: it.id, does: vehicleDoes(view, it) })),
    ...view.among(people).map((it) => ({ id: it.id, does: personDoes(view, it) })),
    ...(tick < door.residentUntil && view.sees(residentId)
      ? [{ id: residentId, does: ['stands in the door', 'is at the open door', 'is at home'] }]
      : []),
    ...view.among([child]).map((it) => ({ id: it.id, does: childDoes(it) })),
    ...view.among([dog]).map((it) => ({ id: it.id, does: dogDoes(it) })),
    ...view
      .among([ball])
      .filter((it) => it.state === 'rolling' || it.state === 'on road')
      .map((it) => ({ id: it.id, does: ballDoes(it) })),
    ...view.among([bicycle]).map((it) => ({ id: it.id, does: bicycleDoes(it) })),
    ...view.among([forklift]).map((it) => ({ id: it.id, does: forkliftDoes(it) })),
  ];
}

function vehicleDoes(view: View, vehicle: Vehicle): Phrases {
  const { world } = view;
  const since = lasting(view.age(vehicle.since));
  switch (vehicle.state) {
    case 'at gate':
      return ['waits at the gate', `has waited at the gate ${since}`, 'stands before the gate'];
    case 'at door':
      return vehicle.driverOut && vehicle.servedAt === 0
        ? ['stands without its driver', 'stands near the door without its driver']
        : ['stands near the door', `has stood near the door ${since}`];
    case 'driving in':
      return ['drives in', 'drives in at the gate', 'turns in'];
    case 'driving':
    case 'gone':
      break;
  }
  if (world.tick < vehicle.flashUntil)
    return ['flashes its headlights', 'comes and flashes its headlights'];
  if (vehicle.speed === 0) {
    if (vehicle.halt === 'light' && world.light.phase === 'red')
      return ['waits at the red light', 'stands at the red light'];
    return vehicle.halt === 'yield' ? ['stands on the road to give way'] : ['stands on the road'];
  }
  if (vehicle.braking) return ['brakes', 'slows down'];
  const isBeforeGate = vehicle.kind === 'van' && view.toGo(vehicle, world.place.gateX) > 0;
  return isBeforeGate && vehicle.livery !== 'parcel'
    ? ['drives along the road', 'drives towards the gate']
    : ['drives along the road', 'drives on'];
}

function personDoes(view: View, person: Person): Phrases {
  const since = lasting(view.age(person.since));
  switch (person.state) {
    case 'walking':
      return ['walks along the pavement', 'walks along'];
    case 'to kerb':
      return ['walks to the kerb', 'comes to the kerb'];
    case 'waiting':
      return ['waits at the kerb', `has waited at the kerb ${since}`, 'stands at the kerb'];
    case 'crossing':
      return ['crosses the road', 'walks across the road'];
    case 'on apron':
      return person.carrying
        ? ['walks to the door with a parcel', 'brings a parcel to the door']
        : ['walks to the door', 'walks towards the door'];
    case 'yielding':
      return ['stands and waits', 'waits for the forklift'];
    case 'at door':
      return person.carrying
        ? ['stands at the door with a parcel', 'waits at the door with a parcel']
        : ['stands at the door', `has stood at the door ${since}`, 'waits at the door'];
    case 'going in':
      return ['goes in', 'goes in at the door'];
    case 'handing over':
      return person.carrying ? ['hands over a parcel'] : ['stands at the door'];
    case 'back to van':
      return ['walks back', 'walks back to the van'];
    case 'leaving':
    case 'gone':
      return ['walks away', 'walks away from the door'];
  }
}

function childDoes({ state }: Child): Phrases {
  switch (state) {
    case 'coming':
      return ['walks along', 'comes with a ball'];
    case 'playing':
      return ['plays on the lawn', 'plays near the road'];
    case 'watching':
      return ['stands on the lawn', 'stands on the lawn and watches the ball'];
    case 'fetching':
      return ['runs after the ball', 'runs towards the road'];
    case 'returning':
      return ['runs back', 'runs back to the lawn'];
    case 'leaving':
    case 'gone':
      return ['walks away', 'leaves the lawn'];
  }
}

function dogDoes({ state }: Dog): Phrases {
  switch (state) {
    case 'following':
      return ['walks along the pavement', 'walks along'];
    case 'chasing':
      return ['runs after the ball', 'chases the ball'];
    case 'carrying':
      return ['carries the ball away', 'runs away with the ball'];
    case 'leaving':
    case 'gone':
      return ['walks away', 'leaves'];
  }
}

const ballDoes = ({ state }: Ball): Phrases =>
  state === 'on road' ? ['is on the road', 'lies on the road'] : ['rolls over the lawn', 'rolls'];

const bicycleDoes = ({ state }: Bicycle): Phrases =>
  state === 'fallen'
    ? ['lies on the road', 'has fallen over']
    : ['rides along the road', 'rides along'];

function forkliftDoes({ state, loaded }: Forklift): Phrases {
  const load = loaded ? 'with a pallet' : 'without a load';
  switch (state) {
    case 'coming out':
      return ['comes out', `comes out of the dock ${load}`];
    case 'driving':
      return [`drives ${load}`, 'drives towards the stack'];
    case 'yielding':
      return ['stands and waits', 'stands to give way'];
    case 'at stack':
      return [`stands ${load}`, `stands at the stack ${load}`];
    case 'returning':
      return [`drives back ${load}`, 'drives back to the dock'];
    case 'going in':
    case 'gone':
      return ['goes in', 'drives in at the dock'];
  }
}

/** Fixed things; those at rest are told only now and then. */
function fixedStates(view: View, random: RandomStream): string[] {
  const { gate, door, dock, light, stack, parcel, place } = view.world;
  const clauses: string[] = [];
  const add = (id: number, isAtRest: boolean, does: Phrases): void => {
    if (!view.sees(id) || (isAtRest && !random.chance(0.3))) return;
    clauses.push(sentence(`${view.names.of(id)} ${pickHonest(view, does, random)}`));
  };
  const moves = {
    closed: 'is closed',
    opening: 'opens',
    open: 'is open',
    closing: 'closes',
  } as const;
  const since = lasting(view.age(light.since));
  if (place.on.light)
    add(lightId, light.phase === 'green', [
      `is ${light.phase}`,
      `has been ${light.phase} ${since}`,
    ]);
  add(gateId, gate.state === 'closed', [moves[gate.state]]);
  add(doorId, door.share === 0, [door.share === 0 ? 'is closed' : 'is open']);
  add(dockId, dock.state === 'closed', [moves[dock.state]]);
  add(stackId, false, stackIs(stack));
  // Else it is in somebody's arms.
  if (parcel && parcel.event >= 0)
    add(parcel.id, false, ['lies by the door', 'lies before the house']);
  return clauses;
}

function stackIs({ count, lean, fallen }: World['stack']): Phrases {
  if (fallen) return ['has fallen', 'has fallen over', 'lies on the ground'];
  if (lean > 0) return lean === 1 ? ['leans a lot', 'leans far over'] : ['leans a little'];
  const has = count === 1 ? 'has one pallet' : `has ${numberWord(count)} pallets`;
  return count > 1 ? [has, 'stands straight', `${has} and stands straight`] : [has, 'is low'];
}
