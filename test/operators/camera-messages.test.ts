import { describe, expect, it } from 'vitest';
import { EventMessageSchema, SceneMessageSchema, StateMessageSchema } from '../../src/messages.js';
import { eventMessages, sceneMessage, stateMessage } from '../../src/operators/camera-messages.js';
import { fakeEvent, fakeObject, fakeScene, labels, origin } from '../support/fakes.js';

const thresholds = labels.map(() => 0.5);

describe('messages of a camera', () => {
  it('a scene carries its objects, and none of its tensors', () => {
    const message = sceneMessage(origin, fakeScene(4, { objects: [fakeObject(3, 'van')] }));
    expect(SceneMessageSchema.strict().parse(message)).toEqual(message);
    expect(message).toMatchObject({ clip: 4, from: '1970-01-01T00:00:00.080Z' });
    expect(message.objects[0]).toMatchObject({ track: 3, class: 'van', mask: { size: [1, 1] } });
  });

  it('a scene tells of a thing what can probably be seen of it', () => {
    const attributes = { braking: 0.91, flashing: 0.49, facing: -0.8, lean: -0.2 };
    const object = { ...fakeObject(3, 'van'), attributes, predictedIou: 0.7 };
    const message = sceneMessage(origin, fakeScene(4, { objects: [object] }));
    expect(SceneMessageSchema.strict().parse(message)).toEqual(message);
    expect(message.objects[0]).toMatchObject({ predictedIou: 0.7 });
    expect(message.objects[0]?.attributes).toEqual({ braking: 0.91, facing: -0.8 });
  });

  it('an event is told when it reaches the threshold of its label; «nothing» never is', () => {
    const events = [
      fakeEvent(1, 85, 0.5),
      fakeEvent(2, 86, 0.49),
      fakeEvent(0, 86, 0.99),
      { ...fakeEvent(4, 88), target: 9 },
    ];
    const messages = eventMessages(origin, fakeScene(4, { events }), labels, thresholds);
    expect(messages.map(({ label, onset }) => [label, onset])).toEqual([
      ['van enters', '1970-01-01T00:00:00.085Z'],
      ['person meets person', '1970-01-01T00:00:00.088Z'],
    ]);
    expect(messages.map(({ targetTracks }) => targetTracks)).toEqual([[], [9]]);
    expect(new Set(messages.map(({ id }) => id)).size).toBe(2);
    for (const message of messages)
      expect(EventMessageSchema.strict().parse(message)).toEqual(message);
  });

  it('a state says since when and why', () => {
    const message = stateMessage(origin, { state: 'offline', why: 'It ended.', sinceMs: 1_000 });
    expect(StateMessageSchema.strict().parse(message)).toEqual(message);
    expect(message).toMatchObject({ state: 'offline', since: '1970-01-01T00:00:01.000Z' });
  });
});
