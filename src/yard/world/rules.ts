/**
 * What follows from what, and how probably. Chances a second are hazards, drawn at every tick; the others are drawn once,
 * when they take effect. Times are seconds. No rule looks back farther than `memoryS`, so a window of eight clips holds all
 * that a forecaster can use.
 *
 * - Gate: known vans and some plain ones stop there. Whether a van is expected is hidden; known vans mostly are, plain ones
 *   when their headlights flashed as they came. The gate opens for expected vans and closes a fixed time after they are in;
 *   others turn away.
 * - Parcel: a parcel van stops past the door; its driver hands the parcel over if someone is at home, else puts it down;
 *   somebody picks it up later. Who has just gone in is at home, who has just come out is not.
 * - Light: people who wait get a red light for vehicles after a fixed time, and it lasts a fixed time; they cross then.
 * - Lawn: a child's ball rolls onto the road; the child runs after it when no vehicle comes, the dog runs at once; vehicles yield.
 *   The dog follows its owner (red coat) by a few seconds.
 * - Dock: a forklift loads and unloads the stack; what has just been loaded falls by how it leans; where people and the
 *   forklift cross, the later one yields.
 * - Bicycle: it collides with a ball in its lane, more often in rain.
 */
export const memoryS = 7;

export const rules = {
  gate: {
    stops: { known: 0.92, plain: 0.75 },
    flashes: 0.5,
    flashAfterS: 0.25,
    flashS: 1.25,
    expectedKnown: 0.93,
    expectedFlashed: 0.9,
    expectedOther: 0.07,
    opensAfterS: 0.4,
    opensPerS: 1.3,
    openingS: 1,
    drivesInPerS: 2,
    drivingInS: 2.5,
    turnsAwayAfterS: 2.5,
    turnsAwayPerS: 1,
    closesAfterS: 3,
    closesPerS: 4,
  },
  parcel: {
    stops: 0.93,
    getsOutAfterS: 0.5,
    getsOutPerS: 1.5,
    decidesAfterS: 0.6,
    decidesPerS: 1.2,
    handsOver: { in: 0.93, out: 0.07, none: 0.5 },
    handingOverS: 1.5,
    puttingDownS: 0.7,
    picksUpPerS: 0.3,
    drivesOnPerS: 1.5,
  },
  people: {
    crosses: { light: 0.9, free: 0.65 },
    freeCrossesPerS: 1.5,
    jaywalksPerS: 0.03,
    decidesAfterS: 0.4,
    decidesPerS: 1,
    goesIn: { in: 0.92, out: 0.1, none: 0.55 },
    goingInS: 1,
    residentS: 1.4,
  },
  light: {
    greenLeastS: 4,
    waitS: 2,
    redS: 4.5,
    changesPerS: 5,
    startsWithinS: 2.5,
    crossesPerS: 2.5,
  },
  lawn: {
    dogFollowsFromS: 1.5,
    dogFollowsToS: 4,
    dogFollowsPerS: 1.2,
    kicksAfterS: 1,
    kicksPerS: 0.35,
    rollsOn: 0.72,
    childRunsPerS: { free: 0.7, danger: 0.1 },
    dogRunsPerS: 0.8,
    childLeavesPerS: 0.06,
    withoutBallLeavesPerS: 0.8,
  },
  dock: {
    opensS: 0.9,
    loaded: 0.65,
    worksAfterS: 0.8,
    worksPerS: 2,
    leavesAfterS: 0.6,
    leans: { second: [0.45, 0.3], third: [0.3, 0.35] },
    fallsFromS: 0.4,
    fallsToS: 4,
    fallsPerS: { half: 0.22, full: 0.9 },
    laterYields: 0.9,
  },
  bicycle: {
    collides: { dry: 0.5, rain: 0.85 },
    liesS: 3,
    ridesOnPerS: 4,
  },
} as const;

type Widened<T> = T extends number ? number : { readonly [Key in keyof T]: Widened<T[Key]> };

/** The same rules with any numbers: those of one place may differ (shift.ts). */
export type Rules = Widened<typeof rules>;

export const speeds = {
  person: [1.25, 1.6],
  vehicle: [4, 5],
  bicycle: [3.4, 4.2],
  forklift: 2,
  childWalks: 1.3,
  childRuns: 2.7,
  dogWalks: 1.5,
  dogRuns: 4.5,
  dogCarries: 3,
  ballKick: [3.2, 3.9],
} as const;
