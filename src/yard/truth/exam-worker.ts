/** A child process that works out the truth of an exam's scenes for exam-windows.ts. */
import { serveJobs } from '../jobs/serve-jobs.js';
import { examScene } from './exam.js';
import type { ExamOptions } from './exam.js';

serveJobs((scene: number, options: ExamOptions) => examScene(options, scene));
