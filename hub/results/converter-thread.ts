/**
 * The main-thread side of the converters.
 *
 * INVARIANTS: a conversion has one request under way at a time, so what waits is bounded by one page for each
 * download; every conversion ends by `finish` or `abort`; a thread that dies fails its conversions, those too that are asked
 * for nothing at that moment, and the next gets a new one.
 */
import type { Worker } from 'node:worker_threads'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { startWorker } from '@fernlab/shared/storage/start-worker'
import type { ConverterReply, ConverterRequest } from './converter-worker.ts'
import type { ConverterSpec } from './converters.ts'
import type { ReducedRows } from './reduce.ts'
import { createShortLived } from './short-lived.ts'

export interface Conversion {
  /** What the pages (CBOR bodies, given away) add to the output, piece by piece; read it to its end. */
  pages(bodies: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, void>
  finish(): Promise<{ readonly bytes: Uint8Array; readonly reduced?: ReducedRows }>
  abort(): void
}

export interface ConverterThread {
  open(spec: ConverterSpec): Promise<Conversion>
  close(): Promise<void>
}

const idleMs = 20_000

interface Waiting {
  resolve(reply: ConverterReply): void
  reject(error: LabError): void
}

/** Starts the thread when the first conversion is opened and ends it when none was for a while. */
export function createConverterThread({ clock }: { clock: Clock }): ConverterThread {
  let worker: Worker | undefined
  const shortLived = createShortLived()
  let nextSession = 1
  const open = new Set<number>()
  const waiting = new Map<number, Waiting>()
  let cancelIdle: (() => void) | undefined

  const fail = (gone: Worker, detail: string) => {
    if (worker !== gone) return
    worker = undefined
    const error = failed(detail)
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    open.clear()
  }
  const thread = () => {
    if (worker !== undefined) return worker
    const started = startWorker(import.meta.url, 'converter-worker', {
      name: 'results',
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 },
    })
    started.unref()
    started.on('message', (reply: ConverterReply) => {
      const asker = waiting.get(reply.session)
      waiting.delete(reply.session)
      if (waiting.size === 0) started.unref()
      if (reply.error !== undefined) asker?.reject(LabError.fromJSON(reply.error))
      else asker?.resolve(reply)
    })
    started.on('error', (error: unknown) => fail(started, `the results thread died: ${String(error)}`))
    started.on('exit', () => fail(started, 'the results thread ended'))
    worker = started
    return started
  }
  const ask = (target: Worker, request: ConverterRequest, transfer: ArrayBuffer[] = []) =>
    new Promise<ConverterReply>((resolve, reject) => {
      if (worker !== target) return reject(failed('the results thread of the conversion has ended'))
      waiting.set(request.session, { resolve, reject })
      target.ref()
      target.postMessage(request, transfer)
    })
  const end = (session: number) => {
    open.delete(session)
    cancelIdle?.()
    if (open.size > 0) return
    cancelIdle = clock.after(idleMs, () => {
      if (open.size === 0) void stop()
    })
  }
  const stop = async () => {
    const ending = worker
    worker = undefined
    await ending?.terminate()
  }

  return {
    open: async (spec) => {
      const session = nextSession++
      cancelIdle?.()
      const target = thread()
      open.add(session)
      try {
        await ask(target, { kind: 'open', session, spec })
      } catch (error) {
        end(session)
        throw error
      }
      return {
        pages: async function* (bodies) {
          let { bytes } = await ask(target, { kind: 'pages', session, bodies }, buffers(bodies))
          for (const body of bodies) shortLived.passed(body.byteLength)
          while (bytes !== undefined) {
            shortLived.passed(bytes.byteLength)
            yield bytes
            bytes = (await ask(target, { kind: 'more', session })).bytes
          }
        },
        finish: async () => {
          const { bytes = new Uint8Array(), reduced } = await ask(target, { kind: 'finish', session })
          end(session)
          return reduced === undefined ? { bytes } : { bytes, reduced }
        },
        abort: () => {
          if (!open.has(session)) return
          end(session)
          target.postMessage({ kind: 'abort', session } satisfies ConverterRequest)
        },
      }
    },
    close: async () => {
      cancelIdle?.()
      await stop()
    },
  }
}

function failed(message: string): LabError {
  return new LabError({ code: 'conversion-failed', kind: 'bug', retry: 'later', message })
}

function buffers(bodies: readonly Uint8Array[]): ArrayBuffer[] {
  return bodies.flatMap(({ buffer, byteLength }) =>
    buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [],
  )
}
