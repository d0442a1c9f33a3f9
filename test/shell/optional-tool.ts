/** Programs that only some tests need. `npm test` names them in the environment; a test run by hand takes those on PATH. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const variables = {
  chromium: 'LOOKAHEAD_CHROMIUM',
  prometheus: 'LOOKAHEAD_PROMETHEUS',
  promtool: 'LOOKAHEAD_PROMTOOL',
  hadolint: 'LOOKAHEAD_HADOLINT',
  go: 'LOOKAHEAD_GO',
  nats: 'LOOKAHEAD_NATS_CLI',
} as const;

/** Its path; undefined where this machine has none, which skips the tests that need it: `describe.skipIf(path === undefined)`. */
export function optionalTool(name: keyof typeof variables): string | undefined {
  const given = process.env[variables[name]];
  if (given !== undefined && given !== '') return given;
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
