/** The models of a bundle for an engine. */
import { promptsOf, type Config } from './config.js';
import type { Console } from './console.js';
import type { Metrics } from './metrics/registry.js';
import { createModelPorts, type ModelPorts } from './models/model-ports.js';

/** Opens a bundle, and counts and tells what its children do. @throws LookaheadError bundle_invalid, model_lost */
export async function openModels(
  bundleDir: string,
  config: Config,
  metrics: Metrics,
  console: Console,
): Promise<ModelPorts> {
  return createModelPorts({
    bundleDir,
    perceiverBatch: config.models,
    promptsOf: (camera) => promptsOf(config, camera),
    child: {
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
}
