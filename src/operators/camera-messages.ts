/** Scenes, events and states as messages. Pure: all times come from the scenes. */
import type { EventMessage, SceneMessage, StateMessage, StateName } from '../messages.js';
import type { Label } from '../models/manifest.js';
import type { Scene } from '../types.js';
import { isoTime } from './iso-time.js';

/** Who speaks: the same for every message of one camera. */
export interface Origin {
  readonly site: string;
  readonly camera: string;
  readonly epoch: number;
}

export interface StateChange {
  readonly state: StateName;
  readonly why: string;
  readonly sinceMs: number;
}

/** Attributes below this are as likely absent as there. */
const shownMin = 0.5;

export function sceneMessage({ site, camera }: Origin, scene: Scene): SceneMessage {
  return {
    schema: 'lookahead.scene.v1',
    site,
    camera,
    clip: scene.clip,
    from: isoTime(scene.fromMs),
    to: isoTime(scene.toMs),
    familiarity: scene.familiarity,
    objects: scene.objects.map((object) => ({
      track: object.track,
      class: object.class,
      classProbability: object.classProbability,
      box: { ...object.box },
      velocity: { ...object.velocity },
      ageClips: object.ageClips,
      mask: { size: [...object.mask.size], counts: [...object.mask.counts] },
      attributes: Object.fromEntries(
        Object.entries(object.attributes).filter(([, value]) => Math.abs(value) >= shownMin),
      ),
      predictedIou: object.predictedIou,
    })),
  };
}

/** One message for each event of the scene that reaches its label's threshold; never one for «nothing». */
export function eventMessages(
  { site, camera, epoch }: Origin,
  scene: Scene,
  labels: readonly Label[],
  eventThresholds: readonly number[],
): EventMessage[] {
  return scene.events.flatMap((event, index) => {
    const label = labels[event.label];
    if (!label || label.type === 'nothing') return [];
    if (event.probability < (eventThresholds[event.label] ?? Infinity)) return [];
    return {
      schema: 'lookahead.event.v1' as const,
      id: `${site}-${camera}-${String(epoch)}-clip${String(scene.clip)}-${String(index)}`,
      site,
      camera,
      label: label.text,
      type: label.type,
      actor: label.actor,
      target: label.target,
      actors: [...event.actors],
      targetTracks: event.target === null ? [] : [event.target],
      onset: isoTime(event.onsetMs),
      probability: event.probability,
    };
  });
}

export function stateMessage({ site, camera }: Origin, change: StateChange): StateMessage {
  return {
    schema: 'lookahead.state.v1',
    site,
    camera,
    state: change.state,
    since: isoTime(change.sinceMs),
    why: change.why,
  };
}
