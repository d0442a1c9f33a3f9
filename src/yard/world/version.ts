/** Raised whenever equal seeds no longer give equal events, so that truths worked out before are not mistaken for today's. */
export const worldVersion = 1;
