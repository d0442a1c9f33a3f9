/** Logins in a file: nobody else reads it, nothing in it is half written, and a person may edit it. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { CredentialStore, type Credential } from '../src/credential-store.js';

const password = 'S3cr@t:/P#w?%';
const login: Credential = { username: 'bob', password, host: 'cam:554', camera: 'gate' };

function storeIn(name = 'deep/credentials.json') {
  const dir = mkdtempSync(join(tmpdir(), 'lookahead-credentials-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, name);
  const warnings: string[] = [];
  return { dir, file, warnings, store: new CredentialStore(file, (text) => warnings.push(text)) };
}

it('is for the user of the engine alone, and leaves nothing half written', async () => {
  const { file, store, warnings } = storeIn();
  expect(await store.of('gate')).toBeUndefined();
  expect(await store.add('gate', login)).toBe('gate');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(file, '..'))).toEqual(['credentials.json']);
  expect(await store.of('gate')).toEqual(login);
  expect(await store.of('__proto__')).toBeUndefined();
  expect(warnings).toEqual([]);
});

it('overwrites none, also of those that are added at once, and removes those of a camera alone', async () => {
  const { file, store } = storeIn('credentials.json');
  writeFileSync(file, JSON.stringify({ gate: { username: 'mine', password: 'own' } }), {
    mode: 0o600,
  });
  const names = await Promise.all([store.add('gate', login), store.add('gate', login)]);
  expect(names).toEqual(['gate-2', 'gate-3']);
  await store.removeOf('gate');
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object)).toEqual(['gate']);
  expect(await store.of('gate')).toMatchObject({ username: 'mine', host: null, camera: null });
});

it('is read anew each time, and what a person has broken is told without a word of it, and kept', async () => {
  const { file, store, warnings } = storeIn('credentials.json');
  writeFileSync(file, JSON.stringify({ door: { username: 'eve', password } }));
  chmodSync(file, 0o644);
  expect(await store.of('door')).toMatchObject({ password });
  await store.of('door');
  expect(warnings).toEqual([expect.stringContaining('chmod 600')]);
  for (const broken of [
    `{"door": {"password": "${password}"`,
    `{"door": "${password}"}`,
    `["${password}"]`,
  ]) {
    writeFileSync(file, broken);
    for (const asked of [store.of('door'), store.add('gate', login), store.removeOf('gate')]) {
      const error = (await asked.catch((reason: unknown) => reason)) as Error;
      expect(error).toMatchObject({ code: 'config_unreadable' });
      expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toContain(
        'S3cr',
      );
    }
    expect(readFileSync(file, 'utf8')).toBe(broken);
  }
});

it('where the folder cannot be made, file and key are named', async () => {
  const { dir, file, store } = storeIn('away/credentials.json');
  symlinkSync(join(dir, 'nowhere'), join(dir, 'away'));
  await expect(store.add('gate', login)).rejects.toMatchObject({
    code: 'config_unreadable',
    remedy: expect.stringMatching(new RegExp(`${file}.*credentialsFile`)) as string,
  });
});

it('that cannot be a file says so, whatever stands in its place', async () => {
  const { dir } = storeIn('there');
  writeFileSync(join(dir, 'file'), '');
  const warn = (): void => undefined;
  for (const wrong of [dir, join(dir, 'file', 'credentials.json')]) {
    const store = new CredentialStore(wrong, warn);
    for (const asked of [() => store.of('door'), () => store.add('gate', login)])
      await expect(asked()).rejects.toMatchObject({ code: 'config_unreadable' });
  }
});
