/**
 * What follows from what, and how probably:
 * - A van brakes before the gate or passes, by its colour; at the gate, the gate opens for blue (0.85 within 4 s) and red
 *   turns away (0.8 within 4 s). When the gate is open the van drives in and the gate closes behind it.
 * - A person who comes to cross yields to an approaching van (0.9). At the door a person goes in (0.75) or turns back,
 *   the other way round for one who had to wait at the road.
 * - When a ball rolls onto the road and the dog is there, it chases the ball (about 0.75) and carries it out of the picture.
 * - Vans brake for whatever is on the road before them.
 *
 * Chances a second are hazards; the others are drawn once. The tests check the frequencies that follow.
 */
export const rules = {
  vanStops: { blue: 0.88, red: 0.88, white: 0.1 },
  gateOpensPerS: { blue: -Math.log(0.15) / 4, red: 0.02, white: 0.1 },
  turnsAwayPerS: { blue: 0.02, red: -Math.log(0.2) / 4, white: 0.25 },
  drivesInPerS: 1.6,
  gateClosesPerS: 0.7,
  personCrosses: 0.88,
  personYields: 0.9,
  waitingCrossesPerS: 1.5,
  doorDecidesPerS: 0.8,
  goesIn: 0.75,
  ballRollsOn: 0.75,
  dogChasesPerS: 0.5,
} as const;
