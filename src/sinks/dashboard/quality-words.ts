/** What the parts of the quality page share. */

/** Marks of fewer outcomes are luck. */
export const outcomesMin = 30;

export const lengthWords = {
  hour: 'the last hour',
  day: 'the last day',
  week: 'the last week',
} as const;
