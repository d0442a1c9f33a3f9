/** An HTTP server of ours with nothing behind it but what a test puts there; requests go out as they are written. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { startHttp, type HttpOptions, type HttpServer } from '../../src/http/server.js';

/** A dashboard of three files, with something beside its folder that must stay unseen. */
export function buildDashboard(): { dir: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'lookahead-http-'));
  const dir = join(folder, 'dashboard');
  mkdirSync(join(dir, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(dir, 'index.html'), '<!doctype html><title>Lookahead</title>');
  writeFileSync(join(dir, 'assets', 'index-4f2a.js'), 'export {};');
  writeFileSync(join(dir, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  return { dir, remove: () => rmSync(folder, { recursive: true }) };
}

/** Ends with the test. */
export async function httpForTest(more: Partial<HttpOptions> = {}): Promise<HttpServer> {
  const server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    version: '1.2.3',
    site: 'home',
    viewersMax: 1,
    dashboardDir: join(tmpdir(), 'lookahead-no-dashboard'),
    metrics: { contentType: 'text/plain; version=0.0.4', text: () => Promise.resolve('x 1\n') },
    hindrances: () => [],
    ...more,
  });
  onTestFinished(() => server.close());
  return server;
}

export interface Reply {
  readonly status: number | undefined;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Sent as JSON, with the headers that the dashboard sends. */
  readonly json?: unknown;
}

/** Sends the path as it is; fetch would tidy it up. */
export function ask(server: HttpServer, path: string, more: AskOptions = {}): Promise<Reply> {
  const { port, hostname } = new URL(server.url);
  const { json } = more;
  const headers =
    json === undefined
      ? { ...more.headers }
      : { 'content-type': 'application/json', origin: originOf(server), ...more.headers };
  const body = json === undefined ? more.body : JSON.stringify(json);
  return new Promise((resolve, reject) => {
    const method = more.method ?? (body === undefined ? 'GET' : 'POST');
    const host = hostname === '0.0.0.0' ? '127.0.0.1' : hostname;
    const sent = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = httpRequest(
      { port, host, path, method, headers: { ...sent, ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: text }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

export function originOf(server: HttpServer): string {
  return server.url.slice(0, -1);
}

/** The cookie as a browser sends it back. */
export async function logIn(server: HttpServer, password: string): Promise<string> {
  const { headers } = await ask(server, '/login', { json: { password } });
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

export function connectTo(
  server: HttpServer,
  path: string,
  options: ClientOptions = {},
): WebSocket {
  return new WebSocket(new URL(path, server.url.replace('http', 'ws')), options);
}

/** Why no WebSocket came about. */
export async function refusalOf(socket: WebSocket): Promise<string> {
  const [error] = (await once(socket, 'error')) as [Error];
  return error.message;
}
