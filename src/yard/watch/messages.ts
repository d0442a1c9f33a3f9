/** What the page and its server say to each other. Both sides see what a camera could see, and nothing of the hidden state. */
import { z } from 'zod';
import type { VisibleObject } from '../drawing/painter.js';
import { paces } from './yard-scene.js';
import type { Pace } from './yard-scene.js';

/** From the page. */
export const RequestSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('watch'), camera: z.int().min(0) }),
  z.strictObject({ do: z.literal('masks'), shown: z.boolean() }),
  z.strictObject({ do: z.literal('pause'), isPaused: z.boolean() }),
  z.strictObject({ do: z.literal('step') }),
  z.strictObject({ do: z.literal('pace'), pace: z.literal([...paces]) }),
]);
export type Request = z.output<typeof RequestSchema>;

export interface CameraFacts {
  readonly name: string;
  readonly rtspUrl: string;
  /** The rules at work, such as `gate+lawn`. */
  readonly template: string;
  readonly light: 'day' | 'dusk' | 'night';
  readonly rain: boolean;
  /** A yard of its own, which can be paused; not a recording. */
  readonly isLive: boolean;
}

export interface Bar {
  readonly text: string;
  /** The class of who does it, or null: nothing, or anything else. */
  readonly actor: string | null;
  readonly chance: number;
}

/** To the page, as text. */
export type Told =
  | {
      readonly kind: 'yard';
      readonly title: string;
      readonly horizonS: number;
      readonly cameras: readonly CameraFacts[];
    }
  | {
      readonly kind: 'chances';
      readonly camera: number;
      readonly bars: readonly Bar[];
      readonly futures: number;
    }
  | LoggedEvent
  | {
      readonly kind: 'pace';
      readonly camera: number;
      readonly pace: Pace;
      readonly isPaused: boolean;
    };

export interface LoggedEvent {
  readonly kind: 'event';
  readonly camera: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly text: string;
  readonly actor: string | null;
  /** What pBayes gave it just before; null: too much happened at once to work it out. */
  readonly chance: number | null;
  /** It was the likeliest of all, nothing included. */
  readonly isHit: boolean;
}

/** What stands before the bytes of a picture, which are rgba. */
export interface PictureHead {
  readonly kind: 'picture' | 'thumbnail';
  readonly camera: number;
  readonly width: number;
  readonly height: number;
  /** Of the same moment; their bytes follow: for each pixel, which object it shows + 1, or 0. */
  readonly masks?: {
    readonly width: number;
    readonly height: number;
    readonly objects: readonly VisibleObject[];
  };
}

/** The length of the head (32 bits, little-endian), the head as JSON, the bytes. */
export function framed(head: PictureHead, ...bytes: readonly Uint8Array[]): Buffer {
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, ...bytes]);
}
