/**
 * The reference, made from the code: messages, JSON Schema, AsyncAPI, errors, configuration, metrics. `npm run docs`
 * writes it to `docs/reference/`; a test fails when what is committed is stale.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { BundleShowSchema, BundleUseSchema } from './bundle-switch.js';
import { configKeys, overrides } from './config.js';
import { errorCodes } from './errors.js';
import {
  EventMessageSchema,
  ForecastSchema,
  HeartbeatSchema,
  OutcomeSchema,
  SceneMessageSchema,
  ScoreSchema,
  StateMessageSchema,
  WebhookSchema,
} from './messages.js';
import { metricList } from './metrics/list.js';
import {
  AnswerPieceSchema,
  AskRequestSchema,
  CameraAddedSchema,
  CameraAddRequestSchema,
  CameraListSchema,
  CameraRemovedSchema,
  CameraRemoveRequestSchema,
} from './sinks/services.js';
import { defaultBudgets, storedKinds, streamName } from './sinks/streams.js';

/** What leaves the engine: name, address with parameters, schema. */
const messages = [
  ['forecast', 'lookahead.v1.{site}.{camera}.forecast', ForecastSchema],
  ['within', 'lookahead.v1.{site}.{camera}.within', ForecastSchema],
  ['event', 'lookahead.v1.{site}.{camera}.event', EventMessageSchema],
  ['outcome', 'lookahead.v1.{site}.{camera}.outcome', OutcomeSchema],
  ['scene', 'lookahead.v1.{site}.{camera}.scene', SceneMessageSchema],
  ['score', 'lookahead.v1.{site}.{camera}.score', ScoreSchema],
  ['state', 'lookahead.v1.{site}.{camera}.state', StateMessageSchema],
  ['heartbeat', 'lookahead.v1.{site}.heartbeat', HeartbeatSchema],
  ['cameraList', 'lookahead.v1.{site}.svc.cameras.list', CameraListSchema],
  ['cameraAdd', 'lookahead.v1.{site}.svc.cameras.add', CameraAddedSchema],
  ['cameraRemove', 'lookahead.v1.{site}.svc.cameras.remove', CameraRemovedSchema],
  ['answer', 'lookahead.v1.{site}.svc.ask', AnswerPieceSchema],
  ['bundle', 'lookahead.v1.{site}.svc.bundle.use', BundleShowSchema],
] as const;

/** What leaves it by other ways than NATS: name, way, schema. */
const posts = [['webhook', 'POST {webhooks.NAME.url}', WebhookSchema]] as const;

/** What services are asked, where it is more than nothing. */
const requests: Readonly<Record<string, z.ZodType>> = {
  cameraAdd: CameraAddRequestSchema,
  cameraRemove: CameraRemoveRequestSchema,
  answer: AskRequestSchema,
  bundle: BundleUseSchema,
};

/** The part of JSON Schema that zod makes of ours. */
interface Node {
  readonly $schema?: string | undefined;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly prefixItems?: readonly Node[];
  readonly anyOf?: readonly Node[];
}

/** As readers see it: fields that a later version adds are allowed, because v1 only ever adds. */
function jsonSchema(schema: z.ZodType): Node {
  return z.toJSONSchema(schema, { io: 'input' }) as Node;
}

const made = 'Made from the code by `npm run docs`; do not edit.';

/** Every file of the reference by its path below `docs/reference`. */
export function referenceFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, , schema] of [...messages, ...posts]) {
    const json = JSON.stringify(jsonSchema(schema), null, 2);
    files.set(`schema/${name}.json`, `${json}\n`);
  }
  files.set('messages.md', messagesPage());
  files.set('asyncapi.yaml', asyncApi());
  files.set('errors.md', errorsPage());
  files.set('config.md', configPage());
  files.set('metrics.md', metricsPage());
  return files;
}

function messagesPage(): string {
  const sections = [...messages, ...posts].map(([name, address, schema]) => {
    const node = jsonSchema(schema);
    const rows = fields(node).map((field) => [
      `\`${field.path}\``,
      kind(field.node),
      text(field.node),
    ]);
    return [
      `## ${name}`,
      `\`${address}\``,
      node.description ?? '',
      table(['field', 'type', 'meaning'], rows),
      ...requestPart(name),
      `[JSON Schema](schema/${name}.json)`,
    ].join('\n\n');
  });
  const streams = storedKinds.map((name) => {
    const { maxAgeMs, maxBytes } = defaultBudgets[name];
    return [
      `\`${streamName('<site>', name)}\``,
      `${maxAgeMs / 86_400_000} days`,
      `${maxBytes / 2 ** 20} MiB`,
    ];
  });
  return page(
    'Messages',
    'JSON over NATS. `{site}` and `{camera}` match `[A-Za-z0-9_-]{1,64}`; no camera is called `svc`. Version 1 only ever adds: readers must let unknown fields through.',
    table(
      ['subject', 'schema', 'kept'],
      messages.map(([name, address]) => [
        `\`${address}\``,
        `[${name}](#${name.toLowerCase()})`,
        address.includes('.svc.') ? 'reply of a service' : isKept(name) ? 'JetStream' : 'no',
      ]),
    ),
    'A robot should treat a forecast after its `validUntil`, three seconds without a heartbeat, a camera that is not `online`, and `calibrated: false` as **unknown**, never as clear ([examples](../../examples/README.md)).',
    '## Streams',
    'One for each stored kind, made by the engine when it connects and again when they are gone; the oldest messages go first. The same `Nats-Msg-Id` within two minutes is stored once. The last message of a camera is read without a consumer from `$JS.API.DIRECT.GET.<stream>.<subject>`.',
    table(['stream', 'kept for', 'at most'], streams),
    '## Over HTTP',
    'Beside NATS, what is worth telling is posted to [webhooks](../webhooks.md): [webhook](#webhook).',
    ...sections,
  );
}

function requestPart(name: string): string[] {
  const schema = requests[name];
  if (!schema) return [];
  const rows = fields(jsonSchema(schema)).map(({ path, node }) => [
    `\`${path}\``,
    kind(node),
    text(node),
  ]);
  return ['Its request:', table(['field', 'type', 'meaning'], rows)];
}

function isKept(name: string): boolean {
  return storedKinds.some((kept) => kept === name);
}

/** https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
function asyncApi(): string {
  const ref = (path: string) => ({ $ref: `#/${path}` });
  const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
  const channels: Record<string, unknown> = {};
  const operations: Record<string, unknown> = {};
  const components: Record<string, unknown> = {};
  for (const [name, address, schema] of messages) {
    // AsyncAPI names the dialect itself.
    const payload: Node = { ...jsonSchema(schema), $schema: undefined };
    const summary = payload.description ?? name;
    const parameters = {
      site: { description: 'The place.' },
      ...(address.includes('{camera}') ? { camera: { description: 'The camera.' } } : {}),
    };
    const isService = address.includes('.svc.');
    const sent = isService ? `${name}Reply` : name;
    components[sent] = { name: sent, summary, payload };
    if (!isService) {
      channels[name] = {
        address,
        parameters,
        messages: { [name]: ref(`components/messages/${name}`) },
      };
      operations[`publish${capital(name)}`] = { action: 'send', channel: ref(`channels/${name}`) };
      continue;
    }
    const request = `${name}Request`;
    const asked = requests[name];
    const question: Node = asked
      ? { ...jsonSchema(asked), $schema: undefined }
      : { type: 'object' };
    components[request] = {
      name: request,
      summary: question.description ?? 'Empty, or an object.',
      payload: question,
    };
    channels[name] = {
      address,
      parameters,
      messages: { [request]: ref(`components/messages/${request}`) },
    };
    channels[sent] = { address: null, messages: { [sent]: ref(`components/messages/${sent}`) } };
    operations[`answer${capital(name)}`] = {
      action: 'receive',
      channel: ref(`channels/${name}`),
      reply: { channel: ref(`channels/${sent}`) },
    };
  }
  return stringify(
    {
      asyncapi: '3.0.0',
      info: {
        title: 'Lookahead',
        version: '1.0.0',
        description: `What the engine publishes and answers. ${made}`,
        license: { name: 'Apache-2.0' },
      },
      defaultContentType: 'application/json',
      servers: { nats: { host: 'localhost:4222', protocol: 'nats' } },
      channels,
      operations,
      components: { messages: components },
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, meaning]) => [`\`${code}\``, meaning]);
  return page(
    'Errors',
    'Each says what was wrong, with the value, and what to do next. Logs, metrics and replies carry the code.',
    table(['code', 'meaning'], rows),
  );
}

function configPage(): string {
  const rows = configKeys().map(({ key, description, default: value, schema }) => [
    `\`${key}\``,
    kind(schema as Node),
    value === undefined ? 'must be given' : `\`${JSON.stringify(value)}\``,
    description,
  ]);
  return page(
    'Configuration',
    'One YAML file, read at the start. An unknown key is refused. [deploy/lookahead.example.yaml](../../deploy/lookahead.example.yaml) has every key with a comment; `./lookahead check FILE` says what is wrong with yours. Flags win over the environment, the environment over the file, the file over the defaults.',
    table(['key', 'type', 'default', 'meaning'], rows),
    '## Flags and environment',
    table(
      ['key', 'flag', 'environment'],
      overrides.map(({ path, flag, env }) => [
        `\`${path.join('.')}\``,
        `\`--${flag}\``,
        `\`${env}\``,
      ]),
    ),
  );
}

function metricsPage(): string {
  const rows = metricList.map(({ name, type, labels, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return page(
    'Metrics',
    'In Prometheus text format at `/metrics`.',
    table(['metric', 'type', 'labels', 'meaning'], rows),
  );
}

interface Field {
  readonly path: string;
  readonly node: Node;
}

/** `events[].label`, `cameras.*`: every field below a schema, parents first. */
function fields(node: Node, at = ''): Field[] {
  const below = (child: Node, path: string): Field[] => [
    { path, node: child },
    ...fields(child, path),
  ];
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([name, child]) =>
      below(child, at === '' ? name : `${at}.${name}`),
    );
  }
  return node.items?.properties === undefined ? [] : fields(node.items, `${at}[]`);
}

/** A type as people write it. */
function kind(node: Node): string {
  if (typeof node.type === 'object') {
    return node.type.map((type) => kind({ ...node, type })).join(' or ');
  }
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((v) => `\`${JSON.stringify(v)}\``).join(', ');
  if (node.anyOf !== undefined) return node.anyOf.map(kind).join(' or ');
  if (node.format === 'date-time') return 'time';
  if (node.type === 'array') {
    if (node.prefixItems !== undefined) return `[${node.prefixItems.map(kind).join(', ')}]`;
    const length = node.minItems === node.maxItems && node.minItems !== undefined;
    return `array${length ? ` (${node.minItems ?? ''})` : ''} of ${kind(node.items ?? {})}`;
  }
  if (node.type === 'object') {
    const { additionalProperties: values } = node;
    return typeof values === 'object' ? `map to ${kind(values)}` : 'object';
  }
  if (node.type === 'number' || node.type === 'integer') return `${node.type}${range(node)}`;
  return node.type ?? 'any';
}

function range(node: Node): string {
  // zod states the bounds of a safe integer; they say nothing to a reader.
  const isBound = (value: number | undefined): value is number =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const low = isBound(node.minimum) ? `${node.minimum}` : undefined;
  const above = isBound(node.exclusiveMinimum) ? `above ${node.exclusiveMinimum}` : undefined;
  const high = isBound(node.maximum) ? `${node.maximum}` : undefined;
  if (low !== undefined && high !== undefined) return `, ${low} to ${high}`;
  if (low !== undefined) return `, ${low} or more`;
  if (above !== undefined) return `, ${above}`;
  return high === undefined ? '' : `, ${high} or less`;
}

function text(node: Node): string {
  const own = node.description ?? node.items?.description;
  return own ?? node.anyOf?.find(({ description }) => description !== undefined)?.description ?? '';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (value: string): string =>
    value
      .replaceAll('|', '\\|')
      .replaceAll('\n', ' ')
      .replace(/<(?=[^`]*(?:`[^`]*`[^`]*)*$)/g, '&lt;'); // Outside of code, GitHub would take it for HTML.
  const all = [head.map(cell), ...rows.map((row) => row.map(cell))];
  const widths = head.map((_, at) => Math.max(3, ...all.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...all.slice(1).map(line)].join('\n');
}

function page(title: string, ...parts: readonly string[]): string {
  return `${[`# ${title}`, ...parts, `<!-- ${made} -->`].join('\n\n')}\n`;
}

/** Writes all files and removes those that are no longer made. */
export function writeReference(folder: string): void {
  const files = referenceFiles();
  for (const [name, content] of files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  for (const path of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const name = join(path.parentPath, path.name).slice(folder.length + 1);
    if (path.isFile() && !files.has(name)) rmSync(join(folder, name));
  }
}
