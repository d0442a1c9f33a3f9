/**
 * Version 1 only ever adds. The samples are frozen: a message that an engine of version 1.0 wrote must be readable by
 * today's code, and what today's code requires or knows must not have shrunk or grown against them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  EventMessageSchema,
  ForecastSchema,
  HeartbeatSchema,
  messageKinds,
  OutcomeSchema,
  SceneMessageSchema,
  ScoreSchema,
  StateMessageSchema,
  WebhookSchema,
} from '../../src/messages.js';
import { AnswerPieceSchema, CameraListSchema } from '../../src/sinks/services.js';

/** Fields that came after 1.0: an older engine does not send them, so readers cannot rely on them. */
const addedLater: Readonly<Record<string, readonly string[]>> = {
  'lookahead.forecast.v1': ['basis', 'grounded', 'chances', 'recalibration'],
  'lookahead.outcome.v1': [
    ...['target', 'because', 'late', 'windowTo', 'horizonMs', 'answers', 'basis', 'calibrated'],
    ...['recalibration', 'began', 'baselines', 'bundle'],
  ],
};

const schemas: Readonly<Record<string, z.ZodType>> = {
  'lookahead.forecast.v1': ForecastSchema,
  'lookahead.event.v1': EventMessageSchema,
  'lookahead.outcome.v1': OutcomeSchema,
  'lookahead.scene.v1': SceneMessageSchema,
  'lookahead.score.v1': ScoreSchema,
  'lookahead.state.v1': StateMessageSchema,
  'lookahead.heartbeat.v1': HeartbeatSchema,
  'lookahead.cameras.v1': CameraListSchema,
  'lookahead.answer.v1': AnswerPieceSchema,
  'lookahead.webhook.v1': WebhookSchema,
};

const samples = readdirSync('test/samples/v1').map((file) => {
  const text = readFileSync(`test/samples/v1/${file}`, 'utf8');
  return { file, sample: JSON.parse(text) as { schema: string } };
});

function schemaOf(sample: { schema: string }): z.ZodType {
  const schema = schemas[sample.schema];
  if (schema === undefined) throw new Error(`no schema is called ${sample.schema}`);
  return schema;
}

describe.each(samples)('$file', ({ sample }) => {
  it('is read with nothing lost: no field was removed or renamed, none became required', () => {
    // zod leaves out what a schema does not know, so equality means that all of it is still known.
    expect(schemaOf(sample).parse(sample)).toEqual(sample);
  });

  it('is read by those who do not know what a later engine adds', () => {
    const later = { ...sample, addedLater: { anything: [1, 2] } };
    expect(schemaOf(sample).parse(later)).toEqual(sample);
  });

  it('has no field that today may be missing: readers rely on each', () => {
    for (const key of Object.keys(sample)) {
      const { [key]: _removed, ...rest } = sample as Record<string, unknown>;
      const mayBeMissing = addedLater[sample.schema]?.includes(key) ?? false;
      expect(schemaOf(sample).safeParse(rest).success, key).toBe(mayBeMissing);
    }
  });
});

it('every kind of message has a sample', () => {
  const found = new Set(samples.map(({ sample }) => sample.schema));
  expect([...found].sort()).toEqual(Object.keys(schemas).sort());
  for (const kind of messageKinds.filter((it) => it !== 'within'))
    expect(found).toContain(`lookahead.${kind}.v1`);
});
