/** A run's event-model documents as JSON lines, in the order in which the node made them. */
import type { DescriptorDoc, StartDoc, StopDoc } from '@fernlab/shared/contracts/documents'
import { pictureFile, pictureStreamPart } from '@fernlab/shared/contracts/pictures'
import type { Store } from '../store/store.ts'
import type { Conversion, ConverterThread } from './converter-thread.ts'
import type { ConverterSpec } from './converters.ts'
import {
  type EventModelDocument,
  eventModelDescriptor,
  eventModelPicture,
  eventModelStart,
  eventModelStop,
  type RunFacts,
} from './event-model.ts'
import { type Look, lookAtOnce } from './followers.ts'
import { streamColumns } from './keys.ts'
import { docIn, documentsAfter } from './pages.ts'

/** Many small documents are read together; where one is large, few are. */
const mostAtOnce = 64
const bytesAtOnce = 2_000_000

export interface DocumentLinesOptions {
  readonly store: Store
  readonly converters: ConverterThread
  readonly runId: string
  readonly attempt: number
  readonly facts: RunFacts
  /** So many lines are left out, which the reader has already. */
  readonly skip?: number
  /** Asked where there is no more for now. A blank line keeps the reader while it is quiet, and comes first of all. */
  readonly more?: () => Promise<'news' | 'quiet' | 'end'>
  /** By which what there is is looked up; at once unless given. */
  readonly look?: Look
}

/** A stream of the attempt; its pages are turned by a conversion that ends whenever there are no more for now. */
interface Stream {
  readonly spec: ConverterSpec
  conversion?: Conversion | undefined
}

const blank = new TextEncoder().encode('\n')

/** Reads and turns the documents at the reader's pace. */
export async function* streamDocuments(options: DocumentLinesOptions): AsyncGenerator<Uint8Array, void, void> {
  const { skip = 0, more } = options
  const leaveOut = leavingOut(skip)
  if (more !== undefined) yield blank
  for await (const bytes of documentLines(options)) {
    const left = bytes === blank ? bytes : leaveOut(bytes)
    if (left.byteLength > 0) yield left
  }
}

/** What is left of pieces of lines without the first so many. */
function leavingOut(lines: number): (bytes: Uint8Array) => Uint8Array {
  let left = lines
  return (bytes) => {
    let from = 0
    while (left > 0 && from < bytes.byteLength) {
      const end = bytes.indexOf(0x0a, from)
      if (end < 0) return bytes.subarray(bytes.byteLength)
      left -= 1
      from = end + 1
    }
    return bytes.subarray(from)
  }
}

async function* documentLines(options: DocumentLinesOptions): AsyncGenerator<Uint8Array, void, void> {
  const { store, converters, runId, attempt, facts, more = async () => 'end', look = lookAtOnce } = options
  const text = new TextEncoder()
  const line = (document: EventModelDocument) => text.encode(`${JSON.stringify(document)}\n`)
  const streams = new Map<string, Stream>()
  const uids = new Map<string, string>()
  const rest = () => {
    for (const stream of streams.values()) {
      stream.conversion?.abort()
      stream.conversion = undefined
    }
  }
  async function* turned(stream: Stream, body: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
    stream.conversion ??= await look(() => converters.open(stream.spec))
    const pieces = stream.conversion.pages([body])
    for (;;) {
      const { done, value } = await look(() => pieces.next())
      if (done === true) return
      yield value
    }
  }
  let afterSeq = -1
  let limit = 1
  try {
    for (;;) {
      const rows = await look(() => documentsAfter(store, { runId, attempt, afterSeq, limit }))
      const bytes = rows.reduce((sum, row) => sum + row.body.byteLength, 0)
      // Small documents come first: what follows may be a thousand times as large.
      const fitting = Math.floor((bytesAtOnce * rows.length) / Math.max(1, bytes))
      limit = Math.max(1, Math.min(mostAtOnce, 2 * limit, fitting))
      for (const { seq, name, stream, first_row: number, body } of rows) {
        afterSeq = seq
        const key = { runId, attempt, seq }
        if (name === 'start') yield line(eventModelStart(docIn<StartDoc>(body), key, facts))
        else if (name === 'stop') yield line(eventModelStop(docIn<StopDoc>(body), key))
        else if (name === 'descriptor') {
          const doc = docIn<DescriptorDoc>(body)
          const document = eventModelDescriptor(doc, key)
          const descriptorUid = String(document.doc.uid)
          streams.get(doc.stream)?.conversion?.abort()
          const columns = streamColumns(doc)
          streams.set(doc.stream, { spec: { format: 'event-model', columns, window: {}, descriptorUid } })
          uids.set(doc.stream, descriptorUid)
          yield line(document)
        } else if (name === 'picture') {
          const file = pictureFile(pictureStreamPart(stream ?? ''), number ?? 0)
          for (const document of eventModelPicture(key, uids.get(stream ?? '') ?? '', file)) yield line(document)
        } else {
          const known = streams.get(stream ?? '')
          if (known !== undefined) yield* turned(known, body)
        }
      }
      if (rows.length > 0) continue
      rest()
      const what = await more()
      if (what === 'end') return
      if (what === 'quiet') yield blank
    }
  } finally {
    rest()
  }
}
