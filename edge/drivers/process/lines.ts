/** Cuts a stream of bytes into lines; `take` gives the whole lines of a piece, in order. */
export interface Lines {
  /** Without their ends (LF or CR LF); `undefined` once a line is longer than `most` bytes, and from then on. */
  take(piece: Uint8Array): string[] | undefined
  /** What came after the last line end. */
  rest(): string
}

const LF = 10

/** Lines of UTF-8 of at most `most` bytes; bytes that are none become U+FFFD. */
export function createLines(most: number): Lines {
  let parts: Buffer[] = []
  let length = 0
  let isOver = false
  const text = () => {
    const line = Buffer.concat(parts).toString('utf8')
    parts = []
    length = 0
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }
  return {
    take: (piece) => {
      const lines: string[] = []
      let from = 0
      while (!isOver && from < piece.length) {
        const at = piece.indexOf(LF, from)
        const part = piece.subarray(from, at < 0 ? piece.length : at)
        length += part.length
        isOver = length > most
        if (isOver) break
        // The stream may use its memory again.
        parts.push(Buffer.from(part))
        if (at < 0) break
        lines.push(text())
        from = at + 1
      }
      return isOver ? undefined : lines
    },
    rest: () => (isOver ? '' : text()),
  }
}
