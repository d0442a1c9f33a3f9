/** A new camera: its address is tried before it is kept. The password lives in its field alone, until it has been used. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { CameraTestedSchema, paths, type CameraTested } from '../../http/contract.js';
import { faultOfName, readAddress } from './camera-address.js';
import { RequestFailure, send } from './session.js';

type Tested =
  | { readonly at: 'untested' }
  | { readonly at: 'testing' }
  | { readonly at: 'failed'; readonly failure: RequestFailure }
  | { readonly at: 'seen'; readonly seen: CameraTested };

interface Props {
  readonly taken: readonly string[];
  readonly onAdded: (camera: string) => void;
}

export function CameraForm({ taken, onAdded }: Props): ComponentChild {
  const id = useId();
  const name = useSignal('');
  const url = useSignal('');
  const username = useSignal('');
  const transport = useSignal<'tcp' | 'udp'>('tcp');
  const password = useRef<HTMLInputElement>(null);
  const faults = useSignal({ name: '', url: '' });
  const note = useSignal('');
  const tested = useSignal<Tested>({ at: 'untested' });
  const isAdding = useSignal(false);
  const addFailure = useSignal('');

  // A test that is on its way when the address changes says nothing of the new one.
  const turn = useRef(0);
  const forget = (): void => {
    turn.current += 1;
    tested.value = { at: 'untested' };
    addFailure.value = '';
  };
  useEffect(
    () => () => {
      if (password.current !== null) password.current.value = '';
    },
    [],
  );

  /** Takes a login out of the address. False: it cannot be used. */
  const checkAddress = (): boolean => {
    const read = readAddress(url.value);
    if (typeof read === 'string') {
      faults.value = { ...faults.value, url: read };
      return false;
    }
    faults.value = { ...faults.value, url: '' };
    url.value = read.url;
    if (read.login !== null && password.current !== null) {
      username.value = read.login.username;
      password.current.value = read.login.password;
      note.value =
        'The login was taken out of the address and put into its own fields. The password goes to the credential store of the engine and nowhere else.';
    }
    return true;
  };
  const addressBody = () => ({
    url: url.value,
    username: username.value === '' ? null : username.value,
    password: password.current?.value === '' ? null : (password.current?.value ?? null),
    transport: transport.value,
  });

  const test = async (): Promise<void> => {
    if (!checkAddress()) return;
    forget();
    const own = turn.current;
    tested.value = { at: 'testing' };
    const answer = await send('POST', paths.cameraTest, addressBody());
    if (own !== turn.current) return;
    const { data } = CameraTestedSchema.safeParse(answer);
    if (data !== undefined) tested.value = { at: 'seen', seen: data };
    else if (answer instanceof RequestFailure) tested.value = { at: 'failed', failure: answer };
    else {
      const failure = new RequestFailure(
        'http',
        'The answer cannot be read.',
        'Load the page anew.',
      );
      tested.value = { at: 'failed', failure };
    }
  };

  const add = async (): Promise<void> => {
    const wrong = faultOfName(name.value, taken);
    faults.value = { ...faults.value, name: wrong };
    const isAddress = checkAddress();
    if (wrong !== '' || !isAddress || isAdding.value) return;
    isAdding.value = true;
    addFailure.value = '';
    const camera = name.value;
    const body = { camera, ...addressBody(), privacyMasks: [] };
    const answer = await send('POST', paths.cameras, body);
    isAdding.value = false;
    if (answer instanceof RequestFailure) {
      addFailure.value = `${answer.message} ${answer.remedy}`;
      return;
    }
    if (password.current !== null) password.current.value = '';
    for (const field of [name, url, username, note]) field.value = '';
    forget();
    onAdded(camera);
  };

  const state = tested.value;
  const isBusy = state.at === 'testing' || isAdding.value;

  return (
    <form
      class="panel camera-form"
      aria-labelledby={`${id}-title`}
      autocomplete="off"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void (state.at === 'seen' ? add() : test());
      }}
    >
      <h2 id={`${id}-title`}>Add a camera</h2>
      <div class="fields">
        <Field id={`${id}-name`} title="Name" fault={faults.value.name}>
          <input
            id={`${id}-name`}
            value={name.value}
            maxLength={64}
            placeholder="gate"
            spellcheck={false}
            aria-invalid={faults.value.name !== ''}
            aria-describedby={`${id}-name-fault`}
            onInput={({ currentTarget }) => (name.value = currentTarget.value.trim())}
            onBlur={(event) => {
              if (name.value === '' || isOnItsWayToButton(event)) return;
              faults.value = { ...faults.value, name: faultOfName(name.value, taken) };
            }}
          />
        </Field>
        <Field id={`${id}-url`} title="Address" fault={faults.value.url} isWide>
          <input
            id={`${id}-url`}
            value={url.value}
            maxLength={1024}
            inputMode="url"
            placeholder="rtsp://192.168.1.20/stream1"
            spellcheck={false}
            aria-invalid={faults.value.url !== ''}
            aria-describedby={`${id}-url-fault`}
            onInput={({ currentTarget }) => {
              url.value = currentTarget.value;
              forget();
            }}
            onBlur={(event) => {
              if (url.value !== '' && !isOnItsWayToButton(event)) checkAddress();
            }}
          />
        </Field>
        <Field id={`${id}-transport`} title="Transport">
          <select
            id={`${id}-transport`}
            value={transport.value}
            onChange={({ currentTarget }) => {
              transport.value = currentTarget.value === 'udp' ? 'udp' : 'tcp';
              forget();
            }}
          >
            <option value="tcp">TCP, usual</option>
            <option value="udp">UDP</option>
          </select>
        </Field>
        <Field id={`${id}-user`} title="User">
          <input
            id={`${id}-user`}
            value={username.value}
            maxLength={1024}
            autocomplete="off"
            spellcheck={false}
            placeholder="none"
            onInput={({ currentTarget }) => {
              username.value = currentTarget.value;
              forget();
            }}
          />
        </Field>
        <Field id={`${id}-password`} title="Password">
          <input
            ref={password}
            id={`${id}-password`}
            type="password"
            maxLength={1024}
            // With "off" browsers put the saved password of this page there.
            autocomplete="new-password"
            placeholder="none"
            onInput={forget}
          />
        </Field>
      </div>
      <div class="buttons">
        <button
          class={state.at === 'seen' ? '' : 'primary'}
          type="button"
          disabled={isBusy}
          onClick={() => void test()}
        >
          {state.at === 'testing' ? 'Testing …' : 'Test this camera'}
        </button>
        <button
          class={state.at === 'seen' ? 'primary' : ''}
          type="button"
          disabled={isBusy || (state.at !== 'seen' && state.at !== 'failed')}
          onClick={() => void add()}
        >
          {isAdding.value ? 'Adding …' : state.at === 'failed' ? 'Add all the same' : 'Add'}
        </button>
      </div>
      <p class="quiet" role="status">
        {note.value}
      </p>
      <TestedCamera tested={state} />
      <p class="failure" role="alert">
        {addFailure.value}
      </p>
    </form>
  );
}

/** A message that appears now would move the button away from under the pointer; the button checks by itself. */
function isOnItsWayToButton({ relatedTarget }: FocusEvent): boolean {
  return relatedTarget instanceof HTMLButtonElement;
}

interface FieldProps {
  readonly id: string;
  readonly title: string;
  readonly fault?: string;
  readonly isWide?: boolean;
  readonly children: ComponentChild;
}

function Field({ id, title, fault, isWide = false, children }: FieldProps): ComponentChild {
  return (
    <div class={isWide ? 'field wide' : 'field'}>
      <label for={id}>{title}</label>
      {children}
      {fault !== undefined && (
        <p id={`${id}-fault`} class="failure" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}

function TestedCamera({ tested }: { readonly tested: Tested }): ComponentChild {
  switch (tested.at) {
    case 'untested':
      return null;
    case 'testing':
      return (
        <p class="quiet" role="status">
          The camera is opened and its first picture awaited …
        </p>
      );
    case 'failed': {
      const { code, message, remedy } = tested.failure;
      return (
        <div class="test-result" role="alert">
          <p class="failure">
            {message} <code>{code}</code>
          </p>
          <p>{remedy}</p>
        </div>
      );
    }
    case 'seen': {
      const { widthPx, heightPx, firstPictureMs, still } = tested.seen;
      return (
        <div class="test-result" role="status">
          {still.startsWith('data:image/png;base64,') && (
            <img src={still} alt="The camera’s first picture" />
          )}
          <p>
            <strong>It works.</strong> Pictures are {widthPx} × {heightPx}; the first came after{' '}
            {(firstPictureMs / 1_000).toFixed(1)} s. Here it is as small as the models see it.
          </p>
        </div>
      );
    }
  }
}
