import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LookaheadError } from '../../src/errors.js';
import { messageKinds, subjects } from '../../src/messages.js';

const legal = /^[A-Za-z0-9_-]{1,64}$/;
/** Strings that are likely to break out of a token, beside any others. */
const names = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({
    unit: fc.constantFrom('a', 'Z', '0', '-', '_', '.', '*', '>', ' ', '\r', '\n', '$'),
  }),
  fc.constantFrom('', 'svc', 'a.*', 'a.>', 'a..b', '.a', '*', '>', '__proto__', 'a\0b', 'ｇate'),
  fc.constantFrom('a'.repeat(64), 'a'.repeat(65), 'a'.repeat(5_000)),
);

describe('a subject', () => {
  it('is made of legal tokens or not at all, whatever the camera is called', () => {
    fc.assert(
      fc.property(names, fc.constantFrom(...messageKinds), (camera, kind) => {
        const isAllowed = legal.test(camera) && camera !== 'svc';
        try {
          const subject = subjects.of('home', camera, kind);
          expect(isAllowed).toBe(true);
          expect(subject.split('.')).toEqual(['lookahead', 'v1', 'home', camera, kind]);
        } catch (error) {
          expect(error).toBeInstanceOf(LookaheadError);
          expect(error).toMatchObject({ code: 'subject_invalid' });
          expect(isAllowed).toBe(false);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses a site in the same way, in every kind of subject', () => {
    fc.assert(
      fc.property(names, (site) => {
        const makers = [
          () => subjects.of(site, 'gate', 'forecast'),
          () => subjects.all(site, 'forecast'),
          () => subjects.heartbeat(site),
          () => subjects.service(site, 'cameras.list'),
        ];
        for (const make of makers) {
          if (legal.test(site)) expect(make()).toMatch(/^lookahead\.v1\.[^.]+\./);
          else expect(make).toThrow(LookaheadError);
        }
      }),
    );
  });
});
