/** What an entry of the audit log changed; apart from the schemas, so that the page has it without them. */
import type { AuditEntry } from './audit.ts'

/** An entry's change in two parts, where it has them. */
export function changeIn({ detail }: Pick<AuditEntry, 'detail'>): { before: unknown; after: unknown } | undefined {
  if ('from' in detail && 'to' in detail) return { before: detail.from, after: detail.to }
  if ('was' in detail || 'is' in detail) return { before: detail.was, after: detail.is }
  return undefined
}
