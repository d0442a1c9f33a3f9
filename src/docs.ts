/** `npm run docs`: writes `docs/reference/`. Running this file is all there is to it. */
import { fileURLToPath } from 'node:url';
import { writeReference } from './reference.js';

writeReference(fileURLToPath(new URL('../docs/reference', import.meta.url)));
