/** Answers that are made as they are read, and the note of who took them. */
import type { Run } from '@fernlab/shared/contracts/api'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Context } from 'hono'
import type { Caller } from '../accounts/caller.ts'
import type { Bytes } from '../results/results.ts'
import type { ApiParts, Env } from './context.ts'

/** Notes that somebody takes what a run recorded, unless it is a HEAD or the page reads for itself, which browsers say by themselves. */
export function takingWith({ usage }: Pick<ApiParts, 'usage'>) {
  return async (c: Context<Env>, run: Run, caller: Caller, bytes: Bytes, manyOf?: string): Promise<Bytes> => {
    const isBrowser = c.req.header('sec-fetch-dest') !== undefined
    if (c.req.method !== 'HEAD' && (!isBrowser || c.req.header('sec-fetch-mode') === 'navigate'))
      await usage.took(run.id, caller.personId, manyOf ?? c.req.path.split('/').at(-1) ?? '', manyOf !== undefined)
    return bytes
  }
}

/** All of an answer in one piece. */
export async function* once(bytes: Uint8Array): Bytes {
  yield bytes
}

export interface StreamedMore {
  /** The reader has gone. */
  readonly onGone?: () => void
  readonly headers?: Readonly<Record<string, string>>
  readonly status?: number
}

/**
 * An answer that is made as it is read: its first piece before the head is sent, so that what fails at once is a problem
 * document, and no other piece before the reader asks for it. What fails later breaks the connection, and is in the log.
 * For a HEAD nothing is made: it would be neither read nor cancelled.
 */
export function streamedWith(log: Log) {
  return async (
    c: Context<Env>,
    source: Bytes,
    type: string,
    fileName?: string,
    { onGone = () => {}, headers: more = {}, status = 200 }: StreamedMore = {},
  ): Promise<Response> => {
    const headers = {
      'content-type': type,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      ...(fileName === undefined ? {} : { 'content-disposition': `attachment; filename="${fileName}"` }),
      ...more,
    }
    if (c.req.method === 'HEAD') return new Response(null, { headers, status })
    let next: ReturnType<Bytes['next']> | undefined = Promise.resolve(await source.next())
    let gone = false
    const stream = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const { done, value } = await (next ?? source.next())
            next = undefined
            // The reader may have gone while the piece was made; its stream takes nothing any more.
            if (gone) return
            if (done === true) controller.close()
            else controller.enqueue(value)
          } catch (error) {
            log.error({ path: c.req.path, ...describeError(error) }, 'an answer broke off')
            const message = 'the answer broke off; the staff can see why in the log of the hub'
            controller.error(new LabError({ code: 'answer-broken', kind: 'bug', message }))
          }
        },
        cancel: async () => {
          gone = true
          onGone()
          await source.return()
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(stream, { headers, status })
  }
}

function describeError(error: unknown): { code: string; error: string } {
  const { code, message } = asLabError(error)
  return { code, error: message }
}
