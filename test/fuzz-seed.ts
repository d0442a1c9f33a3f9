/**
 * Property tests draw the same cases at every run, so that what passed once passes again; LOOKAHEAD_FUZZ_SEED=N draws others.
 */
import { configureGlobal } from 'fast-check';

const asked = process.env['LOOKAHEAD_FUZZ_SEED'];
configureGlobal({ seed: asked === undefined ? 1 : Number(asked) });
