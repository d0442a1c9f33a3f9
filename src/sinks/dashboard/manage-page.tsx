/** The cameras: where each stands, new ones, and what of their pictures nobody may see. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { paths } from '../../http/contract.js';
import { CameraForm } from './camera-form.js';
import { MaskEditor } from './mask-editor.js';
import { route, to } from './route.js';
import { RequestFailure, send } from './session.js';
import { cameras, loadCameras, nowMs, type CameraRow, type CameraView } from './store.js';
import { Table, type Row } from './table.js';
import { timeText } from './page-words.js';
import { whyWords } from './words.js';

export function ManagePage(): ComponentChild {
  const [name] = route.value.rest;
  return name === undefined ? <Cameras /> : <Masks key={name} name={name} />;
}

export const originWords: Readonly<Record<NonNullable<CameraRow['origin']>, string>> = {
  file: 'configuration file',
  api: 'added here or by request',
  yard: 'simulated',
};

function Cameras(): ComponentChild {
  const leaving = useSignal<CameraView | undefined>(undefined);
  const told = useSignal('');
  const known = cameras.value;
  useEffect(() => void loadCameras(), []);

  return (
    <>
      <h1>Manage</h1>
      <p class={told.value === '' ? '' : 'panel notice told'} role="status">
        {told.value}
      </p>
      {known === undefined ? (
        <p class="empty">Looking for cameras …</p>
      ) : known.length === 0 ? (
        <p class="empty">No camera is being watched. Add the first one below.</p>
      ) : (
        <Table
          caption="Cameras"
          isCaptionHidden
          class="manage"
          columns={columns}
          rows={known.map((camera) => rowOf(camera, () => (leaving.value = camera)))}
        />
      )}
      <CameraForm
        taken={(known ?? []).map(({ name }) => name)}
        onAdded={(camera) => {
          told.value = `${camera} was added and is being watched.`;
          void loadCameras();
        }}
      />
      {leaving.value !== undefined && (
        <RemoveDialog
          camera={leaving.value.name}
          onClose={(isRemoved) => {
            if (isRemoved) told.value = `${leaving.value?.name ?? ''} was removed.`;
            leaving.value = undefined;
            if (isRemoved) void loadCameras();
          }}
        />
      )}
    </>
  );
}

const columns = [
  { title: 'Camera' },
  { title: 'State' },
  { title: 'Where it stands' },
  { title: 'Host' },
  { title: 'Privacy masks' },
  { title: 'Remove' },
] as const;

function rowOf({ name, row, now }: CameraView, onRemove: () => void): Row {
  const { origin, host, privacyMasks } = row.value ?? {};
  const { state, since, why } = now.value;
  const masks = privacyMasks?.length ?? 0;
  return {
    key: name,
    cells: [
      <a href={to('camera', name)}>{name}</a>,
      <>
        <span class={`state-word ${state}`}>{state}</span>{' '}
        <small>
          since {timeText(since, nowMs.peek())}
          {why !== '' && `: ${whyWords(name, why)}`}
        </small>
      </>,
      origin === undefined ? 'not told' : originWords[origin],
      host ?? '–',
      <a href={to('manage', name)}>
        {masks === 0 ? 'none – draw' : `${masks} – change`}
        <span class="unseen"> privacy masks of {name}</span>
      </a>,
      origin === 'api' ? (
        <button type="button" onClick={onRemove}>
          Remove<span class="unseen"> {name}</span> …
        </button>
      ) : (
        <small>
          {origin === 'yard'
            ? 'goes when cameras stand in the configuration'
            : 'only in the configuration file'}
        </small>
      ),
    ],
  };
}

interface RemoveProps {
  readonly camera: string;
  readonly onClose: (isRemoved: boolean) => void;
}

function RemoveDialog({ camera, onClose }: RemoveProps): ComponentChild {
  const dialog = useRef<HTMLDialogElement>(null);
  const isBusy = useSignal(false);
  const failure = useSignal('');
  useEffect(() => dialog.current?.showModal(), []);
  const close = (isRemoved: boolean): void => {
    // Gives the focus back to the button that opened it; being taken away would not.
    dialog.current?.close();
    onClose(isRemoved);
  };

  const remove = async (): Promise<void> => {
    isBusy.value = true;
    const answer = await send('DELETE', paths.cameras, { camera });
    isBusy.value = false;
    if (answer instanceof RequestFailure) failure.value = `${answer.message} ${answer.remedy}`;
    else close(true);
  };

  return (
    <dialog
      ref={dialog}
      class="panel"
      aria-labelledby="remove-title"
      onCancel={(event) => {
        event.preventDefault();
        if (!isBusy.value) close(false);
      }}
    >
      <h2 id="remove-title">Remove {camera}?</h2>
      <p>
        It is no longer watched, and its address, login and privacy masks are forgotten. What was
        stored of it, forecasts, outcomes and scores, stays until it is too old.
      </p>
      <p class="failure" role="alert">
        {failure.value}
      </p>
      <div class="buttons">
        <button type="button" disabled={isBusy.value} onClick={() => close(false)}>
          Keep it
        </button>
        <button type="button" class="danger" disabled={isBusy.value} onClick={() => void remove()}>
          {isBusy.value ? 'Removing …' : `Remove ${camera}`}
        </button>
      </div>
    </dialog>
  );
}

function Masks({ name }: { readonly name: string }): ComponentChild {
  const camera = cameras.value?.find((each) => each.name === name);
  const row = camera?.row.value;
  useEffect(() => void loadCameras(), []);
  return (
    <>
      <p>
        <a href={to('manage')}>← Manage</a>
      </p>
      <h1>Privacy masks of {name}</h1>
      {row !== undefined ? (
        <MaskEditor camera={name} origin={row.origin} saved={row.privacyMasks ?? []} />
      ) : (
        <p class="empty">
          {cameras.value === undefined || camera !== undefined
            ? `Looking for ${name} …`
            : `There is no camera ${name}.`}
        </p>
      )}
    </>
  );
}
