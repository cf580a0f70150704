import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import { changeIn } from '@fernlab/shared/contracts/audit-change'

/** One line of what an entry tells: a change in two parts, or something said. */
export type ChangeLine =
  | { readonly name?: string; readonly before: string; readonly after: string }
  | { readonly name: string; readonly said: string }

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const inTwoParts = new Set(['from', 'to', 'was', 'is'])

/** What was and what is, of objects only the fields that differ; then what else the entry says. */
export function changeLines(entry: Pick<AuditEntry, 'detail'>, nothing: string): readonly ChangeLine[] {
  const said = (value: unknown): string =>
    value === undefined || value === null || value === ''
      ? nothing
      : typeof value === 'string'
        ? value
        : JSON.stringify(value)
  const change = changeIn(entry)
  const others = Object.entries(entry.detail)
    .filter(([name]) => change === undefined || !inTwoParts.has(name))
    .map(([name, value]) => ({ name, said: said(value) }))
  if (change === undefined) return others
  const { before, after } = change
  if (!isFields(before) || !isFields(after)) return [{ before: said(before), after: said(after) }, ...others]
  const differing = Object.keys({ ...before, ...after })
    .map((name) => ({ name, before: said(before[name]), after: said(after[name]) }))
    .filter((line) => line.before !== line.after)
  return [...differing, ...others]
}
