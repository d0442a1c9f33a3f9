/** What a client sends on an RTSP connection: requests (RFC 2326) and, between them, interleaved RTCP (10.12). */

export interface RtspRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface InterleavedPacket {
  readonly kind: 'interleaved';
  readonly channel: number;
  readonly payload: Buffer;
}

/** The connection cannot be read any further; it is answered with `status` and closed. */
export interface MalformedRequest {
  readonly kind: 'malformed';
  readonly status: 400 | 413 | 505;
}

export type ClientItem = RtspRequest | InterleavedPacket | MalformedRequest;

export const headBytesMax = 16 * 1024;
export const bodyBytesMax = 16 * 1024;
export const headersMax = 64;

const endOfHead = '\r\n\r\n';
const dollar = 0x24;
const requestLine = /^([A-Z_]{1,32}) ([\x21-\x7e]{1,2048}) RTSP\/(\d{1,3}\.\d{1,3})$/;
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;
const onlyOnce: ReadonlySet<string> = new Set(['cseq', 'content-length', 'session', 'transport']);

/** Cuts the bytes of one connection. Holds at most one request or packet; never throws on any input. */
export class RequestReader {
  #pending: Buffer = Buffer.alloc(0);
  #broken = false;

  /** What became complete. After a malformed request everything is ignored. */
  push(chunk: Buffer): ClientItem[] {
    const items: ClientItem[] = [];
    if (this.#broken) return items;
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (let item = this.#next(); item !== undefined; item = this.#next()) {
      items.push(item);
      if (item.kind === 'malformed') {
        this.#broken = true;
        this.#pending = Buffer.alloc(0);
        break;
      }
    }
    return items;
  }

  #next(): ClientItem | undefined {
    let blank = 0; // Empty lines between requests are allowed (RFC 2326, 4.1).
    while (this.#pending[blank] === 0x0d || this.#pending[blank] === 0x0a) blank += 1;
    this.#pending = this.#pending.subarray(blank);
    if (this.#pending.length === 0) return undefined;
    return this.#pending[0] === dollar ? this.#interleaved() : this.#request();
  }

  #interleaved(): InterleavedPacket | undefined {
    if (this.#pending.length < 4) return undefined;
    const end = 4 + this.#pending.readUInt16BE(2);
    if (this.#pending.length < end) return undefined;
    const channel = this.#pending[1] ?? 0;
    return { kind: 'interleaved', channel, payload: this.#take(end).subarray(4) };
  }

  #request(): RtspRequest | MalformedRequest | undefined {
    const headEnd = this.#pending.indexOf(endOfHead);
    if (headEnd > headBytesMax || (headEnd === -1 && this.#pending.length > headBytesMax)) {
      return malformed(413);
    }
    if (headEnd === -1) return undefined;
    const head = parseHead(this.#pending.toString('latin1', 0, headEnd));
    if (head.kind === 'malformed') return head;
    const lengthText = head.headers.get('content-length') ?? '0';
    if (!/^\d{1,9}$/.test(lengthText)) return malformed(400);
    const bodyBytes = Number(lengthText);
    if (bodyBytes > bodyBytesMax) return malformed(413);
    const end = headEnd + endOfHead.length + bodyBytes;
    if (this.#pending.length < end) return undefined;
    return { ...head, body: this.#take(end).subarray(end - bodyBytes) };
  }

  #take(bytes: number): Buffer {
    const taken = this.#pending.subarray(0, bytes);
    this.#pending = this.#pending.subarray(bytes);
    return taken;
  }
}

function parseHead(text: string): RtspRequest | MalformedRequest {
  const [first = '', ...lines] = text.split('\r\n');
  const [, method, uri, version] = requestLine.exec(first) ?? [];
  if (method === undefined || uri === undefined) return malformed(400);
  if (version !== '1.0') return malformed(505);
  if (lines.length > headersMax) return malformed(413);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? [];
    if (name === undefined || value === undefined) return malformed(400);
    const key = name.toLowerCase();
    const before = headers.get(key);
    if (before !== undefined && onlyOnce.has(key)) return malformed(400);
    headers.set(key, before === undefined ? value.trim() : `${before}, ${value.trim()}`);
  }
  if (!/^\d{1,10}$/.test(headers.get('cseq') ?? '')) return malformed(400);
  return { kind: 'request', method, uri, headers, body: Buffer.alloc(0) };
}

function malformed(status: MalformedRequest['status']): MalformedRequest {
  return { kind: 'malformed', status };
}
