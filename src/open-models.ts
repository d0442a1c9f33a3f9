/** The models of a bundle for an engine. */
import { promptsOf, type Config } from './config.js';
import type { Console } from './console.js';
import type { Metrics } from './metrics/registry.js';
import { createModelPorts, type ModelPorts } from './models/model-ports.js';

/** Opens a bundle, and counts and tells what its children do. @throws LookaheadError bundle_invalid, device_unusable, model_lost */
export async function openModels(
  bundleDir: string,
  config: Config,
  metrics: Metrics,
  console: Console,
): Promise<ModelPorts> {
  // From 0, so that the first loss is a rise that can be seen.
  for (const role of ['perceiver', 'reasoner']) {
    metrics.add('lookahead_model_restarts_total', { role }, 0);
    metrics.add('lookahead_model_lost_total', { role }, 0);
  }
  const { device } = config.models;
  const ports = await createModelPorts({
    bundleDir,
    perceiverBatch: config.models,
    promptsOf: (camera) => promptsOf(config, camera),
    child: {
      device,
      onRestart: (role, why) => {
        metrics.add('lookahead_model_restarts_total', { role });
        console.log('warn', `${role}: replaced, ${why}`);
      },
      onLost: (role, count) => metrics.add('lookahead_model_lost_total', { role }, count),
      onDuration: (role, ms) =>
        metrics.observe('lookahead_model_request_seconds', { role }, ms / 1000),
      onBatch: (role, count) => metrics.observe('lookahead_model_batch_size', { role }, count),
    },
  });
  for (const { role } of [ports.perceiver, ports.reasoner])
    metrics.set('lookahead_model_device_info', { role, device }, 1);
  return ports;
}
