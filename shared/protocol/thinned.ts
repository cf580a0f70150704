/** Rows of numbers in bounded memory: when full, every second row is dropped and only every second one still comes in. */
export interface Thinned {
  add(...row: number[]): void
  /** The columns as far as filled. */
  columns(): Float64Array[]
}

/** Keeps at most `most` rows of `width` numbers, evenly spread over all rows. */
export function createThinned(most: number, width: number): Thinned {
  let columns = Array.from({ length: width }, () => new Float64Array(Math.min(most, 1024)))
  let [kept, seen, stride] = [0, 0, 1]
  return {
    add: (...row) => {
      const wanted = seen % stride === 0
      seen += 1
      if (!wanted) return
      if (kept === most) {
        kept = Math.ceil(most / 2)
        for (const column of columns) for (let i = 0; i < kept; i++) column[i] = column[i * 2] as number
        stride *= 2
        if ((seen - 1) % stride !== 0) return
      } else if (kept === columns[0]?.length) {
        columns = columns.map((column) => {
          const larger = new Float64Array(Math.min(most, column.length * 2))
          larger.set(column)
          return larger
        })
      }
      for (let i = 0; i < width; i++) (columns[i] as Float64Array)[kept] = row[i] as number
      kept += 1
    },
    columns: () => columns.map((column) => column.subarray(0, kept)),
  }
}
