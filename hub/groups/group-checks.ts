/** What is refused of a group as somebody wants it. Pure. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { GroupTree } from './nesting.ts'

/** What a group looks like to who may not know of it, too. */
export function groupUnknown(id: string): LabError {
  return new LabError({ code: 'group-unknown', kind: 'caller', message: `there is no group ${id}` })
}

/** Throws `group-invalid` for times of a group that is no course, and for an end before the start. */
export function checkTimes({
  kind,
  from,
  until,
}: {
  kind: string
  from?: string | undefined
  until?: string | undefined
}): void {
  const path = from === undefined ? 'until' : 'from'
  const refuse = (where: string, message: string) =>
    new LabError({ code: 'group-invalid', kind: 'caller', message, issues: [{ path: where, message }] })
  if (kind !== 'course' && (from !== undefined || until !== undefined)) {
    throw refuse(path, 'only a course begins and ends: give it the kind "course", or leave the times out')
  }
  if (from !== undefined && until !== undefined && Date.parse(from) >= Date.parse(until)) {
    throw refuse('until', 'the end is not after the start')
  }
}

/**
 * Throws `group-invalid` for an outer group that there is not, and `forbidden` for one that the caller does not manage:
 * being in it may give permissions.
 */
export function checkOuter(
  { tree, manages }: { readonly tree: GroupTree; readonly manages: (id: string) => boolean },
  within: string | null | undefined,
): void {
  if (within === undefined || within === null) return
  const message = tree.has(within)
    ? `${within} is changed by its instructors and by admins`
    : `there is no group ${within}`
  if (tree.has(within) && manages(within)) return
  throw new LabError({
    code: tree.has(within) ? 'forbidden' : 'group-invalid',
    kind: 'caller',
    message: `within: ${message}`,
    issues: [{ path: 'within', message }],
  })
}
