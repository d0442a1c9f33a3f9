/** Every metric that exists. Code can use no other: the names and labels below are types. */

interface Described {
  readonly name: `lookahead_${string}`;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram, in the metric's unit. */
  readonly buckets?: readonly number[];
}

const seconds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

export const metricList = [
  {
    name: 'lookahead_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node'],
  },
  {
    name: 'lookahead_model_info',
    type: 'gauge',
    help: 'Always 1; the labels say which bundle is loaded.',
    labels: ['bundle', 'version', 'sha256'],
  },
  {
    name: 'lookahead_model_device_info',
    type: 'gauge',
    help: 'Always 1; the labels say what each kind of model process runs on: cpu, cuda.',
    labels: ['role', 'device'],
  },
  {
    name: 'lookahead_camera_state',
    type: 'gauge',
    help: '1 for the state that the camera is in, 0 for the others.',
    labels: ['camera', 'state'],
  },
  {
    name: 'lookahead_connects_total',
    type: 'counter',
    help: 'Tries to open the camera, the first one too.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_decode_errors_total',
    type: 'counter',
    help: 'Errors that ffmpeg told while decoding the camera.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_frames_total',
    type: 'counter',
    help: 'Frames at the rate of the bundle.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_clips_total',
    type: 'counter',
    help: 'Whole clips.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_scenes_total',
    type: 'counter',
    help: 'Clips that were perceived.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_messages_total',
    type: 'counter',
    help: 'Messages that the broker has (scenes: that were sent).',
    labels: ['camera', 'kind'],
  },
  {
    name: 'lookahead_outcomes_total',
    type: 'counter',
    help: 'Forecasts of what begins first by what came of them.',
    labels: ['camera', 'verdict'],
  },
  {
    name: 'lookahead_score_outcomes',
    type: 'gauge',
    help: 'Outcomes of the last hour, day or week that could be decided.',
    labels: ['camera', 'target', 'period'],
  },
  {
    name: 'lookahead_score_undecidable_ratio',
    type: 'gauge',
    help: 'Outcomes that could not be decided, as a share of all. NaN: there were none.',
    labels: ['camera', 'target', 'period'],
  },
  {
    name: 'lookahead_score_hit_ratio',
    type: 'gauge',
    help: 'Forecasts whose most likely answer came true, as a share of the decided ones. NaN: there were none.',
    labels: ['camera', 'target', 'period'],
  },
  {
    name: 'lookahead_score_brier',
    type: 'gauge',
    help: 'Mean Brier score: 0 is perfect, 2 the worst. NaN: nothing was decided.',
    labels: ['camera', 'target', 'period'],
  },
  {
    name: 'lookahead_score_calibration_error',
    type: 'gauge',
    help: 'Mean gap between chance and frequency. NaN: nothing was decided.',
    labels: ['camera', 'target', 'period'],
  },
  {
    name: 'lookahead_score_skill',
    type: 'gauge',
    help: '1 less the mean log score by that of a baseline that knows nothing of the picture: base_rate, persistence. Below 0 the model is not worth its cost. NaN: nothing to compare.',
    labels: ['camera', 'target', 'period', 'baseline'],
  },
  {
    name: 'lookahead_label_observed_total',
    type: 'counter',
    help: 'How often a label came true in the horizon of a forecast.',
    labels: ['camera', 'target', 'label'],
  },
  {
    name: 'lookahead_label_predicted_total',
    type: 'counter',
    help: 'How often a label was the most likely answer of a decided forecast.',
    labels: ['camera', 'target', 'label'],
  },
  {
    name: 'lookahead_label_hits_total',
    type: 'counter',
    help: 'How often a label was the most likely answer and came true.',
    labels: ['camera', 'target', 'label'],
  },
  {
    name: 'lookahead_lead_seconds',
    type: 'histogram',
    help: 'From the issue of a forecast to the event that it had called most likely. Up to 0: too late.',
    labels: ['camera', 'target'],
    buckets: [0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 30, 60],
  },
  {
    name: 'lookahead_drops_total',
    type: 'counter',
    help: 'What a stage gave up: ingest frames, perceive clips, carry and reason windows, explain explanations, publish messages.',
    labels: ['camera', 'stage', 'reason'],
  },
  {
    name: 'lookahead_forecasts_total',
    type: 'counter',
    help: 'Forecasts that the broker has, by what gave the chances: reasoned, carried. Revisions do not count.',
    labels: ['camera', 'basis'],
  },
  {
    name: 'lookahead_gate_total',
    type: 'counter',
    help: 'Forecasts that were begun, by what made it time: quiet ones are carried, all others are reasoned.',
    labels: ['camera', 'reason'],
  },
  {
    name: 'lookahead_explanations_total',
    type: 'counter',
    help: 'Explanations by what came of them: published, dropped.',
    labels: ['camera', 'result'],
  },
  {
    name: 'lookahead_explanation_steps_total',
    type: 'counter',
    help: 'Steps of published explanations by what the check against the scene said: verified, unverified.',
    labels: ['camera', 'result'],
  },
  {
    name: 'lookahead_asks_total',
    type: 'counter',
    help: 'Questions by result: answered, abandoned, or the code of the error.',
    labels: ['result'],
  },
  {
    name: 'lookahead_failures_total',
    type: 'counter',
    help: 'Failures by stage and error code.',
    labels: ['camera', 'stage', 'code'],
  },
  {
    name: 'lookahead_stage_duration_seconds',
    type: 'histogram',
    help: 'Time that a part of the models took for one clip or window; of a run for several clips, the share of one.',
    labels: ['stage'],
    buckets: [0.001, 0.002, 0.005, ...seconds],
  },
  {
    name: 'lookahead_lag_seconds',
    type: 'histogram',
    help: 'From the last frame of the window to the broker having the forecast.',
    labels: ['camera'],
    buckets: seconds,
  },
  {
    name: 'lookahead_horizon_seconds',
    type: 'gauge',
    help: 'How far forecasts of the bundle in use look ahead of their last frame.',
    labels: [],
  },
  {
    name: 'lookahead_last_forecast_timestamp_seconds',
    type: 'gauge',
    help: 'When the camera’s last forecast was issued, seconds since 1970.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_familiarity_ratio',
    type: 'gauge',
    help: 'How near the newest scene is to what the bundle was trained on, 0 to 1.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_queue_length',
    type: 'gauge',
    help: 'What waits before a stage.',
    labels: ['stage'],
  },
  {
    name: 'lookahead_queue_capacity',
    type: 'gauge',
    help: 'What may wait before a stage.',
    labels: ['stage'],
  },
  {
    name: 'lookahead_model_restarts_total',
    type: 'counter',
    help: 'Model processes that were replaced.',
    labels: ['role'],
  },
  {
    name: 'lookahead_model_lost_total',
    type: 'counter',
    help: 'Requests that were in flight when a model process was lost.',
    labels: ['role'],
  },
  {
    name: 'lookahead_model_request_seconds',
    type: 'histogram',
    help: 'From sending a request to a model process to its reply.',
    labels: ['role'],
    buckets: seconds,
  },
  {
    name: 'lookahead_model_batch_size',
    type: 'histogram',
    help: 'Requests that a model process was sent at once, each of another camera.',
    labels: ['role'],
    buckets: [1, 2, 4, 8, 16, 32, 64],
  },
  {
    name: 'lookahead_recalibration_temperature',
    type: 'gauge',
    help: 'Temperature that was learned on this camera and is applied; 1: none.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_recalibration_nothing_bias',
    type: 'gauge',
    help: 'Bias of nothing that was learned on this camera and is applied, nats; 0: none.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_recalibrations_total',
    type: 'counter',
    help: 'Versions that the engine has learned and kept.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_drift',
    type: 'gauge',
    help: '1 while the skill over the base rate is below what chance explains, 0 otherwise.',
    labels: ['camera'],
  },
  {
    name: 'lookahead_broker_up',
    type: 'gauge',
    help: '1 while the NATS server takes messages.',
    labels: [],
  },
  {
    name: 'lookahead_outbox_bytes',
    type: 'gauge',
    help: 'Size of what waits for the broker.',
    labels: [],
  },
  {
    name: 'lookahead_outbox_capacity_bytes',
    type: 'gauge',
    help: 'Size of what may wait for the broker.',
    labels: [],
  },
  {
    name: 'lookahead_publish_duration_seconds',
    type: 'histogram',
    help: 'From handing a message over to the acknowledgement of the broker.',
    labels: ['kind'],
    buckets: seconds,
  },
  {
    name: 'lookahead_publish_retries_total',
    type: 'counter',
    help: 'Messages that had to be sent again.',
    labels: ['kind'],
  },
  {
    name: 'lookahead_publish_drops_total',
    type: 'counter',
    help: 'Messages that never reached the broker.',
    labels: ['kind', 'reason'],
  },
  {
    name: 'lookahead_webhooks_total',
    type: 'counter',
    help: 'Messages for a webhook by what came of them: sent, failed, dropped (the queue was full, or they had waited too long).',
    labels: ['webhook', 'result'],
  },
  {
    name: 'lookahead_harvested_total',
    type: 'counter',
    help: 'Windows that were kept, each by the first of its reasons: surprise, improbable, undecidable, doubtful.',
    labels: ['camera', 'why'],
  },
  {
    name: 'lookahead_harvest_drops_total',
    type: 'counter',
    help: 'Windows that would have been kept: soon after another, gap in the pictures, full queue, large beyond the folder, failed.',
    labels: ['camera', 'reason'],
  },
  {
    name: 'lookahead_harvest_deleted_total',
    type: 'counter',
    help: 'Kept windows that were deleted again, for their age or to make room.',
    labels: ['reason'],
  },
  {
    name: 'lookahead_harvest_bytes',
    type: 'gauge',
    help: 'Size of all kept windows.',
    labels: [],
  },
  {
    name: 'lookahead_viewers',
    type: 'gauge',
    help: 'Live pictures that are being watched.',
    labels: [],
  },
] as const satisfies readonly Described[];

type Metric = (typeof metricList)[number];
export type MetricName = Metric['name'];
export type MetricType = Metric['type'];
export type NameOf<T extends MetricType> = Extract<Metric, { type: T }>['name'];
export type LabelsOf<N extends MetricName> = Readonly<
  Record<Extract<Metric, { name: N }>['labels'][number], string>
>;
