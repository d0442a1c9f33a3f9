/**
 * Gives each row at most one column and each column at most one row so that the total is least: a row that gets a column
 * costs what stands there, one that gets none costs `alone`. Shortest augmenting paths (Jonker and Volgenant 1987,
 * «A shortest augmenting path algorithm for dense and sparse linear assignment problems»), O(rows² (rows + columns)). Pure.
 *
 * @param costs [rows][columns], rows of one length; Infinity: never
 * @param alone finite; where a column costs exactly as much, either may be chosen
 * @returns for each row its column, or null
 */
export function assign(
  costs: readonly (readonly number[])[],
  alone: number,
): readonly (number | null)[] {
  const rows = costs.length;
  const columns = costs[0]?.length ?? 0;
  // One further column for each row stands for «alone», so that every row finds a place.
  const places = columns + rows;
  const costOf = (row: number, place: number): number =>
    place < columns ? (costs[row]?.[place] ?? Infinity) : alone;
  const rowOf = new Int32Array(places).fill(-1);
  /** Prices that keep every cost minus its row's and place's price at 0 or above, and at 0 where assigned. */
  const rowPrice = new Float64Array(rows);
  const placePrice = new Float64Array(places);

  for (let start = 0; start < rows; start++) {
    const distance = new Float64Array(places).fill(Infinity);
    const before = new Int32Array(places).fill(-1);
    const done = new Uint8Array(places);
    const visited: number[] = [];
    let row = start;
    let from = -1;
    let length = 0;
    let end = -1;
    while (end < 0) {
      let nearest = -1;
      for (let place = 0; place < places; place++) {
        if (done[place] === 1) continue;
        const through =
          length + costOf(row, place) - (rowPrice[row] ?? 0) - (placePrice[place] ?? 0);
        if (through < (distance[place] ?? Infinity)) {
          distance[place] = through;
          before[place] = from;
        }
        if (nearest < 0 || (distance[place] ?? 0) < (distance[nearest] ?? 0)) nearest = place;
      }
      length = distance[nearest] ?? 0;
      done[nearest] = 1;
      const next = rowOf[nearest] ?? -1;
      if (next < 0) end = nearest;
      else {
        visited.push(nearest);
        from = nearest;
        row = next;
      }
    }
    rowPrice[start] = (rowPrice[start] ?? 0) + length;
    for (const place of visited) {
      const slack = length - (distance[place] ?? 0);
      const owner = rowOf[place] ?? 0;
      placePrice[place] = (placePrice[place] ?? 0) - slack;
      rowPrice[owner] = (rowPrice[owner] ?? 0) + slack;
    }
    // Along the path every row moves on to the place after its own; the first one gets the path's beginning.
    for (let place = end; place >= 0;) {
      const earlier = before[place] ?? -1;
      rowOf[place] = earlier < 0 ? start : (rowOf[earlier] ?? start);
      place = earlier;
    }
  }

  const columnOf: (number | null)[] = costs.map(() => null);
  for (let column = 0; column < columns; column++) {
    const row = rowOf[column] ?? -1;
    if (row >= 0) columnOf[row] = column;
  }
  return columnOf;
}
