/** The hub outside, as a person asks it from a guest's test; the test's `.need.ts` starts it by `outsideHub`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { askHost } from './host.ts'

/** Types a command of `fernlab` at the hub and gives what it printed; rejects when it does not end well. */
export const fernlab = (...words: string[]): Promise<string> => askHost<string>('fernlab', ...words)

/** The same, for what it says as JSON. */
export const fernlabJson = async <T>(...words: string[]): Promise<T> =>
  JSON.parse(await fernlab(...words, '--json')) as T

/** The lines of what the hub has at a path. */
export const download = async (path: string): Promise<string[]> =>
  (await askHost<string>('download', path)).trim().split(/\r?\n/)

/** Looks until what is found is so, and gives it; rejects at the signal with what it was last, and what `more` says. */
export async function until<T>(
  look: () => Promise<T>,
  isSo: (found: T) => boolean,
  { signal, more }: { readonly signal: AbortSignal; more(): string },
): Promise<T> {
  for (;;) {
    const found = await look()
    if (isSo(found)) return found
    if (signal.aborted) throw new Error(`it is ${JSON.stringify(found)}\n${more()}`)
    await sleep(200)
  }
}
