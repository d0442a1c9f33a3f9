/** What a forecast has cost, stage by stage. */
import type { ComponentChild } from 'preact';
import type { Forecast } from '../../messages.js';
import { stageWords } from './words.js';

export function StageTimes({
  latencyMs,
}: {
  readonly latencyMs: Forecast['latencyMs'];
}): ComponentChild {
  const stages = Object.entries(latencyMs).filter(([stage]) => stage !== 'total');
  const mostMs = Math.max(1, ...stages.map(([, ms]) => ms));
  const totalMs = latencyMs['total'];
  return (
    <>
      <h3>
        Time by stage{' '}
        {totalMs !== undefined && <small>{Math.round(totalMs)} ms until it was published</small>}
      </h3>
      <table class="stages">
        <thead class="unseen">
          <tr>
            <th scope="col">Stage</th>
            <th scope="col">Milliseconds</th>
          </tr>
        </thead>
        <tbody>
          {stages.map(([stage, ms]) => (
            <tr key={stage}>
              <th scope="row">{stageWords(stage)}</th>
              <td>
                <span class="bar-of" style={{ '--share': (ms / mostMs).toFixed(3) }} />
                <span>{ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
