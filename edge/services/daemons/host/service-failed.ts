/** What a lab builder's service threw, as the error that its caller gets. */
import { LabError } from '@fernlab/shared/primitives/lab-error'

const MOST_CHARS = 1000

/** A LabError stays itself; all else is noted in the daemon's log, and told in its own words. */
export function serviceFailed(where: string, thrown: unknown): LabError {
  if (thrown instanceof LabError) return thrown
  if (thrown instanceof Error) process.stderr.write(`${where}: ${thrown.stack ?? thrown.message}\n`)
  return new LabError({
    code: 'service-failed',
    kind: 'instrument',
    message: `${where} failed: ${inWords(thrown)}`.slice(0, MOST_CHARS),
  })
}

function inWords(thrown: unknown): string {
  if (thrown instanceof Error) return `${thrown.name}: ${thrown.message}`
  try {
    return `it threw ${typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown)}`
  } catch {
    return 'it threw something that has no text'
  }
}

/** The items; what goes wrong among them is told as {@link serviceFailed} does, and `done` follows the last, or who leaves. */
export function guardedStream(
  where: string,
  items: AsyncIterable<unknown>,
  done: () => Promise<void>,
): AsyncIterableIterator<unknown> {
  const source = items[Symbol.asyncIterator]()
  let isOver = false
  const end = async () => {
    if (isOver) return
    isOver = true
    await done()
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: async () => {
      try {
        const result = await source.next()
        if (result.done === true) await end()
        return result
      } catch (thrown) {
        await end()
        throw serviceFailed(where, thrown)
      }
    },
    return: async () => {
      try {
        await source.return?.()
      } finally {
        await end()
      }
      return { done: true, value: undefined }
    },
  }
}
