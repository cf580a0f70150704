/** The thread in which results are turned into their outward forms, so that no download holds up the hub's loop. */
import { parentPort } from 'node:worker_threads'
import type { EventPageDoc, NodeDocument } from '@fernlab/shared/contracts/documents'
import { decode } from '@fernlab/shared/links/codec'
import { joinedBytes } from '@fernlab/shared/primitives/joined-bytes'
import { asLabError, LabError, type LabErrorJson } from '@fernlab/shared/primitives/lab-error'
import { type Converter, type ConverterSpec, createConverter } from './converters.ts'
import type { ReducedRows } from './reduce.ts'
import { createShortLived } from './short-lived.ts'

export type ConverterRequest =
  | { readonly kind: 'open'; readonly session: number; readonly spec: ConverterSpec }
  /** Takes pages; the first piece of what they add comes back. */
  | { readonly kind: 'pages'; readonly session: number; readonly bodies: readonly Uint8Array[] }
  /** The next piece. */
  | { readonly kind: 'more'; readonly session: number }
  | { readonly kind: 'finish'; readonly session: number }
  | { readonly kind: 'abort'; readonly session: number }

export interface ConverterReply {
  readonly session: number
  /** Absent when there is no further piece. */
  readonly bytes?: Uint8Array
  readonly reduced?: ReducedRows
  readonly error?: LabErrorJson
}

const pieceBytes = 262_144

interface Session {
  readonly converter: Converter
  pieces: Iterator<Uint8Array>
}

const shortLived = createShortLived()
const sessions = new Map<number, Session>()

/** The document of a stored body; a body is the document as the node sent it, whole or its `doc` alone. */
export function pageIn(body: Uint8Array): EventPageDoc {
  const value = decode(body) as EventPageDoc | Extract<NodeDocument, { name: 'event_page' }>
  return 'doc' in value ? value.doc : value
}

async function answer(request: ConverterRequest): Promise<Omit<ConverterReply, 'session'>> {
  const { session } = request
  if (request.kind === 'open') {
    sessions.set(session, { converter: await createConverter(request.spec), pieces: [][Symbol.iterator]() })
    return {}
  }
  const open = sessions.get(session)
  if (open === undefined) {
    // One that failed is given up afterwards.
    if (request.kind === 'abort') return {}
    const message = `the results thread has no conversion ${session} to ask for ${request.kind}`
    throw new LabError({ code: 'conversion-failed', kind: 'bug', retry: 'later', message })
  }
  const { converter } = open
  switch (request.kind) {
    case 'pages':
      open.pieces = pieces(converter, request.bodies)
      return next(open)
    case 'more':
      return next(open)
    case 'finish':
      sessions.delete(session)
      return converter.finish()
    case 'abort':
      sessions.delete(session)
      converter.abort()
      return {}
  }
}

/** Small pages make small pieces: those are put together, so that messages are worth their cost. */
function* pieces(converter: Converter, bodies: readonly Uint8Array[]): Generator<Uint8Array> {
  let waiting: Uint8Array[] = []
  let size = 0
  for (const body of bodies) {
    shortLived.passed(body.byteLength)
    for (const piece of converter.page(pageIn(body))) {
      waiting.push(piece)
      size += piece.byteLength
      shortLived.passed(piece.byteLength)
      if (size < pieceBytes) continue
      yield joinedBytes(waiting)
      waiting = []
      size = 0
    }
  }
  if (size > 0) yield joinedBytes(waiting)
}

function next({ pieces: left }: Session): { bytes?: Uint8Array } {
  const piece = left.next()
  return piece.done === true ? {} : { bytes: piece.value }
}

const port = parentPort
let turn: Promise<void> = Promise.resolve()
port?.on('message', (request: ConverterRequest) => {
  turn = turn.then(async () => {
    let reply: ConverterReply
    try {
      reply = { session: request.session, ...(await answer(request)) }
    } catch (error) {
      sessions.get(request.session)?.converter.abort()
      sessions.delete(request.session)
      reply = { session: request.session, error: asLabError(error).toJSON() }
    }
    const buffer = reply.bytes?.buffer
    port.postMessage(reply, buffer instanceof ArrayBuffer && buffer.byteLength > 0 ? [buffer] : [])
  })
})
