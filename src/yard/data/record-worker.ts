/** A child process that records scenes for record-scenes.ts, one at a time. It ends when its parent does. */
import { join } from 'node:path';
import { priorOf } from '../truth/prior.js';
import { allTemplates } from '../world/templates.js';
import type { Assignment, Job, Result } from './jobs.js';
import { serveJobs } from '../jobs/serve-jobs.js';
import { jsonLines, recordScene } from './record-scene.js';
import { sceneOptionsOf } from './recording-file.js';
import { textLines } from './teller.js';
import { recordTracks } from './tracks.js';
import { writeWhole } from './write-whole.js';

async function work(job: Job, { recording, outDir, ffmpegPath }: Assignment): Promise<Result> {
  switch (job.kind) {
    case 'scene':
      await recordScene(sceneOptionsOf(recording), job.scene, { outDir, ffmpegPath });
      return null;
    case 'tracks':
      await recordTracks(sceneOptionsOf(recording), job.scene, outDir);
      return null;
    case 'prior': {
      const template = allTemplates.find(({ name }) => name === job.template);
      if (!template) throw new RangeError(`There is no template ${job.template}.`);
      return priorOf(template);
    }
    case 'texts': {
      await writeWhole(join(outDir, 'texts.jsonl'), jsonLines(textLines(recording)));
      return null;
    }
  }
}

serveJobs(work);
