import { describe, expect, it } from 'vitest';
import { RequestDropped } from '../../src/errors.js';
import { attempt } from '../../src/operators/attempt.js';
import { recordReport } from '../support/fakes.js';
import { marbles } from '../support/marbles.js';

describe('attempt', () => {
  const cases = {
    empty: ['--|', '--|', []],
    'one answer': ['--a-', '--(a|)', []],
    'many answers: the first counts': ['--a-b-|', '--(a|)', []],
    'a failure': ['--#', '--|', ['reason failed: error', 'reason dropped 1: failed']],
    'no answer in time': [
      '-------a',
      '-----|',
      ['reason failed: The stage "reason" gave no answer within 5 ms.', 'reason dropped 1: late'],
    ],
  } as const;
  for (const [name, [call, result, lines]] of Object.entries(cases)) {
    it(
      name,
      marbles(({ cold, expectObservable, flush }) => {
        const report = recordReport();
        const source = name === 'a failure' ? cold(call, {}, new Error('error')) : cold(call);
        expectObservable(attempt({ stage: 'reason', limitMs: 5, report }, () => source)).toBe(
          result,
        );
        flush();
        expect(report.lines).toEqual(lines);
      }),
    );
  }

  for (const reason of ['newer', 'full', 'late'] as const) {
    it(
      `a request that was dropped as ${reason} is counted as such`,
      marbles(({ cold, expectObservable, flush }) => {
        const report = recordReport();
        const call = cold('-#', {}, new RequestDropped(reason, 'dropped'));
        expectObservable(attempt({ stage: 'reason', limitMs: 5, report }, () => call)).toBe('-|');
        flush();
        expect(report.lines).toEqual(['reason failed: dropped', `reason dropped 1: ${reason}`]);
      }),
    );
  }

  it(
    'a call that throws is a failure of this call only',
    marbles(({ expectObservable, flush }) => {
      const report = recordReport();
      const thrown = attempt({ stage: 'perceive', limitMs: Infinity, report }, () => {
        throw new Error('broken clip');
      });
      expectObservable(thrown).toBe('|');
      flush();
      expect(report.lines).toEqual(['perceive failed: broken clip', 'perceive dropped 1: failed']);
    }),
  );
});
