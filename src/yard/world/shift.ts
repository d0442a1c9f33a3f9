/** Worlds whose rules change at one moment: what a forecaster meets when a yard is no longer the one it has learned. */
import type { Rates } from './place.js';
import type { Rules } from './rules.js';
import { World } from './world.js';

export const shifts = ['none', 'quiet', 'busy', 'hasty', 'careless'] as const;
export type Shift = (typeof shifts)[number];

/** What each changes. */
export const shiftTexts: Readonly<Record<Shift, string>> = {
  none: 'nothing changes',
  quiet: 'a quarter of the arrivals',
  busy: 'two and a half times the arrivals',
  hasty: 'waits last half as long',
  careless: 'few drivers stop, few people cross or go in, balls seldom roll onto the road',
};

/** The same world under other rules from its next tick on; its events are cleared, the given world stays as it is. */
export function shiftWorld(world: World, shift: Shift): World {
  const { place } = world;
  const shifted = {
    ...place,
    rates: ratesUnder(shift, place.rates),
    rules: rulesUnder(shift, place.rules),
  };
  return new World(world.seed, shifted, world);
}

function ratesUnder(shift: Shift, rates: Rates): Rates {
  const factor = shift === 'quiet' ? 0.25 : shift === 'busy' ? 2.5 : 1;
  const scaled = Object.entries(rates).map(([who, rate]) => [who, (rate as number) * factor]);
  return Object.fromEntries(scaled) as Rates;
}

function rulesUnder(shift: Shift, rules: Rules): Rules {
  if (shift === 'hasty') return halved(rules, '');
  if (shift !== 'careless') return rules;
  const { gate, parcel, people, lawn } = rules;
  return {
    ...rules,
    gate: { ...gate, stops: { known: 0.25, plain: 0.2 } },
    parcel: { ...parcel, stops: 0.25 },
    people: {
      ...people,
      crosses: { light: 0.3, free: 0.2 },
      goesIn: { in: 0.3, out: 0.05, none: 0.15 },
    },
    lawn: { ...lawn, rollsOn: 0.2 },
  };
}

/** Twice the hazards, half the times; by their names, which end with their units. */
function halved<T>(value: T, name: string): T {
  if (typeof value === 'number') {
    const factor = name.endsWith('PerS') ? 2 : name.endsWith('S') ? 0.5 : 1;
    return (value * factor) as T;
  }
  if (Array.isArray(value)) return value;
  const entries = Object.entries(value as object).map(([key, inner]: [string, unknown]) => [
    key,
    // `kicksPerS: { free, danger }`: what is within has the unit of what it is in.
    halved(inner, typeof inner === 'number' && name.endsWith('S') ? name : key),
  ]);
  return Object.fromEntries(entries) as T;
}
