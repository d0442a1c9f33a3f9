/** The masks as numbers: all that can be drawn can be typed. */
import type { ComponentChild } from 'preact';
import type { Corner } from '../../ingest/privacy-masks.js';
import {
  choose,
  cornersMax,
  insertCorner,
  moveCorner,
  removeCorner,
  removeMask,
  type CornerAt,
  type Drawing,
  type Edit,
} from './mask-edit.js';

interface Props {
  readonly drawing: Drawing;
  readonly onEdit: (edit: Edit) => void;
}

export function MaskList({ drawing: { masks, open, chosen }, onEdit }: Props): ComponentChild {
  if (masks.length === 0 && open === null) {
    return <p class="quiet">No masks: everything can be seen. Click on the picture to draw one.</p>;
  }
  return (
    <>
      {masks.map((mask, index) => (
        <details
          key={index}
          class="panel mask-numbers"
          open={chosen?.mask === index || masks.length === 1}
        >
          <summary>
            Mask {index + 1}, {mask.length} corners
          </summary>
          <ol>
            {mask.map((corner, at) => (
              <CornerRow
                key={at}
                at={{ mask: index, corner: at }}
                corner={corner}
                isChosen={chosen?.mask === index && chosen.corner === at}
                onEdit={onEdit}
              />
            ))}
          </ol>
          <div class="buttons">
            <button
              type="button"
              disabled={mask.length >= cornersMax}
              onClick={() => {
                const corner = chosen?.mask === index ? chosen.corner : mask.length - 1;
                onEdit((drawing) => insertCorner(drawing, { mask: index, corner }));
              }}
            >
              Add a corner
            </button>
            <button type="button" onClick={() => onEdit((drawing) => removeMask(drawing, index))}>
              Remove mask {index + 1}
            </button>
          </div>
        </details>
      ))}
    </>
  );
}

interface CornerProps extends Pick<Props, 'onEdit'> {
  readonly at: CornerAt;
  readonly corner: Corner;
  readonly isChosen: boolean;
}

function CornerRow({ at, corner, isChosen, onEdit }: CornerProps): ComponentChild {
  const field = (axis: 0 | 1, title: string, from: string): ComponentChild => (
    <label>
      <span aria-hidden="true">{title}</span>
      <input
        type="number"
        min={0}
        max={100}
        step={0.1}
        aria-label={`Corner ${at.corner + 1}, % from the ${from}`}
        value={Math.round(corner[axis] * 10_000) / 100}
        onFocus={() => {
          if (!isChosen) onEdit((drawing) => choose(drawing, at));
        }}
        onInput={({ currentTarget: { value } }) => {
          const number = Number(value) / 100;
          if (value === '' || Number.isNaN(number)) return;
          const to: Corner = axis === 0 ? [number, corner[1]] : [corner[0], number];
          onEdit((drawing) => moveCorner(drawing, at, to));
        }}
      />
      <span aria-hidden="true">%</span>
    </label>
  );
  return (
    <li class={isChosen ? 'current' : ''}>
      {field(0, 'x', 'left')}
      {field(1, 'y', 'top')}
      <button
        type="button"
        aria-label={`Remove corner ${at.corner + 1} of mask ${at.mask + 1}`}
        onClick={() => onEdit((drawing) => removeCorner(drawing, at))}
      >
        ×
      </button>
    </li>
  );
}
