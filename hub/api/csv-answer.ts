import type { Context } from 'hono'
import type { Env } from './context.ts'
import { type CsvCell, csvLine } from './csv-line.ts'

/** A table (RFC 4180) that is made as it is read. */
export function csvAnswer(
  c: Context<Env>,
  fileName: string,
  lines: () => AsyncIterable<readonly CsvCell[]> | Iterable<readonly CsvCell[]>,
): Response {
  c.header('content-type', 'text/csv; charset=utf-8')
  c.header('content-disposition', `attachment; filename="${fileName}"`)
  c.header('cache-control', 'no-store')
  // For a HEAD nothing is read: it would be neither taken nor cancelled.
  if (c.req.method === 'HEAD') return c.body(null)
  return c.body(ReadableStream.from(inPieces(lines())).pipeThrough(new TextEncoderStream()))
}

const LINES_AT_ONCE = 200

async function* inPieces(
  lines: AsyncIterable<readonly CsvCell[]> | Iterable<readonly CsvCell[]>,
): AsyncGenerator<string> {
  let piece = ''
  let count = 0
  for await (const cells of lines) {
    piece += csvLine(cells)
    if (++count % LINES_AT_ONCE !== 0) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}
