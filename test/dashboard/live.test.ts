/** The page before a whole engine: real models, a real NATS server, cameras over RTSP, a real browser. Its parts go on from one another. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { connect, type NatsConnection } from 'nats';
import type { Browser, Locator, Page, WebSocket } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App } from '../../src/app.js';
import { ConfigSchema } from '../../src/config.js';
import { createConsole } from '../../src/console.js';
import { ForecastSchema, OutcomeSchema, type Forecast, type Outcome } from '../../src/messages.js';
import { RtspServer } from '../../src/yard/rtsp-server.js';
import { children, ffmpegPath, testH264 } from '../ingest/support.js';
import { natsServerPath } from '../support/nats-server.js';
import { chromiumPath, launchBrowser, openPage, type OpenPage } from './open-page.js';

const patience = { timeout: 40_000, interval: 100 };
const cameraPassword = 'S3cr@t:/P#w?%';
/** What of it could stand anywhere, as it is or encoded. */
const traces = /S3cr|P#w|P%23w/;
const pagePassword = 'open-sesame-1';
const token = 'of-those-who-measure';
const yard = ['yard-1', 'yard-2'] as const;

describe.skipIf(chromiumPath === undefined)('the page before a whole engine', () => {
  let browser: Browser;
  let app: App;
  let nc: NatsConnection;
  let server: RtspServer;
  let open: OpenPage;
  let page: Page;
  let said = '';
  const dir = mkdtempSync(join(tmpdir(), 'lookahead-live-'));
  /** Everything that NATS was told, one line for each message: subject and data. */
  const heard: string[] = [];
  /** The newest revision of each, and what came of them, by id. */
  const forecasts = new Map<string, Forecast>();
  const outcomes = new Map<string, Outcome>();
  const failures: unknown[] = [];
  const sockets: WebSocket[] = [];

  beforeAll(async () => {
    server = await RtspServer.listen();
    const recording = { annexB: testH264('320x180', 10, 4), framesPerSecond: 10 };
    const credentials = { username: 'bob', password: cameraPassword };
    server.mountRecording('gate', { ...recording, credentials });
    const out = { write: (line: string) => (said += line), on: () => undefined };
    [browser, app] = await Promise.all([
      launchBrowser(),
      startApp({
        config: ConfigSchema.parse({
          yardCameras: yard.length,
          credentialsFile: join(dir, 'credentials.json'),
          nats: { port: 0, storeDir: join(dir, 'nats') },
          http: { port: 0, password: pagePassword, token },
          log: { level: 'debug' },
        }),
        tools: { ffmpegPath, natsServerPath: natsServerPath() },
        console: createConsole({ out, err: out, env: {}, level: 'debug', cameras: yard }),
        onFatal: (error) => failures.push(error),
        signal: new AbortController().signal,
      }),
    ]);
    nc = await connect({ servers: app.natsUrl });
    nc.subscribe('>', {
      callback: (_error, { subject, data }) => {
        const text = new TextDecoder().decode(data);
        heard.push(`${subject} ${text}`);
        if (/^lookahead\.v1\.home\.[\w-]+\.forecast$/.test(subject)) {
          const forecast = ForecastSchema.parse(JSON.parse(text));
          if (forecast.target === 'next') forecasts.set(forecast.id, forecast);
        } else if (/^lookahead\.v1\.home\.[\w-]+\.outcome$/.test(subject)) {
          const outcome = OutcomeSchema.parse(JSON.parse(text));
          if (outcome.target !== 'within') outcomes.set(outcome.id, outcome);
        }
      },
    });
    open = await openPage(browser, app.pageUrl);
    ({ page } = open);
    page.setDefaultTimeout(patience.timeout);
    page.on('websocket', (socket) => sockets.push(socket));
  });
  afterAll(async () => {
    await open.close();
    await browser.close();
    await nc.close();
    await app.close();
    await server.close();
    rmSync(dir, { recursive: true, force: true });
    expect(failures).toEqual([]);
  });

  const to = async (hash: string): Promise<void> => {
    await page.evaluate(`location.hash = ${JSON.stringify(`#/${hash}`)}`);
  };
  const until = <T>(value: () => T | Promise<T>, what: string) =>
    expect.poll(async () => value(), { ...patience, message: what });
  const tile = (camera: string): Locator =>
    page.locator('.tile', { has: page.getByRole('link', { name: camera, exact: true }) });
  const viewers = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const text = await (await fetch(new URL('/metrics', app.pageUrl), { headers })).text();
    return Number(/^lookahead_viewers (\d+)$/m.exec(text)?.[1]);
  };
  const option = (id: string): Locator => page.locator(`#forecast-${id}`);
  const shownId = (): string => page.url().split('/').at(-1) ?? '';

  it('asks for the password first, refuses a wrong one and lets the right one in', async () => {
    await page.getByLabel('Password').fill('something else');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('This is not the password.').waitFor();
    expect(sockets).toEqual([]);
    expect(await page.getByRole('navigation').count()).toBe(0);
    await page.getByLabel('Password').fill(pagePassword);
    await page.getByRole('button', { name: 'Log in' }).click();
    for (const camera of yard) await tile(camera).locator('.badge').getByText('online').waitFor();
  });

  it('shows a still of each camera, and the live one on request', async () => {
    for (const camera of yard) {
      await tile(camera)
        .locator('.age')
        .getByText(/^still, .+ old$/)
        .waitFor();
      await until(
        () => brightness(tile(camera).locator('canvas.still')),
        'a still',
      ).toBeGreaterThan(60);
    }
    const button = tile('yard-1').getByRole('button', { name: 'Live picture of yard-1' });
    await button.click();
    await tile('yard-1').locator('.chip.is-live').waitFor();
    await button.click();
    await tile('yard-1').locator('.live canvas').waitFor({ state: 'detached' });
  });

  it('plays what moves, with what is seen over it, in one process for all viewers', async () => {
    await to('camera/yard-1');
    const picture = page.locator('.live canvas');
    await picture.waitFor();
    await until(() => solidPixels(page, '.overlay'), 'masks are drawn').toBeGreaterThan(100);
    await page.getByLabel('Masks').uncheck();
    await until(() => solidPixels(page, '.overlay'), 'none is drawn').toBe(0);
    const first = await picture.screenshot();
    expect((await pixelsOf(first)).filter((value) => value > 60).length).toBeGreaterThan(10_000);
    await until(async () => changed(first, await picture.screenshot()), 'it moves').toBeGreaterThan(
      200,
    );
    await page.getByLabel('Masks').check();

    await until(viewers, 'one viewer').toBe(1);
    const processes = children('preview-process');
    expect(processes).toHaveLength(1);
    const second = await page.context().newPage();
    await second.goto(`${app.pageUrl}#/camera/yard-1`);
    await second.locator('.live canvas').waitFor({ timeout: patience.timeout });
    await until(viewers, 'two viewers').toBe(2);
    expect(children('preview-process')).toEqual(processes);
    await second.close();
    await until(viewers, 'one viewer again').toBe(1);
    await to('history');
    await until(viewers, 'no viewer').toBe(0);
  });

  it('names in the lane what is forecast, and marks what came of it', async () => {
    await to('');
    const heardAt = forecasts.size;
    await until(() => forecasts.size, 'a forecast while the page looks on').toBeGreaterThan(
      heardAt,
    );
    const { id, events, nothing, somethingElse } = [...forecasts.values()].at(-1)!;
    await option(id).waitFor({ state: 'attached' });
    const answers = [
      ...events.map(({ label, confidence }) => `${label} ${percent(confidence)}`),
      `something else ${percent(somethingElse)}`,
      `nothing ${percent(nothing)}`,
    ];
    expect(events).toHaveLength(3);
    expect(plain(await option(id).getAttribute('aria-label'))).toContain(answers.join(', '));
    await until(() => outcomes.has(id), 'its outcome').toBe(true);
    const { verdict } = outcomes.get(id)!;
    await page.locator(`#forecast-${id}[data-verdict=${verdict}]`).waitFor({ state: 'attached' });
  });

  it('opens a forecast by a click: chances, stages, frames, and its outcome', async () => {
    await to('camera/yard-1');
    await page.locator('[role=option]').nth(5).waitFor({ state: 'attached' });
    const lane = page.locator('.lane canvas');
    const area = (await lane.boundingBox())!;
    // Shortly before now.
    await lane.click({ position: { x: area.width * 0.6, y: area.height * 0.4 } });
    const details = page.getByRole('region', { name: /^Forecast of/ });
    await details.getByText('Time by stage').waitFor();
    const { camera, events, latencyMs } = forecasts.get(shownId())!;
    expect(camera).toBe('yard-1');
    const chances = plain(await details.locator('.chances').innerText());
    for (const { label, confidence } of events) {
      expect(chances).toContain(label);
      expect(chances).toContain(percent(confidence));
    }
    expect(Object.keys(latencyMs)).toContain('total');
    const frame = details.locator('.frames canvas').last();
    await frame.waitFor();
    await until(() => brightness(frame), 'the frame has a picture').toBeGreaterThan(60);
    await details
      .getByText(/^.?\s*(Hit|Miss|Surprise|Undecidable)[:.]/)
      .first()
      .waitFor();
  });

  it('shows reasons as soon as they come', async () => {
    const reasoned = (): Forecast | undefined =>
      [...forecasts.values()].findLast(
        ({ explanation, window }) =>
          explanation.length > 0 && Date.now() - Date.parse(window.to) < 30_000,
      );
    await until(() => reasoned() !== undefined, 'a forecast with reasons').toBe(true);
    const { id, camera, explanation, events } = reasoned()!;
    await to(`camera/${camera}/${id}`);
    const details = page.getByRole('region', { name: /^Forecast of/ });
    await details
      .locator('.steps li')
      .nth(explanation.length - 1)
      .waitFor();
    const text = await details.innerText();
    for (const step of explanation) expect(text).toContain(step.text);
    for (const { justification } of events) expect(text).toContain(justification);
    await details.locator('.steps button').first().hover();
    await page.waitForFunction(`document.querySelector('.lights.is-lit') !== null`);
  });

  it('knows the past, and how good it is', async () => {
    await to('history');
    const rows = page.locator('.outcomes tbody tr');
    await rows.nth(3).waitFor();
    const ids = await page
      .locator('.outcomes a')
      .evaluateAll((links) => links.map((link) => String(link).split('/').at(-1)!));
    expect(ids.filter((id) => !outcomes.has(id))).toEqual([]);
    await to('quality?camera=yard-1');
    await page
      .getByText(/too few to say|There is no score of this camera yet|How often the likeliest/)
      .first()
      .waitFor();
    expect(await page.getByRole('row').count()).toBe(yard.length + 1);
  });

  it('passes a question on, and its answer back', async () => {
    await to('camera/yard-1');
    await page.getByLabel('Question', { exact: true }).fill('what is happening ?');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText(/^It looked at /).waitFor();
    await page.locator('.exchanges li[aria-busy=false]').waitFor();
    const answer = await page.locator('.exchanges .answer').innerText();
    const pieces = heard.flatMap((line) => {
      const at = line.indexOf(' {"schema":"lookahead.answer.v1"');
      return at === -1 ? [] : [(JSON.parse(line.slice(at)) as { text: string }).text];
    });
    expect(letters(answer)).toBe(letters(pieces.join('')));
    expect(answer).toMatch(/[a-z]{2,} [a-z]{2,}/i);
  });

  it('tries a camera with a login, and adds it once it works', async () => {
    await to('manage');
    await page.getByLabel('Name').fill('gate');
    await page.getByLabel('Address').fill(server.url('gate'));
    await page.getByLabel('User').fill('bob');
    await page.getByLabel('Password').fill(`${cameraPassword}!`);
    const test = page.getByRole('button', { name: 'Test this camera' });
    await test.click();
    const result = page.locator('.test-result');
    await result.getByText('camera_refused').waitFor();
    const [message = '', remedy = ''] = await result.locator('p').allInnerTexts();
    expect(message).toMatch(/refused/);
    expect(remedy).toMatch(/user|password|login/i);
    await page.getByLabel('Password').fill(cameraPassword);
    await test.click();
    await result.getByText(/320 ?[x×] ?180/).waitFor();
    const width = 'document.querySelector(".test-result img").naturalWidth';
    await until(() => page.evaluate(width), 'its first picture').toBe(160);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('link', { name: 'gate', exact: true }).waitFor();
    await to('');
    await tile('gate').locator('.badge').getByText('online').waitFor();
    await until(() => server.readers('gate'), 'its reader').toBe(1);
  });

  it('draws a mask that the next still holds', async () => {
    await to('manage/gate');
    const canvas = page.locator('.mask-canvas');
    await canvas.locator('image').waitFor();
    const still = `fetch('/still?camera=gate').then(async (answer) => {
      if (answer.status !== 200) return [];
      const bitmap = await createImageBitmap(await answer.blob());
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      context.drawImage(bitmap, 0, 0);
      return [0.25, 0.75].map((x) => Math.max(...context
        .getImageData(Math.floor(x * bitmap.width), Math.floor(0.25 * bitmap.height), 1, 1).data.slice(0, 3)));
    })`;
    expect(Math.min(...(await page.evaluate<number[]>(still)))).toBeGreaterThan(60);
    const box = (await canvas.boundingBox())!;
    for (const [x, y] of [
      [0.02, 0.02],
      [0.5, 0.02],
      [0.5, 0.6],
      [0.02, 0.6],
    ] as const) {
      await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
    }
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/^Saved\./).waitFor();
    await until(async () => {
      const [masked, shown] = await page.evaluate<number[]>(still);
      return masked !== undefined && masked < 30 && shown! > 60;
    }, 'the next still').toBe(true);
    // What is saved is no reason to ask.
    await page.getByRole('link', { name: '← Manage' }).click();
    const row = page.locator('.manage tr', { hasText: 'gate' });
    await row.getByText('1 – change').waitFor();
  });

  it('removes it, and has kept its password nowhere', async () => {
    await page.getByRole('button', { name: 'Remove gate …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove gate' }).click();
    await page.getByText('gate was removed.').waitFor();
    await until(() => server.readers('gate'), 'nobody reads it').toBe(0);
    await to('');
    await tile('yard-1').waitFor();
    await until(() => tile('gate').count(), 'no tile').toBe(0);
    const kept = await page.evaluate<string>(
      `JSON.stringify([document.documentElement.outerHTML, location.href,
         [...document.querySelectorAll('input')].map(({ value }) => value),
         Object.entries(localStorage), Object.entries(sessionStorage), document.cookie, history.state,
         performance.getEntriesByType('resource').map(({ name }) => name)])`,
    );
    expect(kept).toContain('yard-1');
    expect(kept).not.toMatch(traces);
    expect(heard.some((line) => line.includes('LOOKAHEAD_home_cameras.gate'))).toBe(true);
    expect(heard.filter((line) => traces.test(line))).toEqual([]);
    expect(said).not.toMatch(traces);
  });

  it('ends everything at the log-out, and has said nothing wrong on its console', async () => {
    await to('camera/yard-1');
    await page.locator('.live canvas').waitFor();
    const isOpen = (): string[] =>
      sockets
        .filter((socket) => !socket.isClosed())
        .map((socket) => new URL(socket.url()).pathname);
    expect(isOpen().toSorted()).toEqual(['/nats', '/picture']);
    const cookies = await page.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const isLoggedIn = async (): Promise<unknown> => {
      const answer = await fetch(new URL('/session', app.pageUrl), { headers: { cookie } });
      return ((await answer.json()) as { isLoggedIn: unknown }).isLoggedIn;
    };
    expect(await isLoggedIn()).toBe(true);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Password').waitFor();
    await until(isOpen, 'no WebSocket is left').toEqual([]);
    await until(viewers, 'no viewer').toBe(0);
    expect(await isLoggedIn()).toBe(false);
    // What the browser itself says of two refusals: of the password of the page, and of that of the camera.
    expect(open.problems.map((problem) => /status of (\d+)/.exec(problem)?.[1] ?? problem)).toEqual(
      ['401', '502'],
    );
  });

  it('leaves no viewer process behind', () =>
    until(() => children('preview-process'), 'their end').toEqual([]));
});

const percent = (share: number): string =>
  share > 0 && share < 0.005
    ? '<1 %'
    : share < 1 && share > 0.995
      ? '>99 %'
      : `${Math.round(share * 100)} %`;

/** Spaces that do not break are spaces. */
const plain = (text: string | null): string => (text ?? '').replaceAll(/\s+/g, ' ');

/** Without what makes it a sentence. */
const letters = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

async function pixelsOf(png: Buffer): Promise<Uint8ClampedArray> {
  const image = await loadImage(png);
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  // Without the edges, where names and states lie over it.
  const [width, height] = [image.width * 0.8, image.height * 0.6].map(Math.floor);
  const [left, top] = [image.width * 0.1, image.height * 0.2].map(Math.floor);
  return context.getImageData(left!, top!, width!, height!).data;
}

/** Values of colours that differ clearly between two pictures of one size. */
async function changed(before: Buffer, after: Buffer): Promise<number> {
  const [one, other] = await Promise.all([pixelsOf(before), pixelsOf(after)]);
  return one.filter((value, i) => Math.abs(value - other[i]!) > 24).length;
}

/** Of the brightest pixel of a canvas that is drawn in two dimensions; 0: nothing is drawn yet. */
function brightness(canvas: Locator): Promise<number> {
  return canvas.evaluate((element) => {
    const { width, height, getContext } = element as unknown as {
      width: number;
      height: number;
      getContext: (kind: '2d') => {
        getImageData(...area: number[]): { readonly data: Uint8ClampedArray };
      };
    };
    if (width === 0) return 0;
    const { data } = getContext.call(element, '2d').getImageData(0, 0, width, height);
    return data.reduce((most, value, i) => (i % 4 === 3 ? most : Math.max(most, value)), 0);
  });
}

/** How many are drawn at all. */
function solidPixels(page: Page, selector: string): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelector(${JSON.stringify(selector)});
    if (canvas === null || canvas.width === 0) return 0;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  })()`);
}
