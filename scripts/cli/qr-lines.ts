const BLACK_ON_WHITE = '\u001b[30;107m'
const AS_BEFORE = '\u001b[0m'

/** A QR code for a terminal, two rows of it in a line, black on white whatever its colours are; none where it is too narrow. */
export async function qrLines(text: string, columns: number): Promise<string[]> {
  const { encode } = await import('uqr')
  const { data, size } = encode(text, { border: 2 })
  if (size > columns) return []
  const lines: string[] = []
  for (let y = 0; y < size; y += 2) {
    const cells = Array.from({ length: size }, (_, x) => half(data[y]?.[x] === true, data[y + 1]?.[x] === true))
    lines.push(`${BLACK_ON_WHITE}${cells.join('')}${AS_BEFORE}`)
  }
  return lines
}

const half = (upper: boolean, lower: boolean): string => (upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ')
