/** Raised whenever equal seeds no longer give equal events or equal pictures, so that what was recorded or worked out before is not mistaken for today's. */
export const worldVersion = 1;
