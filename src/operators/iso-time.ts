/** UTC with milliseconds, as every time in a message. Milliseconds since 1970; fractions are cut off. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
