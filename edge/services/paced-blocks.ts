/**
 * Blocks of samples at a pace that leaves others time, however many the hardware gives.
 *
 * INVARIANTS: none is lost, doubled or out of order, also of those before an end or an error; one is given at most every
 * `everyMs`, and none is kept for longer than that; while none is kept, the hardware is asked for at most one ahead.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Block } from '../drivers/driver.ts'

/** With so many values no more is put into a block. */
const MOST_VALUES = 1 << 16

type Came = { readonly block: Block } | { readonly failed: unknown } | 'ended'

/** The same samples; what comes before the next block is due comes with it. */
export async function* pacedBlocks(source: AsyncIterable<Block>, clock: Clock, everyMs: number): AsyncGenerator<Block> {
  const blocks = source[Symbol.asyncIterator]()
  const ask = (): Promise<Came> =>
    blocks.next().then(
      (step): Came => (step.done === true ? 'ended' : { block: step.value }),
      (failed: unknown): Came => ({ failed }),
    )
  let asked: Promise<Came> | undefined
  let dueMs = Number.NEGATIVE_INFINITY
  try {
    for (;;) {
      let came: Came | undefined = await (asked ?? ask())
      asked = undefined
      const kept: Block[] = []
      const due = waitFor(clock, dueMs)
      while (typeof came === 'object' && 'block' in came) {
        kept.push(came.block)
        came = undefined
        if (due.isOver()) break
        if (valuesOf(kept) < MOST_VALUES) asked = ask()
        came = await (asked === undefined ? due.over : Promise.race([asked, due.over]))
        if (came !== undefined) asked = undefined
      }
      due.cancel()
      if (kept.length > 0) {
        dueMs = clock.monotonic() + everyMs
        yield joined(kept)
      }
      if (came === 'ended') return
      if (came !== undefined) throw came.failed
    }
  } finally {
    // It stops by its signal: what it is asked for right now would keep whoever leaves.
    blocks.return?.()?.then(ignore, ignore)
  }
}

function waitFor(clock: Clock, dueMs: number) {
  let cancel = () => {}
  let isOver = true
  const over = new Promise<undefined>((resolve) => {
    const ms = dueMs - clock.monotonic()
    if (ms <= 0) return resolve(undefined)
    isOver = false
    cancel = clock.after(ms, () => {
      isOver = true
      resolve(undefined)
    })
  })
  return { over, isOver: () => isOver, cancel: () => cancel() }
}

const valuesOf = (blocks: readonly Block[]) =>
  blocks.reduce((all, { time, columns }) => all + time.length * (1 + Object.keys(columns).length), 0)

function joined(blocks: readonly Block[]): Block {
  const [first] = blocks
  if (first === undefined || blocks.length === 1) return first ?? { time: new Float64Array(), columns: {} }
  const column = (of: (block: Block) => Float64Array | undefined) => joinedColumn(blocks.map(of))
  const names = Object.keys(first.columns)
  return {
    time: column(({ time }) => time),
    columns: Object.fromEntries(names.map((name) => [name, column(({ columns }) => columns[name])])),
  }
}

function joinedColumn(pieces: readonly (Float64Array | undefined)[]): Float64Array {
  const all = new Float64Array(pieces.reduce((length, piece) => length + (piece?.length ?? 0), 0))
  let at = 0
  for (const piece of pieces) {
    if (piece === undefined) continue
    all.set(piece, at)
    at += piece.length
  }
  return all
}

function ignore(): void {
  // who follows has gone, or was told by the error of a block
}
