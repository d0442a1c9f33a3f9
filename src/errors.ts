/** One class for failures an operator can act on. Programming errors stay ordinary errors. */
import type { DropReason } from './types.js';

export const errorCodes = {
  config_invalid: 'The configuration file is not valid.',
  config_unreadable: 'The configuration file cannot be read.',
  usage: 'The command line is not valid.',
  ffmpeg_missing: 'ffmpeg was not found.',
  ffmpeg_failed: 'ffmpeg ended with an error.',
  camera_refused: 'The camera refused the login.',
  camera_not_found: 'The camera has no such stream.',
  camera_unreachable: 'The camera cannot be reached.',
  camera_ended: 'The camera ended its stream.',
  camera_silent: 'The camera sends no pictures.',
  camera_no_video: 'The stream has no video track.',
  harvest_unusable: 'Kept windows cannot be written or read.',
  recording_unusable: 'The recording cannot be used.',
  worker_lost: 'A worker process kept dying.',
  source_refused: 'The address of the camera is not allowed.',
  bundle_invalid: 'The bundle is not valid.',
  device_unusable: 'The models cannot run on the device that was asked for.',
  model_failed: 'A model run failed.',
  model_late: 'A model run passed its deadline.',
  model_lost: 'The model process died; what was in flight is lost.',
  wire_invalid: 'A message between processes is not valid.',
  broker_unreachable: 'The NATS server cannot be reached.',
  broker_refused: 'The NATS server refused the request.',
  publish_failed: 'A message was not acknowledged.',
  request_invalid: 'A request over NATS is not valid.',
  request_failed: 'A request over NATS could not be answered.',
  camera_unknown: 'There is no such camera.',
  window_missing: 'The camera has not been seen for a whole window.',
  camera_exists: 'There is a camera of that name already.',
  camera_fixed:
    'The camera stands in the configuration file, which is read-only while the engine runs.',
  credential_unknown: 'There is no such credential.',
  login_required: 'A login is required.',
  login_refused: 'The login was refused.',
  queue_full: 'Too many requests wait already.',
  language_missing: 'The bundle answers no questions.',
  subject_invalid: 'A name is not allowed in a subject.',
  judge_failed: 'The judge of texts could not be asked.',
  port_taken: 'A port is already in use.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Says what was wrong, with the value, and what to do next. Never holds a camera's password. */
export class LookaheadError extends Error {
  override readonly name = 'LookaheadError';
  readonly code: ErrorCode;
  /** What to do next, one sentence. */
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
  }
}

/** A request that was given up before a model saw it, or while it ran. Its code is `model_late`. */
export class RequestDropped extends LookaheadError {
  readonly reason: DropReason;

  constructor(reason: DropReason, message: string) {
    super(
      'model_late',
      message,
      'Nothing to do for one; if many are dropped, watch fewer cameras.',
    );
    this.reason = reason;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
