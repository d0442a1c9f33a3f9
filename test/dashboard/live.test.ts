/** The page before a whole engine: real models, a real NATS server, yard cameras over RTSP, a real browser. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { connect, type NatsConnection } from 'nats';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App } from '../../src/app.js';
import { ConfigSchema } from '../../src/config.js';
import { createConsole } from '../../src/console.js';
import { ForecastSchema, type Forecast } from '../../src/messages.js';
import { RtspServer } from '../../src/yard/rtsp-server.js';
import { ffmpegPath, testH264 } from '../ingest/support.js';
import { natsServerPath } from '../support/nats-server.js';
import { chromiumPath, launchBrowser, openPage, type OpenPage } from './open-page.js';

const patience = { timeout: 60_000, interval: 200 };
const cameraPassword = 'S3cr@t:/P#w?%';
/** What of it could stand anywhere, as it is or encoded. */
const traces = /S3cr|P#w|P%23w/;
const pagePassword = 'open-sesame-1';

/** Of all pixels and colours, 0 to 255. */
async function brightest(png: Buffer): Promise<number> {
  const image = await loadImage(png);
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  return data.reduce((most, value, i) => (i % 4 === 3 ? most : Math.max(most, value)), 0);
}

describe.skipIf(chromiumPath === undefined)('the page before a whole engine', () => {
  let browser: Browser;
  let app: App;
  let nc: NatsConnection;
  let server: RtspServer;
  let open: OpenPage;
  let said = '';
  const dir = mkdtempSync(join(tmpdir(), 'lookahead-live-'));
  const forecasts: Forecast[] = [];
  const heard: string[] = [];

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
          yardCameras: 1,
          credentialsFile: join(dir, 'credentials.json'),
          nats: { port: 0, storeDir: join(dir, 'nats') },
          http: { port: 0, password: pagePassword },
          log: { level: 'debug' },
        }),
        tools: { ffmpegPath, natsServerPath: natsServerPath() },
        console: createConsole({ out, err: out, env: {}, level: 'debug', cameras: ['yard-1'] }),
        onFatal: (error) => {
          throw error;
        },
        signal: new AbortController().signal,
      }),
    ]);
    nc = await connect({ servers: app.natsUrl });
    nc.subscribe('>', {
      callback: (_error, { subject, data }) => {
        const text = new TextDecoder().decode(data);
        heard.push(`${subject} ${text}`);
        if (subject.endsWith('.yard-1.forecast')) {
          forecasts.push(ForecastSchema.parse(JSON.parse(text)));
        }
      },
    });
    open = await openPage(browser, app.pageUrl);
    open.page.setDefaultTimeout(60_000);
  });
  afterAll(async () => {
    await open.close();
    await browser.close();
    await nc.close();
    await app.close();
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const to = async (hash: string): Promise<Page> => {
    await open.page.goto(`${app.pageUrl}#/${hash}`);
    return open.page;
  };
  const metric = async (page: Page, name: string): Promise<string | undefined> => {
    const text = await page.evaluate<string>(`fetch('/metrics').then((answer) => answer.text())`);
    return new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1];
  };

  it('asks for the password first, and lets nobody in without it', async () => {
    const { page } = open;
    await page.getByLabel('Password').fill('something else');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText(/./).first().waitFor();
    await page.getByLabel('Password').fill(pagePassword);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'yard-1' }).waitFor();
    // The refusal is told by the browser, too.
    expect(open.problems.every((problem) => problem.includes('401'))).toBe(true);
  });

  it('shows the camera online, its picture, and in the lane what was published', async () => {
    const page = await to('');
    await page.locator('.tile .badge').getByText('online').waitFor();
    await page
      .locator('.tile .age')
      .getByText(/^still, .+ old$/)
      .waitFor();
    const lane = page.getByRole('listbox', { name: 'Forecasts of yard-1' });
    // What is spoken of the newest forecast names the answers that were heard on NATS.
    await expect
      .poll(async () => {
        const spoken = await lane.getByRole('option').last().getAttribute('aria-label');
        return forecasts
          .slice(-4)
          .some(({ events }) => spoken?.includes(events[0]!.label) === true);
      }, patience)
      .toBe(true);
  });

  it('shows what moves: the first viewer starts the live picture, the last one ends it', async () => {
    const page = await to('camera/yard-1');
    const picture = page.locator('.picture');
    await picture.locator('.live canvas').waitFor();
    await page.getByLabel('Masks').uncheck();
    const first = await picture.screenshot();
    expect(await brightest(first), 'it shows something').toBeGreaterThan(80);
    await expect.poll(async () => (await picture.screenshot()).equals(first), patience).toBe(false);
    await expect.poll(() => metric(page, 'lookahead_viewers'), patience).toBe('1');
    await page.getByLabel('Masks').check();
    await to('history');
    await expect.poll(() => metric(page, 'lookahead_viewers'), patience).toBe('0');
  });

  it('opens a forecast: chances, reasons, frames, stages, outcome', async () => {
    const page = await to('camera/yard-1');
    const lane = page.getByRole('listbox', { name: 'Forecasts of yard-1' });
    await expect.poll(() => lane.getByRole('option').count(), patience).toBeGreaterThan(5);
    await lane.focus();
    for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    const details = page.getByRole('region', { name: /^Forecast of/ });
    await details.getByText('Time by stage').waitFor();
    await details
      .getByRole('img', { name: /^Picture of / })
      .first()
      .waitFor();
    await details
      .getByText(/(Hit|Miss|Surprise|Undecidable)[:.]/)
      .first()
      .waitFor();
    const id = /#\/camera\/yard-1\/(.+)$/.exec(page.url())?.[1];
    expect(forecasts.map((forecast) => forecast.id)).toContain(id);
  });

  it('knows the past, tells how good it is, and answers', async () => {
    let page = await to('history');
    await expect.poll(() => page.getByRole('row').count(), patience).toBeGreaterThan(2);
    page = await to('quality');
    await page
      .getByText(/outcomes?/)
      .first()
      .waitFor();
    page = await to('camera/yard-1');
    await page.getByLabel('Question', { exact: true }).fill('what is happening ?');
    await page.getByRole('button', { name: 'Ask' }).click();
    await expect
      .poll(() => page.locator('.exchanges').innerText(), patience)
      .toMatch(/happening ?\?\s[\s\S]*[a-z]{2,} [a-z]{2,}/i);
  });

  it('tries a camera with a login, adds, masks and removes it, and keeps its password nowhere', async () => {
    const page = await to('manage');
    const fill = async (password: string): Promise<void> => {
      await page.getByLabel('Name').fill('gate');
      await page.getByLabel('Address').fill(server.url('gate'));
      await page.getByLabel('User').fill('bob');
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Test this camera' }).click();
    };
    await fill('wrong');
    await page
      .getByText(/refuse/i)
      .first()
      .waitFor();
    await fill(cameraPassword);
    await page.getByText(/320 ?[x×] ?180/).waitFor();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('link', { name: 'gate', exact: true }).waitFor();
    await page.locator('tr', { hasText: 'gate' }).getByText('online').waitFor();

    await to('manage/gate');
    await page.getByRole('button', { name: 'Add a mask by numbers' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect
      .poll(() => {
        const row = heard.findLast((line) => line.includes('LOOKAHEAD_home_cameras.gate'));
        return row?.includes('"polygon":[[');
      }, patience)
      .toBe(true);

    await to('manage');
    await page.getByRole('button', { name: 'Remove gate …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove gate' }).click();
    await expect
      .poll(() => page.getByRole('link', { name: 'gate', exact: true }).count(), patience)
      .toBe(0);
    const kept = await page.evaluate<string>(
      `document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + location.href + document.cookie`,
    );
    expect(kept).not.toMatch(traces);
    expect(heard.join('\n')).not.toMatch(traces);
    expect(said).not.toMatch(traces);
  });

  it('has said nothing wrong on its console, and is out after logging out', async () => {
    const { page } = open;
    // What the engine refused: a wrong password of the page, a camera that refused its login.
    const odd = open.problems.filter((problem) => !/status of (401|502|400)/.test(problem));
    expect(odd).toEqual([]);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Password').waitFor();
    const answer = await page.request.get(`${app.pageUrl}metrics`);
    expect(answer.status()).toBe(401);
  });
});
