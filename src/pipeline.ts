/** One camera, end to end: pictures in, messages out. Each stage is one file in `operators/`. */
import { connect, defer, map, merge, mergeMap, tap, type Observable } from 'rxjs';
import type { Message } from './messages.js';
import { explainLatest } from './operators/explain-latest.js';
import { judgeOutcomes } from './operators/judge-outcomes.js';
import { perceiveLatest } from './operators/perceive-latest.js';
import { predictEvery } from './operators/predict-every.js';
import { publishBounded } from './operators/publish-bounded.js';
import { reconnect } from './operators/reconnect.js';
import { remember } from './operators/remember.js';
import { slideClips, toClip } from './operators/slide-clips.js';
import { trackState } from './operators/track-state.js';
import { watchPicture } from './operators/watch-picture.js';
import type { PipelineConfig } from './pipeline-config.js';
import { issuedOf, prepareStages } from './stages.js';
import type { Ports } from './types.js';

/**
 * Watches one camera for as long as it is subscribed, and emits each message once the publish port has it. No failure of
 * camera, model or broker ends it: all are reported, and what is lost is counted. Only a programming error ends it.
 * Forecasts are numbered from 0 in each subscription, so that each needs an epoch of its own.
 */
export function watchCamera(
  camera: string,
  config: PipelineConfig,
  ports: Ports,
): Observable<Message> {
  return defer(() => {
    const { report } = ports;
    const state = trackState(config.now, (name, why) => report.state(name, why));
    const stages = prepareStages(camera, config, ports, state.isPictureGood);

    const scenes$ = defer(() => ports.frames()).pipe(
      tap((frame) => report.frame(frame)),
      slideClips(stages.clip, (frames) => report.dropped('ingest', 'gap', frames)),
      reconnect(stages.connection, {
        random: config.random,
        onState: state.set,
        onFailure: (error) => report.failed('ingest', error),
      }), // After slideClips: no clip holds frames of two connections.
      map((frames, index) => toClip(camera, index, frames)), // After reconnect: the index counts on.
      tap((clip) => report.clip(clip)),
      watchPicture(stages.picture, state.set),
      tap({ complete: state.close }),
      perceiveLatest(stages.perceive, () => report.dropped('perceive', 'newer', 1)),
      tap((scene) => report.scene(scene)),
    );

    const explained$ = explainLatest(stages.explain);
    const messages$ = scenes$.pipe(
      connect((scene$) => {
        const forecasts$ = scene$.pipe(
          remember(stages.memory),
          tap((window) => report.window(window)),
          predictEvery(stages.rhythm, stages.predict),
          map(stages.write.forecast),
          connect((predicted$) => {
            const issued$ = predicted$.pipe(mergeMap(issuedOf));
            const outcomes$ = judgeOutcomes({ scene$, online$: state.online$ }, stages.judge);
            return merge(issued$, issued$.pipe(outcomes$), predicted$.pipe(explained$));
          }), // Chances first: outcomes and reasons are of a forecast that is out already.
        );
        const events$ = scene$.pipe(mergeMap(stages.write.events));
        return merge(scene$.pipe(map(stages.write.scene)), events$, forecasts$);
      }),
    );

    return merge(state.change$.pipe(map(stages.write.state)), messages$).pipe(
      publishBounded(stages.outbox, stages.publish, () => report.dropped('publish', 'full', 1)),
    );
  });
}
