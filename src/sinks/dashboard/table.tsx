/** A table that becomes a card for each row where the page is narrow; it stays a table to those who hear it. */
import type { ComponentChild } from 'preact';

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

export interface Row {
  readonly key: string;
  /** One for each column; the first is the row's name. */
  readonly cells: readonly ComponentChild[];
  readonly kind?: string;
}

export interface TableProps {
  readonly caption: string;
  /** The caption is for those who hear it only. */
  readonly isCaptionHidden?: boolean;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly class?: string;
}

export function Table(props: TableProps): ComponentChild {
  const { caption, columns, rows, isCaptionHidden = false } = props;
  const kind = (index: number): string => (columns[index]?.isNumber === true ? 'number' : '');
  // The roles are said again, since a browser forgets them where style makes the parts blocks.
  return (
    <table class={`cards ${props.class ?? ''}`} role="table">
      <caption class={isCaptionHidden ? 'unseen' : ''}>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title }, index) => (
            <th key={title} scope="col" role="columnheader" class={kind(index)}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={row.key} role="row" class={row.kind ?? ''}>
            {row.cells.map((cell, index) =>
              index === 0 ? (
                <th key={index} scope="row" role="rowheader">
                  {cell}
                </th>
              ) : (
                <td key={index} role="cell" class={kind(index)} data-title={columns[index]?.title}>
                  <span>{cell}</span>
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
