/**
 * Reads lists of people in a thread of their own, so that 50,000 lines hold up nobody.
 *
 * INVARIANTS: what was read comes in slices, each after the turn of the event loop that took the one before; the thread
 * ends with the reading, however that ends.
 */
import { once } from 'node:events'
import type { Issue } from '@fernlab/shared/primitives/lab-error'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { startWorker } from '@fernlab/shared/storage/start-worker'
import type { Role } from './caller.ts'
import type { ListedPerson } from './read-people.ts'

export interface ListRequest {
  readonly csv: string
  /** For lines that name none. */
  readonly role: Role
  readonly groups: readonly string[]
}

interface Slice {
  readonly people: readonly ListedPerson[]
  /** In all slices. */
  readonly of: number
  readonly issues: Issue[]
}

const LIMIT_MS = 120_000

/** The people of the list or what is wrong with it; rejects when the signal aborts. */
export async function readList(
  request: ListRequest,
  { signal, onRead }: { signal: AbortSignal; onRead: (done: number, of: number) => void },
): Promise<{ people: ListedPerson[]; issues: Issue[] }> {
  signal.throwIfAborted()
  const thread = startWorker(import.meta.url, 'people-list-worker', {
    name: 'people-list',
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
  thread.unref()
  const either = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
  const ended = new AbortController()
  thread.once('exit', () => ended.abort(unreadable()))
  try {
    const people: ListedPerson[] = []
    for (;;) {
      thread.postMessage('next')
      const [slice] = (await once(thread, 'message', { signal: AbortSignal.any([either, ended.signal]) })) as [Slice]
      if (slice.issues.length > 0) return { people: [], issues: slice.issues }
      people.push(...slice.people)
      onRead(people.length, slice.of)
      if (people.length >= slice.of) return { people, issues: [] }
    }
  } catch (error) {
    signal.throwIfAborted()
    throw either.aborted ? unreadable() : ended.signal.aborted ? ended.signal.reason : error
  } finally {
    await thread.terminate()
  }
}

const unreadable = () =>
  new LabError({
    code: 'import-invalid',
    kind: 'caller',
    message: 'the list is too large to be read here; nobody was made',
    issues: [{ path: 'csv', message: 'is too large to be read here; import it in parts' }],
    studentMessage: 'The list is too large to be read here. Nobody was made: import it in parts.',
  })
