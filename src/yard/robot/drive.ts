/** How the robot drives: to and fro at walking pace and more, braking for what is in its way and for what may come. */
import { laneZ, robotSize, type Crossing, type Footprint } from './lane.js';

export const cruiseMPerS = 2;
/** Where nothing is known. */
export const creepMPerS = 0.5;
/** Slower than this it harms nobody. */
export const harmlessMPerS = 0.3;
const brakeMPerS2 = 2;
const accelerateMPerS2 = 1;
/** From a thing's being there to the brakes. */
export const reactionS = 0.3;
/** It keeps this far from what it brakes for. */
const marginM = 0.5;
/** How far ahead forecasts look. */
const horizonS = 4;

export interface Robot {
  readonly x: number;
  readonly speedMPerS: number;
  readonly direction: 1 | -1;
}

/** What the robot goes by; null: it has none. */
export interface Senses {
  /** What stood or moved about it one reaction ago. */
  readonly things: readonly Footprint[] | null;
  /** The chance of something to cross, by crossing; `unknown`: there is no forecast to go by. */
  readonly chances: ReadonlyMap<string, number> | 'unknown' | null;
}

export interface Lane {
  readonly fromX: number;
  readonly toX: number;
  readonly crossings: readonly Crossing[];
}

/**
 * The chance that one of several labels begins at all. A message tells each label's alone; taken as independent.
 *
 * @param chances by label, as a forecast with the target within has them
 */
export function chanceOfAny(
  chances: Readonly<Record<string, number>>,
  labels: readonly string[],
): number {
  return 1 - labels.reduce((none, label) => none * (1 - (chances[label] ?? 0)), 1);
}

/** One step of `dtS`. */
export function drive(
  robot: Robot,
  lane: Lane,
  senses: Senses,
  threshold: number,
  dtS: number,
): Robot {
  const limit = Math.min(
    senses.chances === 'unknown' ? creepMPerS : cruiseMPerS,
    limitByThings(robot, senses.things),
    limitByChances(robot, lane.crossings, senses.chances, threshold),
  );
  const { speedMPerS: before, direction } = robot;
  const speedMPerS =
    limit < before
      ? Math.max(limit, before - brakeMPerS2 * dtS, 0)
      : Math.min(limit, before + accelerateMPerS2 * dtS);
  const x = robot.x + direction * speedMPerS * dtS;
  if (x >= lane.fromX && x <= lane.toX) return { x, speedMPerS, direction };
  const turned = direction === 1 ? -1 : 1;
  return { x: Math.min(lane.toX, Math.max(lane.fromX, x)), speedMPerS: 0, direction: turned };
}

/** The speed from which it still comes to a stand within a distance. */
function stoppable(distanceM: number): number {
  return Math.sqrt(Math.max(0, 2 * brakeMPerS2 * distanceM));
}

function limitByThings(
  { x, direction, speedMPerS }: Robot,
  things: readonly Footprint[] | null,
): number {
  if (!things) return Infinity;
  const limits = things.flatMap((thing) => {
    if (Math.abs(thing.z - laneZ) >= thing.halfZ + robotSize.widthM / 2 + marginM) return [];
    const gapM = direction * (thing.x - x) - thing.halfX - robotSize.lengthM / 2;
    if (direction * (thing.x - x) < 0) return [];
    return [stoppable(gapM - marginM - speedMPerS * reactionS)];
  });
  return Math.min(Infinity, ...limits);
}

/** It stops before a crossing that something may cross; one that it is in already it leaves. */
function limitByChances(
  { x, direction }: Robot,
  crossings: readonly Crossing[],
  chances: Senses['chances'],
  threshold: number,
): number {
  if (chances === null || chances === 'unknown') return Infinity;
  const limits = crossings.flatMap(({ name, fromX, toX }) => {
    const edge = direction === 1 ? fromX : toX;
    const gapM = direction * (edge - x) - robotSize.lengthM / 2;
    const isAhead = gapM > 0 && gapM <= cruiseMPerS * horizonS;
    return isAhead && (chances.get(name) ?? 0) >= threshold ? [stoppable(gapM - marginM / 5)] : [];
  });
  return Math.min(Infinity, ...limits);
}
