// @ts-check
import js from '@eslint/js';
import rxjsX from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

/** Packages with one home each: [package, the only files that may import it]. */
const homes = [
  ['fluent-ffmpeg', ['src/ingest/rtsp.ts']],
  ['node-rtsp-stream', ['src/ingest/preview*.ts']],
  ['nats', ['src/sinks/bus.ts']],
  ['onnxruntime-node', ['src/models/session.ts']],
  ['prom-client', ['src/metrics/*.ts']],
];
const homeOf = ([name, files]) => ({
  group: [name, `${name}/*`],
  message: `Only ${files.join(', ')} knows ${name}.`,
});
const forbidden = (...patterns) => ['error', { patterns }];

export default tseslint.config(
  { ignores: ['dist', '.cache', 'training', 'bundles', '**/*.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      rxjsX.configs.strict,
    ],
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // Numbers in sentences are what messages are made of, and their printed form is what we want.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `_` says «this argument is required by the signature and not used».
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // noUncheckedIndexedAccess makes each element of a typed array «maybe undefined»; in a loop that
      // states its bound, `!` says so, and a check that can never fail would only be slower.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // tsconfig's noPropertyAccessFromIndexSignature asks for the opposite of this rule.
      '@typescript-eslint/dot-notation': 'off',
      // `new Observable(...)` callbacks and marble tests pass functions that return nothing on purpose.
      '@typescript-eslint/no-empty-function': 'off',
      'no-console': 'error',
      'no-restricted-imports': forbidden(...homes.map(homeOf)),
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CallExpression[callee.name=/^(exec|execSync)$/]',
          message: 'No shell: spawn(file, args) only.',
        },
        {
          selector: "Property[key.name='shell'][value.value=true]",
          message: 'No shell: spawn(file, args) only.',
        },
      ],
    },
  },
  ...homes.map((home, index) => ({
    files: home[1],
    rules: {
      'no-restricted-imports': forbidden(
        ...homes.filter((_, other) => other !== index).map(homeOf),
      ),
    },
  })),
  {
    // Operators are pure: no I/O, no clock but the scheduler.
    files: ['src/operators/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex:
                '^(?!(rxjs|\\./[a-z-]+\\.js|\\.\\./(types|messages|errors|scores)\\.js|\\.\\./models/manifest\\.js|\\.\\./outcomes/[a-z-]+\\.js)$)',
              message:
                'Operators import only rxjs, types, messages, errors, scores, models/manifest and outcomes.',
            },
          ],
        },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'setTimeout', 'setInterval', 'fetch'].map((name) => ({
          name,
          message: 'Operators are pure; time comes from the scheduler.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time comes from the scheduler.' },
        { object: 'Math', property: 'random', message: 'Chance comes as an argument.' },
      ],
    },
  },
  {
    // People read what these print.
    files: ['src/console.ts', 'src/commands/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts', 'examples/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // Tests and examples speak to the packages themselves, to check what ours does with them.
      'no-restricted-imports': 'off',
      // Marble tests read best when they subscribe inside the run callback and let the scheduler end them.
      'rxjs-x/no-ignored-error': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'URL', 'performance', 'setInterval', 'clearInterval'].map((name) => [
          name,
          'readonly',
        ]),
      ),
    },
  },
);
