/**
 * The boundary check of a documents message. Event pages, which come by the million samples, are looked at by hand; the
 * few others by their schema.
 */
import { type EventPageDoc, type NodeDocument, nodeDocumentSchema } from '@fernlab/shared/contracts/documents'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** A document, or why it is none; its key is good in both cases. */
export type CheckedDocument =
  | NodeDocument
  | {
      readonly name: 'unreadable'
      readonly runId: string
      readonly attempt: number
      readonly seq: number
      readonly why: string
    }

/** The documents of a message; throws a link-kind error when it is not even a list of keyed things. */
export function checkDocuments(message: unknown): CheckedDocument[] {
  const list = (message as { documents?: unknown } | null)?.documents
  if (!Array.isArray(list)) throw unreadable('documents: must be a list')
  return list.map((item: unknown, at) => {
    const raw = item as Partial<NodeDocument> | null
    if (raw === null || typeof raw !== 'object') throw unreadable(`documents[${at}]: must be an object`)
    const { runId, attempt, seq } = raw
    if (typeof runId !== 'string' || !isCount(attempt) || !isCount(seq)) {
      throw unreadable(`documents[${at}]: must have runId, attempt and seq`)
    }
    if (raw.name === 'event_page') {
      const why = whyNoPage(raw.doc)
      return why === undefined ? (raw as NodeDocument) : { name: 'unreadable', runId, attempt, seq, why: `doc.${why}` }
    }
    const checked = nodeDocumentSchema.safeParse(raw)
    if (checked.success) return checked.data
    const [issue] = checked.error.issues
    return { name: 'unreadable', runId, attempt, seq, why: `${issue?.path.join('.')}: ${issue?.message}` }
  })
}

function whyNoPage(doc: unknown): string | undefined {
  const page = doc as Partial<EventPageDoc> | null
  if (page === null || typeof page !== 'object') return 'must be an object'
  if (typeof page.stream !== 'string') return 'stream: must be text'
  if (!isCount(page.first)) return 'first: must be a count'
  if (!isCount(page.count)) return 'count: must be a count'
  if (!(page.time instanceof Float64Array)) return 'time: must be 64-bit floats'
  if (page.time.length !== page.count) return `time: has ${page.time.length} values for ${page.count} rows`
  if (page.count > 0 && !Number.isFinite(page.time[0])) return 'time[0]: must be finite'
  if (page.count > 0 && !Number.isFinite(page.time[page.count - 1])) return `time[${page.count - 1}]: must be finite`
  if (page.columns === null || typeof page.columns !== 'object') return 'columns: must be an object'
  for (const [key, column] of Object.entries(page.columns)) {
    if (column === null || typeof column !== 'object') return `columns.${key}: must be 64-bit floats or a list`
    if (column.length !== page.count) return `columns.${key}: has ${column.length} values for ${page.count} rows`
    if (column instanceof Float64Array) continue
    if (!Array.isArray(column)) return `columns.${key}: must be 64-bit floats or a list`
    if (!column.every((value) => value === null || typeof value === 'string' || typeof value === 'boolean')) {
      return `columns.${key}: must hold text, booleans or null`
    }
  }
  return undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function unreadable(message: string): LabError {
  return new LabError({ code: 'documents-unreadable', kind: 'link', message })
}
