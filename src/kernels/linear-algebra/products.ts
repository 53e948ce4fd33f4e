/** A matrix within an array: element `[i, j]` lies at `at + i · stride + j`. */
export interface Area<A> {
  readonly values: A;
  readonly at: number;
  readonly stride: number;
  /** Element `[i, j]` lies at `at + j · stride + i` instead; of operands, not of targets. */
  readonly transposed?: boolean;
}

/** A product of two matrices to subtract from a third that shares no elements with them. */
export interface Products<A extends Float32Array | Float64Array> {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** `[rows, columns]` */
  readonly target: Area<A>;
  /** `[rows, depth]` */
  readonly left: Area<A>;
  /** `[depth, columns]` */
  readonly right: Area<A>;
}

/**
 * Subtracts `left · right` from `target`: from each element one product after the other in rising depth, product and
 * difference rounded on their own. So any order of the elements, and any split of the depth, gives the same bits.
 */
export type SubtractProducts = <A extends Float32Array | Float64Array>(
  products: Products<A>,
) => void;

/** The readable reference. */
export const subtractProducts: SubtractProducts = ({ target, left, right, ...sizes }) => {
  const { rows, columns, depth } = sizes;
  const subtractRow = target.values instanceof Float32Array ? subtractSingles : subtractDoubles;
  const [leftRow, leftColumn] = steps(left);
  const [rightRow, rightColumn] = steps(right);
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < depth; k++) {
      const factor = left.values[left.at + row * leftRow + k * leftColumn]!;
      const to = { values: target.values, at: target.at + row * target.stride, step: 1 };
      const from = { values: right.values, at: right.at + k * rightRow, step: rightColumn };
      subtractRow(to, factor, from, columns);
    }
};

/** Where the elements of a row or column lie. */
interface Line {
  readonly values: Float32Array | Float64Array;
  readonly at: number;
  readonly step: number;
}

function subtractSingles(to: Line, factor: number, from: Line, count: number): void {
  for (let j = 0; j < count; j++)
    to.values[to.at + j]! -= Math.fround(factor * from.values[from.at + j * from.step]!);
}

function subtractDoubles(to: Line, factor: number, from: Line, count: number): void {
  for (let j = 0; j < count; j++)
    to.values[to.at + j]! -= factor * from.values[from.at + j * from.step]!;
}

/** From a row to the next, and from a column to the next. */
function steps({ stride, transposed }: Area<unknown>): [row: number, column: number] {
  return transposed ? [1, stride] : [stride, 1];
}
