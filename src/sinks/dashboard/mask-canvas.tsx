/** The picture with its masks, to be drawn on. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Corner } from '../../ingest/privacy-masks.js';
import {
  addCorner,
  choose,
  closeMask,
  cornerOf,
  discardOpen,
  moveCorner,
  removeCorner,
  type CornerAt,
  type Drawing,
  type Edit,
} from './mask-edit.js';
import type { StillPicture } from './mask-editor.js';

interface Props {
  readonly drawing: Drawing;
  readonly still: StillPicture | undefined;
  /** Each other number puts the chosen corner into focus; 0 at first. */
  readonly focus: number;
  readonly onEdit: (edit: Edit) => void;
}

const cornerPx = 8;
/** What a finger hits. */
const touchPx = 16;
const steps = { small: 0.01, large: 0.05 } as const;

export function MaskCanvas({ drawing: shownDrawing, still, focus, onEdit }: Props): ComponentChild {
  const svg = useRef<SVGSVGElement>(null);
  /** Units of the drawing to a pixel of the screen. */
  const unit = useSignal(1);
  const dragged = useRef<CornerAt | undefined>(undefined);
  const { widthPx: width, heightPx: height } = still ?? { widthPx: 1_600, heightPx: 900 };
  const { masks, open, chosen } = shownDrawing;

  useEffect(() => {
    const element = svg.current;
    if (element === null) return undefined;
    const measure = (): void => {
      unit.value = width / Math.max(1, element.clientWidth);
    };
    measure();
    const watching = new ResizeObserver(measure);
    watching.observe(element);
    return () => watching.disconnect();
  }, [width]);
  // The arrow keys go where the chosen corner is; when the one in focus is gone, focus must not be lost with it.
  const taken = useSignal(0);
  const asked = focus + taken.value;
  const lastAsked = useRef(asked);
  useLayoutEffect(() => {
    const element = svg.current;
    const isAsked = asked !== lastAsked.current;
    lastAsked.current = asked;
    if (element === null) return;
    if (!isAsked && !element.contains(document.activeElement)) return;
    const corner =
      chosen &&
      element.querySelector<SVGElement>(`[data-corner="${chosen.mask} ${chosen.corner}"]`);
    (corner ?? element).focus({ preventScroll: true });
  }, [chosen?.mask, chosen?.corner, asked]);

  const shareAt = ({ clientX, clientY }: MouseEvent): Corner => {
    const box = svg.current!.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  const isFirstOfOpen = ({ mask, corner }: CornerAt): boolean =>
    open !== null && mask === masks.length && corner === 0;

  const onCornerKey = (event: KeyboardEvent, at: CornerAt): void => {
    const direction = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    }[event.key];
    if (direction !== undefined) {
      const step = event.shiftKey ? steps.large : steps.small;
      onEdit((drawing) => {
        const [x, y] = cornerOf(drawing, at) ?? [0, 0];
        const to: Corner = [x + direction[0]! * step, y + direction[1]! * step];
        return moveCorner(choose(drawing, at), at, to);
      });
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      taken.value += 1;
      onEdit((drawing) => removeCorner(drawing, at));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const points = (corners: readonly Corner[]): string =>
    corners.map(([x, y]) => `${x * width},${y * height}`).join(' ');

  const shown = open === null ? masks : [...masks, open];
  return (
    <svg
      ref={svg}
      class={open === null ? 'mask-canvas' : 'mask-canvas drawing'}
      viewBox={`0 0 ${width} ${height}`}
      role="group"
      aria-label="Picture with privacy masks"
      tabindex={0}
      onClick={(event) => {
        const at = shareAt(event);
        onEdit((drawing) => addCorner(drawing, at));
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && open !== null) onEdit(closeMask);
        else if (event.key === 'Escape' && open !== null) {
          taken.value += 1;
          onEdit(discardOpen);
        } else return;
        event.preventDefault();
      }}
    >
      <rect class="no-still" width={width} height={height} />
      {still !== undefined && (
        <image href={still.url} width={width} height={height} preserveAspectRatio="none" />
      )}
      {masks.map((mask, index) => (
        <polygon
          key={index}
          class={chosen?.mask === index ? 'mask chosen' : 'mask'}
          points={points(mask)}
          onClick={(event) => {
            // A corner of the one being drawn may lie on another mask.
            if (open !== null) return;
            event.stopPropagation();
            onEdit((drawing) => choose(drawing, { mask: index, corner: 0 }));
          }}
        />
      ))}
      {open !== null && <polyline class="mask open" points={points(open)} />}
      {shown.map((mask, index) =>
        mask.map(([x, y], corner) => {
          const at: CornerAt = { mask: index, corner };
          const isChosen = chosen?.mask === index && chosen.corner === corner;
          const closes = isFirstOfOpen(at) && mask.length > 2;
          return (
            <g
              key={`${index} ${corner}`}
              class={`corner${isChosen ? ' chosen' : ''}${closes ? ' closes' : ''}`}
              data-corner={`${index} ${corner}`}
              tabindex={0}
              role="button"
              aria-label={`Mask ${index + 1}, corner ${corner + 1}: ${percent(x)} from the left, ${percent(y)} from the top${closes ? '; closes the mask' : ''}`}
              onClick={(event) => {
                event.stopPropagation();
                onEdit(closes ? closeMask : (drawing) => choose(drawing, at));
              }}
              onFocus={() => {
                if (!isChosen) onEdit((drawing) => choose(drawing, at));
              }}
              onKeyDown={(event) => onCornerKey(event, at)}
              onPointerDown={(event) => {
                event.currentTarget.setPointerCapture(event.pointerId);
                dragged.current = at;
              }}
              onPointerMove={(event) => {
                if (dragged.current === undefined) return;
                const to = shareAt(event);
                onEdit((drawing) => moveCorner(choose(drawing, at), at, to));
              }}
              onPointerUp={() => (dragged.current = undefined)}
              onPointerCancel={() => (dragged.current = undefined)}
            >
              <circle class="touch" cx={x * width} cy={y * height} r={touchPx * unit.value} />
              <circle class="dot" cx={x * width} cy={y * height} r={cornerPx * unit.value} />
            </g>
          );
        }),
      )}
    </svg>
  );
}

function percent(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`;
}
