/**
 * The configuration: every key with its default, bound and description. Flags win over the environment, the
 * environment over the file, the file over the defaults. Read-only at run time.
 */
import { z } from 'zod';
import { HarvestSchema } from './harvest/config-schema.js';
import { TokenSchema } from './messages.js';
import { devices } from './models/device.js';
import type { GateLimits } from './operators/gate.js';
import { defaultGate, defaultLimits } from './pipeline-config.js';
import { PrivacyMasksSchema } from './privacy-mask-schema.js';
import { WebhooksSchema } from './sinks/webhook-config.js';

const text = z.string().min(1).max(4096);
const port = z.int().min(0).max(65_535);
const secret = z
  .string()
  .max(1024)
  .regex(/^[^\r\n\0]*$/, 'must be one line');

const prompt = (what: string) =>
  z
    .string()
    .trim()
    .min(1)
    .max(500)
    .nullable()
    .default(null)
    .describe(`${what} null: the bundle's own.`);

const PromptsSchema = z
  .strictObject({
    forecast: prompt('Begins what comes next.'),
    justify: prompt('Joins a forecast and its reason.'),
    events: prompt('Begins the list of what was recognised.'),
    cause: prompt('Asks what an event came of.'),
    describe: prompt('Begins a description of the scene.'),
    ask: prompt('Begins a question.'),
    answer: prompt('Begins the answer to a question.'),
    verbal: prompt('Asks for chances in words.'),
    question: prompt(
      'What `svc.ask` asks where a request has no question; `<event>` stands for the newest recognised event. The default asks how that came.',
    ),
  })
  .prefault({})
  .describe('Words that the language model of this camera is asked with.');

/** Of one engine, added ones among them. */
export const camerasMax = 64;

export const CameraSchema = z
  .strictObject({
    url: text
      .regex(
        /^(rtsps?:\/\/[^\s/]\S*|file:.+)$/i,
        'must be rtsp://HOST/…, rtsps://HOST/… or file:PATH',
      )
      .describe(
        'Where the pictures come from: rtsp://, rtsps://, or file:PATH, which loops a recording through the built-in RTSP server.',
      ),
    username: secret
      .nullable()
      .default(null)
      .describe('Login name; ${NAME} reads the environment.'),
    password: secret
      .nullable()
      .default(null)
      .describe('Password; ${NAME} reads the environment. It is never printed or published.'),
    passwordFile: text
      .nullable()
      .default(null)
      .describe('A file whose first line is the password, instead of `password`.'),
    transport: z.enum(['tcp', 'udp']).default('tcp').describe('How RTP travels.'),
    timeoutMs: z
      .int()
      .min(500)
      .max(60_000)
      .default(5000)
      .describe('A connection that says nothing for so long is given up.'),
    silenceMs: z
      .int()
      .min(1000)
      .max(120_000)
      .default(5000)
      .describe('No picture for so long: the camera is called lost and reconnected.'),
    privacyMasks: PrivacyMasksSchema,
    harvest: z
      .boolean()
      .default(true)
      .describe('Whether windows of this camera may be kept where `harvest.enabled` is true.'),
    prompts: PromptsSchema,
  })
  .refine((camera) => camera.password === null || camera.passwordFile === null, {
    message: 'give either password or passwordFile, not both',
    path: ['passwordFile'],
  });

/** Names that every JavaScript object already has would be found where nobody put them. */
export const CameraNameSchema = TokenSchema.refine((name) => name !== 'svc' && !(name in {}), {
  message: 'this name is reserved',
});

const streamOf = (maxMib: number, maxAgeH: number) =>
  z
    .strictObject({
      maxAgeH: z
        .number()
        .min(0.1)
        .max(87_600)
        .default(maxAgeH)
        .describe('Messages older than this are deleted.'),
      maxMib: z
        .int()
        .min(1)
        .max(1_048_576)
        .default(maxMib)
        .describe('The oldest go beyond this size.'),
    })
    .prefault({});

const NatsSchema = z
  .strictObject({
    servers: z
      .array(text)
      .min(1)
      .max(16)
      .nullable()
      .default(null)
      .describe(
        'Addresses such as nats://host:4222. null: a nats-server is started beside the engine.',
      ),
    user: secret.nullable().default(null).describe('User; ${NAME} reads the environment.'),
    password: secret.nullable().default(null).describe('Password; ${NAME} reads the environment.'),
    token: secret.nullable().default(null).describe('Token; ${NAME} reads the environment.'),
    credsFile: text.nullable().default(null).describe('Credentials file as nsc writes it.'),
    caFile: text
      .nullable()
      .default(null)
      .describe(
        'Certificates (PEM) of the authorities that may vouch for the servers, instead of those of the system. With it the connection is refused where it is not encrypted.',
      ),
    inboxPrefix: text
      .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, 'must be tokens of letters, digits, "_" or "-"')
      .default('_INBOX')
      .describe(
        'Begin of the subjects that replies come on; a login may be bound to one of its own, such as _INBOX_robot.',
      ),
    websocket: text
      .regex(
        /^wss?:\/\/[^\s/@]+(\/[^\s@]*)?$/i,
        'must be ws://HOST:PORT or wss://HOST:PORT, without a login',
      )
      .nullable()
      .default(null)
      .describe(
        'Address of the WebSocket listener of the configured servers, for the dashboard: ws:// or wss://. null: the dashboard gets nothing from them. The server beside the engine has its own.',
      ),
    dashboardUser: secret
      .nullable()
      .default(null)
      .describe(
        'User of the dashboard, with a role that may only read; whoever may see the dashboard gets it. ${NAME} reads the environment. null: the listener asks for none.',
      ),
    dashboardPassword: secret
      .nullable()
      .default(null)
      .describe('Its password; ${NAME} reads the environment.'),
    port: port
      .default(4222)
      .describe(
        'Port of the server that is started beside the engine, on 127.0.0.1; 0: any free one.',
      ),
    storeDir: text
      .nullable()
      .default(null)
      .describe('Where that server keeps its streams; null: .cache/nats in the repository.'),
    streams: z
      .strictObject({
        forecast: streamOf(1024, 168).describe('Forecasts; about 3 kB each.'),
        within: streamOf(256, 24).describe('Forecasts with the target within.'),
        event: streamOf(256, 168).describe('Recognised events.'),
        outcome: streamOf(256, 168).describe('Outcomes.'),
        score: streamOf(256, 720).describe('Rolling scores.'),
        state: streamOf(16, 720).describe('Camera states.'),
      })
      .prefault({})
      .describe('What JetStream keeps of each kind.'),
  })
  .prefault({})
  .refine(({ servers, websocket }) => servers !== null || websocket === null, {
    message: 'belongs to configured servers: set nats.servers too, or leave it out',
    path: ['websocket'],
  })
  .refine((nats) => (nats.dashboardUser === null) === (nats.dashboardPassword === null), {
    message: 'dashboardUser and dashboardPassword go together: set both or none',
    path: ['dashboardUser'],
  })
  .describe('The message broker.');

const GateSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Whether the language model runs only where something has changed. false: for every forecast, in the rhythm of the bundle.',
      ),
    distanceMax: z
      .number()
      .min(0)
      .max(1)
      .default(defaultGate.distanceMax)
      .describe(
        'Something has changed when the chances of the cheap model differ by more than this from those at the last reasoned forecast: total variation, 0 to 1.',
      ),
    reasonEveryMaxMs: z
      .int()
      .min(1000)
      .max(3_600_000)
      .default(defaultGate.reasonEveryMaxMs)
      .describe(
        'Longest time between two reasoned forecasts, whether anything has changed or not.',
      ),
    movingMinPerS: z
      .number()
      .min(0)
      .max(10)
      .default(defaultGate.movingMinPerS)
      .describe(
        'A thing at rest begins to move from this speed on: shares of the picture a second.',
      ),
    restingMaxPerS: z
      .number()
      .min(0)
      .max(10)
      .default(defaultGate.restingMaxPerS)
      .describe(
        'A moving thing has come to rest below this speed: shares of the picture a second.',
      ),
    attributeOnMin: z
      .number()
      .min(0)
      .max(1)
      .default(defaultGate.attributeOnMin)
      .describe('What can be seen of a thing or place is there from this chance on.'),
    attributeOffMax: z
      .number()
      .min(0)
      .max(1)
      .default(defaultGate.attributeOffMax)
      .describe('It is gone below this chance; in between it stays as it was.'),
    goneClips: z
      .int()
      .min(1)
      .max(16)
      .default(defaultGate.goneClips)
      .describe('A thing that was not seen for so many clips is gone.'),
    explain: z
      .boolean()
      .default(true)
      .describe('Whether reasons are worked out after a forecast, as its revision 1.'),
    explainChangeMin: z
      .number()
      .min(0)
      .max(1)
      .default(defaultLimits.explainChangeMin)
      .describe(
        'Reasons are worked out anew where the most likely answer is another, or its chance differs by this much.',
      ),
  })
  .prefault({})
  .refine(({ movingMinPerS, restingMaxPerS }) => restingMaxPerS <= movingMinPerS, {
    message: 'must not be above movingMinPerS',
    path: ['restingMaxPerS'],
  })
  .refine(({ attributeOnMin, attributeOffMax }) => attributeOffMax <= attributeOnMin, {
    message: 'must not be above attributeOnMin',
    path: ['attributeOffMax'],
  })
  .describe(
    'When the language model runs: at once when something changes, rarely when nothing does.',
  );

const RecalibrationConfigSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Whether each camera learns one temperature and one bias of nothing from its own outcomes and applies them. false: the chances of the bundle as they are.',
      ),
  })
  .prefault({})
  .describe('What is learned on each camera: ./lookahead calibration.');

const AskSchema = z
  .strictObject({
    waitingMax: z
      .int()
      .min(0)
      .max(64)
      .default(4)
      .describe('Questions that may wait while one is being answered; more are refused.'),
    deadlineMs: z
      .int()
      .min(500)
      .max(600_000)
      .default(20_000)
      .describe(
        'A question that is not answered within this time, its wait included, is given up.',
      ),
    tokensMax: z
      .int()
      .min(1)
      .max(1024)
      .default(96)
      .describe('Longest answer, in tokens of the language model.'),
  })
  .prefault({})
  .describe('Questions about a camera: ./lookahead ask, svc.ask.');

export const ConfigSchema = z.strictObject({
  site: TokenSchema.default('home').describe(
    'Name of this place; the third token of every subject. Letters, digits, "_" and "-".',
  ),
  cameras: z
    .record(CameraNameSchema, CameraSchema)
    .default({})
    .refine(
      (cameras) => Object.keys(cameras).length <= camerasMax,
      `at most ${camerasMax} cameras for one engine`,
    )
    .refine(
      (cameras) =>
        new Set(Object.keys(cameras).map((name) => name.toLowerCase())).size ===
        Object.keys(cameras).length,
      'two names differ only in upper and lower case',
    )
    .describe('The cameras by name. A name is a token of subjects: letters, digits, "_" and "-".'),
  credentialsFile: text
    .nullable()
    .default(null)
    .describe(
      'Logins of cameras that are added while the engine runs, JSON of NAME: { "username", "password" }; readable for the user of the engine alone. null: .cache/credentials.json in the repository.',
    ),
  yardCameras: z
    .int()
    .min(0)
    .max(16)
    .default(2)
    .describe('Simulated cameras, watched when no camera is configured.'),
  bundle: text
    .default('yard')
    .describe('The models: a name under bundles/, or the path of a folder with a manifest.json.'),
  models: z
    .strictObject({
      device: z
        .enum(devices)
        .default('cpu')
        .describe(
          "What the models run on. cuda: an NVIDIA card; onnxruntime's CUDA provider must be there, see ./lookahead setup --cuda.",
        ),
      batchMax: z
        .int()
        .min(1)
        .max(64)
        .default(8)
        .describe(
          'Clips of different cameras that the perceiver computes at once, as many as wait when it is free. More costs memory.',
        ),
      batchWaitMs: z
        .int()
        .min(0)
        .max(1000)
        .default(0)
        .describe(
          'Longest time that a free perceiver waits for a batch to fill. It delays every forecast, and pays only where a batch is much cheaper for each clip than a single one: rarely on a CPU.',
        ),
      switchable: z
        .array(text)
        .max(64)
        .default([])
        .describe(
          'Folders of bundles that `bundle.use` may be asked for over NATS, beside the names below bundles/.',
        ),
    })
    .prefault({})
    .describe('How the models are run.'),
  gate: GateSchema,
  within: z
    .boolean()
    .default(true)
    .describe(
      'Whether each forecast of what begins first has a twin of what begins at all in the horizon, on the subject `within`.',
    ),
  ask: AskSchema,
  recalibration: RecalibrationConfigSchema,
  harvest: HarvestSchema,
  nats: NatsSchema,
  webhooks: WebhooksSchema,
  http: z
    .strictObject({
      host: text
        .default('127.0.0.1')
        .describe('Address to listen on. Wider than this machine only with a password or a token.'),
      port: port
        .default(9700)
        .describe('Port of the dashboard, metrics and health; 0: any free one.'),
      password: secret
        .nullable()
        .default(null)
        .describe(
          'Password of the dashboard, 8 characters or more; ${NAME} reads the environment.',
        ),
      passwordFile: text
        .nullable()
        .default(null)
        .describe('A file whose first line is the password, instead of `password`.'),
      token: secret
        .nullable()
        .default(null)
        .describe(
          'Lets programs in, as `authorization: Bearer TOKEN`: Prometheus, curl. 16 characters or more; ${NAME} reads the environment.',
        ),
      publicUrl: text
        .regex(
          /^https?:\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?\/?$/i,
          'must be https://HOST or https://HOST:PORT, with nothing behind it',
        )
        .refine((url) => URL.canParse(url), 'is no address')
        .nullable()
        .default(null)
        .describe(
          'Where a proxy with TLS serves the dashboard, as browsers see it: https://HOST[:PORT]. Needs a password or a token.',
        ),
    })
    .refine(({ password, passwordFile }) => password === null || passwordFile === null, {
      message: 'give either password or passwordFile, not both',
      path: ['passwordFile'],
    })
    .prefault({})
    .describe('Dashboard, /metrics, /livez, /readyz.'),
  limits: z
    .strictObject({
      outboxMessages: z
        .int()
        .min(16)
        .max(1_000_000)
        .default(4096)
        .describe('Messages that wait for the broker; beyond it the least important go first.'),
      outboxMib: z.int().min(1).max(4096).default(32).describe('The same in size.'),
      viewersMax: z
        .int()
        .min(0)
        .max(64)
        .default(4)
        .describe('Live pictures at once; each costs an ffmpeg process.'),
      stillsMib: z
        .int()
        .min(1)
        .max(16_384)
        .default(128)
        .describe(
          'Key frames of the last while, to be looked at, of all cameras together in equal shares; the newest of each is kept in any case.',
        ),
      drainMs: z
        .int()
        .min(0)
        .max(60_000)
        .default(10_000)
        .describe('Longest time that stopping may take.'),
    })
    .prefault({})
    .describe('Bounds of what waits.'),
  log: z
    .strictObject({
      level: z
        .enum(['error', 'warn', 'info', 'debug'])
        .default('info')
        .describe('Least important line that is printed on standard error.'),
    })
    .prefault({})
    .describe('What the engine says about itself.'),
});

export type Config = z.infer<typeof ConfigSchema>;
export type CameraConfig = Config['cameras'][string];
export type LogLevel = Config['log']['level'];

/** Undefined: switched off. */
export function gateOf({ enabled, ...limits }: Config['gate']): GateLimits | undefined {
  return enabled ? limits : undefined;
}

export type PromptOverrides = Readonly<
  Partial<Record<Exclude<keyof CameraConfig['prompts'], 'question'>, string>>
>;

/** A camera's own words for the language model; what it leaves to the bundle is not among them. */
export function promptsOf({ cameras }: Pick<Config, 'cameras'>, camera: string): PromptOverrides {
  const { question: _ours, ...prompts } = cameras[camera]?.prompts ?? { question: null };
  return Object.fromEntries(
    Object.entries(prompts).flatMap(([name, words]) => (words === null ? [] : [[name, words]])),
  );
}

/** The configured cameras; yard cameras where none is configured. */
export function cameraNamesOf(config: Pick<Config, 'cameras' | 'yardCameras'>): string[] {
  const configured = Object.keys(config.cameras);
  if (configured.length > 0) return configured;
  return Array.from({ length: config.yardCameras }, (_, index) => `yard-${index + 1}`);
}

export interface Override {
  /** Where in the configuration. */
  readonly path: readonly string[];
  readonly flag: string;
  readonly env: string;
  readonly kind: 'text' | 'number' | 'list';
}

/** What flags and environment can set, besides `--camera NAME=URL`. Both names come from the key. */
export const overrides: readonly Override[] = [
  { path: ['site'], flag: 'site', env: 'LOOKAHEAD_SITE', kind: 'text' },
  { path: ['bundle'], flag: 'bundle', env: 'LOOKAHEAD_BUNDLE', kind: 'text' },
  { path: ['models', 'device'], flag: 'device', env: 'LOOKAHEAD_DEVICE', kind: 'text' },
  { path: ['yardCameras'], flag: 'yard-cameras', env: 'LOOKAHEAD_YARD_CAMERAS', kind: 'number' },
  { path: ['nats', 'servers'], flag: 'nats', env: 'LOOKAHEAD_NATS', kind: 'list' },
  { path: ['nats', 'port'], flag: 'nats-port', env: 'LOOKAHEAD_NATS_PORT', kind: 'number' },
  { path: ['nats', 'storeDir'], flag: 'nats-store', env: 'LOOKAHEAD_NATS_STORE', kind: 'text' },
  { path: ['http', 'host'], flag: 'http-host', env: 'LOOKAHEAD_HTTP_HOST', kind: 'text' },
  { path: ['http', 'port'], flag: 'http-port', env: 'LOOKAHEAD_HTTP_PORT', kind: 'number' },
  { path: ['log', 'level'], flag: 'log-level', env: 'LOOKAHEAD_LOG_LEVEL', kind: 'text' },
];

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly type?: string;
  readonly default?: unknown;
  readonly description?: string;
}

/** The schema as plain data (JSON Schema): for the reference page, and to name the nearest known key. */
export function configJsonSchema(): SchemaNode {
  return z.toJSONSchema(ConfigSchema, { io: 'input' }) as SchemaNode;
}

/** The keys that are known at a place. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  let node: SchemaNode | undefined = configJsonSchema();
  for (const part of path) {
    const below: SchemaNode | boolean | undefined =
      node?.properties?.[String(part)] ?? node?.items ?? node?.additionalProperties;
    node = typeof below === 'object' ? (below.anyOf?.[0] ?? below) : undefined;
  }
  return Object.keys(node?.properties ?? {});
}

export interface ConfigKey {
  /** Dotted; `cameras.NAME.url`. */
  readonly key: string;
  readonly description: string;
  readonly default: unknown;
  readonly schema: SchemaNode;
}

/** Every key that holds a value, in the order of the schema. */
export function configKeys(node: SchemaNode = configJsonSchema(), at = ''): ConfigKey[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = at === '' ? name : `${at}.${name}`;
    if (child.properties !== undefined) return configKeys(child, key);
    const values = child.additionalProperties;
    if (typeof values === 'object' && values.properties !== undefined) {
      return configKeys(values, `${key}.NAME`);
    }
    return [{ key, description: child.description ?? '', default: child.default, schema: child }];
  });
}
