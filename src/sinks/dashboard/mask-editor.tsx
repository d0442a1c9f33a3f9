/** Draws privacy masks on a still picture: with the mouse, by touch, or by keyboard and numbers alone. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import { paths } from '../../http/contract.js';
import type { Polygon } from '../../ingest/privacy-masks.js';
import { useLeaveGuard } from './leave-guard.js';
import { MaskCanvas } from './mask-canvas.js';
import {
  addSquare,
  bodyOf,
  closeMask,
  discardOpen,
  drawingOf,
  faultsOf,
  masksMax,
  yamlOf,
  type Drawing,
  type Edit,
} from './mask-edit.js';
import { MaskList } from './mask-list.js';
import { RequestFailure, send } from './session.js';
import { loadCameras, type CameraRow } from './store.js';

interface Props {
  readonly camera: string;
  readonly origin: CameraRow['origin'];
  /** In force now. */
  readonly saved: readonly Polygon[];
}

export function MaskEditor({ camera, origin, saved }: Props): ComponentChild {
  const drawing = useSignal<Drawing>(drawingOf(saved));
  const still = useStill(camera);
  const edit = (change: Edit): void => {
    drawing.value = change(drawing.peek());
  };
  const { masks, open } = drawing.value;
  const faults = faultsOf(masks);
  const focus = useSignal(0);
  const isChanged = JSON.stringify(masks) !== JSON.stringify(saved) || open !== null;
  /** Lines for the file that were taken along. */
  const copied = useSignal('');
  // Those of a simulated camera cannot be kept anyhow.
  useLeaveGuard(
    isChanged && origin !== 'yard' && (open !== null || copied.value !== yamlOf(masks)),
  );

  return (
    <div class="mask-editor">
      <div class="mask-picture">
        <MaskCanvas
          drawing={drawing.value}
          still={still.picture}
          focus={focus.value}
          onEdit={edit}
        />
        <p class="quiet" role="status">
          {still.said}
        </p>
        <div class="buttons">
          {open === null ? (
            <button
              type="button"
              disabled={masks.length >= masksMax}
              onClick={() => {
                edit(addSquare);
                focus.value += 1;
              }}
            >
              Add a mask by numbers
            </button>
          ) : (
            <>
              <button
                type="button"
                class="primary"
                disabled={open.length < 3}
                onClick={() => edit(closeMask)}
              >
                Close this mask
              </button>
              <button type="button" onClick={() => edit(discardOpen)}>
                Discard it
              </button>
            </>
          )}
          <button type="button" onClick={still.again}>
            New picture
          </button>
          <button type="button" disabled={!isChanged} onClick={() => edit(() => drawingOf(saved))}>
            As it was
          </button>
        </div>
        <details class="quiet">
          <summary>How to draw</summary>
          <p>
            Click for each corner; click the first one again, or press Enter, to close the mask.
            Drag a corner to move it. With a corner in focus, arrow keys move it by 1 %, with Shift
            by 5 %, and Delete removes it. Escape discards a mask that is not closed.
          </p>
          <p>
            What is masked already is black in this picture, as the models see it. To look behind a
            mask, remove it, save, and take a new picture.
          </p>
        </details>
      </div>
      <div class="mask-side">
        <MaskList drawing={drawing.value} onEdit={edit} />
        {open !== null && (
          <p class="quiet">
            The mask that is being drawn is not closed yet: it has {open.length} of at least 3
            corners.
          </p>
        )}
        <div class="failure faults" role="alert">
          {faults.map((fault) => (
            <p key={fault}>{fault}</p>
          ))}
        </div>
        {origin === 'api' ? (
          <Save
            camera={camera}
            masks={masks}
            isReady={isChanged && open === null && faults.length === 0}
            onSaved={still.again}
          />
        ) : origin === 'yard' ? (
          <p class="panel notice">
            {camera} is simulated; its masks cannot be kept. What is drawn here is for trying only.
          </p>
        ) : (
          <Lines
            camera={camera}
            masks={masks}
            isReady={open === null && faults.length === 0}
            onCopied={(yaml) => (copied.value = yaml)}
          />
        )}
      </div>
    </div>
  );
}

interface OutcomeProps {
  readonly camera: string;
  readonly masks: readonly Polygon[];
  readonly isReady: boolean;
}

function Save({
  camera,
  masks,
  isReady,
  onSaved,
}: OutcomeProps & { readonly onSaved: () => void }): ComponentChild {
  const isBusy = useSignal(false);
  const told = useSignal<{ readonly isGood: boolean; readonly text: string } | undefined>(
    undefined,
  );
  const save = async (): Promise<void> => {
    isBusy.value = true;
    const answer = await send('PUT', paths.cameraMasks, { camera, privacyMasks: bodyOf(masks) });
    isBusy.value = false;
    if (answer instanceof RequestFailure) {
      told.value = { isGood: false, text: `${answer.message} ${answer.remedy}` };
      return;
    }
    told.value = {
      isGood: true,
      text: 'Saved. The camera is opened anew; from its next picture on the masks are black.',
    };
    onSaved();
    await loadCameras();
  };
  return (
    <div class="save">
      <button
        type="button"
        class="primary"
        disabled={!isReady || isBusy.value}
        onClick={() => void save()}
      >
        {isBusy.value ? 'Saving …' : 'Save'}
      </button>
      <p class={told.value?.isGood === false ? 'failure' : ''} role="status">
        {told.value?.text ?? ''}
      </p>
    </div>
  );
}

/** For cameras of the configuration file, which is read-only while the engine runs. */
function Lines({
  camera,
  masks,
  isReady,
  onCopied,
}: OutcomeProps & { readonly onCopied: (yaml: string) => void }): ComponentChild {
  const told = useSignal('');
  const yaml = yamlOf(masks);
  const copy = async (field: HTMLTextAreaElement | null): Promise<void> => {
    // There is no clipboard where the page is served over plain http.
    try {
      await navigator.clipboard.writeText(yaml);
      told.value = 'Copied.';
    } catch {
      field?.select();
      told.value = 'The lines are selected; press Ctrl+C, or Cmd+C on a Mac.';
    }
    onCopied(yaml);
  };
  return (
    <div class="panel lines">
      <p>
        {camera} stands in the configuration file, which the engine only reads. Put these lines into
        its entry under <code>cameras:</code>, in the place of any <code>privacyMasks</code> there,
        and start the engine anew. Names that masks have there are not told to this page: write them
        to the new lines again.
      </p>
      <textarea
        readOnly
        rows={Math.min(12, masks.length + 2)}
        spellcheck={false}
        aria-label="Lines for the configuration file"
        value={isReady ? yaml : ''}
      />
      <div class="buttons">
        <button
          type="button"
          class="primary"
          disabled={!isReady}
          onClick={({ currentTarget }) =>
            void copy(currentTarget.closest('.lines')?.querySelector('textarea') ?? null)
          }
        >
          Copy
        </button>
        <span role="status">{told.value}</span>
      </div>
    </div>
  );
}

export interface StillPicture {
  /** Of this page; it is given back when another one comes. */
  readonly url: string;
  readonly widthPx: number;
  readonly heightPx: number;
}

interface ShownStill {
  readonly picture: StillPicture | undefined;
  readonly said: string;
  readonly again: () => void;
}

/** A camera that was just opened has none yet; it is asked for again. */
const stillRetryMs = 1_000;

/** The newest key frame. It is the whole picture of the camera, without the bars that the models see. */
function useStill(camera: string): ShownStill {
  const picture = useSignal<StillPicture | undefined>(undefined);
  const said = useSignal('');
  const turn = useSignal(0);
  useEffect(() => {
    const leaving = new AbortController();
    said.value = 'Fetching a picture …';
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      const response = await fetch(`${paths.still}?${new URLSearchParams({ camera }).toString()}`, {
        cache: 'no-store',
        signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(10_000)]),
      });
      if (response.status === 204) {
        said.value = `There is no picture of ${camera} yet; one is waited for. Masks can be drawn all the same.`;
        timer = setTimeout(tryToLoad, stillRetryMs);
        return;
      }
      if (!response.ok) throw new Error(`The engine answered ${response.status}.`);
      const blob = await response.blob();
      const { width, height } = await createImageBitmap(blob);
      if (leaving.signal.aborted) return;
      if (picture.peek() !== undefined) URL.revokeObjectURL(picture.peek()!.url);
      picture.value = { url: URL.createObjectURL(blob), widthPx: width, heightPx: height };
      said.value = '';
    };
    const tryToLoad = (): void => {
      load().catch((error: unknown) => {
        if (leaving.signal.aborted) return;
        const why = error instanceof Error ? error.message : '';
        said.value = `No picture could be fetched. ${why} Masks can be drawn all the same.`;
      });
    };
    tryToLoad();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [camera, turn.value]);
  useEffect(
    () => () => {
      if (picture.peek() !== undefined) URL.revokeObjectURL(picture.peek()!.url);
    },
    [],
  );
  return { picture: picture.value, said: said.value, again: () => (turn.value += 1) };
}
