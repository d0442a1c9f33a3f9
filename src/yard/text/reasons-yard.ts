/** Why children, dogs, balls, bicycles, forklifts and stacks do what they do: clauses after «because». */
import type { EventText } from '../world/labels.js';
import { rules } from '../world/rules.js';
import { stackId, ticks } from '../world/things.js';
import type { Forklift } from '../world/things.js';
import type { Why } from './reasons-road.js';
import type { View } from './view.js';
import { ago } from './words.js';

type YardText = Extract<
  EventText,
  `${'child' | 'dog' | 'ball' | 'bicycle' | 'forklift' | 'stack'} ${string}`
>;

export const yardReasons: Readonly<Record<YardText, Why>> = {
  'bicycle enters': () => ['a bicycle may come at any time', 'bicycles often come along this road'],
  'child enters': () => [
    'a child may come to play on the lawn',
    'the lawn is free and a child may come',
  ],
  'dog follows person': (view) => {
    const owner = view.among(view.world.people).find((it) => it.role === 'owner');
    if (!owner) return [];
    const it = view.names.of(owner.id);
    return [`${it} has come and the dog follows soon`, `the dog follows ${it}`, `${it} has a dog`];
  },
  'forklift comes out': ({ world }) =>
    world.dock.state === 'opening'
      ? ['the dock opens', 'the dock opens and then a forklift comes out']
      : ['a forklift may come out of the dock at any time', 'a forklift works here now and then'],
  'ball rolls onto road': (view) => {
    const { ball, child } = view.world;
    if (ball && view.sees(ball) && ball.state === 'rolling' && ball.vz > 0)
      return ['a ball rolls towards the road', 'the ball rolls over the lawn and the road is near'];
    if (!child || !view.sees(child)) return [];
    const it = view.names.of(child.id);
    if (child.state === 'playing')
      return [
        `${it} plays with the ball near the road`,
        `${it} may kick the ball towards the road`,
      ];
    return [`${it} has a ball and may kick it onto the road`];
  },
  'child runs after ball': (view) => {
    const it = view.sees(view.world.child) ? view.names.of(view.world.child!.id) : 'the child';
    if (view.world.ball?.state !== 'on road') return ballMayCome(view);
    return isVehicleComing(view)
      ? [`the ball is on the road and ${it} wants it back`]
      : [
          `the ball is on the road and no vehicle comes`,
          `the ball lies on the road and ${it} may run now`,
        ];
  },
  'dog runs after ball': (view) =>
    view.world.ball?.state === 'on road'
      ? [
          'the ball is on the road and the dog sees it',
          'the dog is near and the ball lies on the road',
        ]
      : ballMayCome(view),
  'bicycle collides with ball': (view) => {
    const { ball, bicycle, place } = view.world;
    if (!bicycle || !view.sees(bicycle)) return [];
    const it = view.names.of(bicycle.id);
    if (ball?.state !== 'on road') return [`${it} comes and the ball may roll before it`];
    const near = [`${it} comes and the ball lies on the road`, `the ball is in the way of ${it}`];
    return place.appearance.rain ? [...near, `${it} comes to the ball and the road is wet`] : near;
  },
  'forklift picks up pallet': (view) => works(view, false),
  'forklift puts down pallet': (view) => works(view, true),
  'stack falls': (view) => {
    const { stack, forklift } = view.world;
    if (!view.sees(stackId)) return [];
    if (stack.lean === 0)
      return forklift?.loaded === true
        ? ['a forklift brings another pallet and the stack may lean then']
        : [];
    const lean = stack.lean === 1 ? 'a lot' : 'a little';
    const age = view.age(stack.loadedAt);
    return age <= ticks(rules.dock.fallsToS)
      ? [`the stack leans ${lean} and was loaded ${ago(age)}`, `the stack leans ${lean}`]
      : [`the stack leans ${lean}`];
  },
  'forklift yields to person': (view) => {
    const { forklift, people } = view.world;
    const person = view
      .among(people)
      .find(
        (it) => it.state === 'on apron' || it.state === 'back to van' || it.state === 'leaving',
      );
    if (!forklift || !view.sees(forklift) || !person) return [];
    const [it, other] = [view.names.of(forklift.id), view.names.of(person.id)];
    return [`${other} walks where ${it} wants to drive`, `${other} is first on the way of ${it}`];
  },
};

function ballMayCome(view: View): readonly string[] {
  const { ball } = view.world;
  return ball?.state === 'rolling' && ball.vz > 0
    ? ['the ball rolls towards the road']
    : ['the ball may roll onto the road'];
}

const isVehicleComing = (view: View): boolean => view.among(view.world.vehicles).length > 0;

function works(view: View, loaded: boolean): readonly string[] {
  const { forklift, stack } = view.world;
  if (!forklift || !view.sees(forklift) || forklift.loaded !== loaded) return [];
  const it = view.names.of(forklift.id);
  if (loaded)
    return forklift.state === 'at stack'
      ? [`${it} stands at the stack with a pallet`, `${it} has brought a pallet`]
      : [`${it} drives ${towards(forklift)} with a pallet`, `${it} brings a pallet`];
  const why = stack.fallen ? ' and the stack has fallen' : '';
  return forklift.state === 'at stack'
    ? [`${it} stands at the stack without a load${why}`, `${it} has come without a load${why}`]
    : [
        `${it} comes without a load${why}`,
        `${it} drives ${towards(forklift)} without a load${why}`,
      ];
}

const towards = ({ state }: Forklift): string =>
  state === 'driving' ? 'towards the stack' : 'out';
