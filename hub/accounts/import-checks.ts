/** What of a list of people the one who imports it may not do. Changes nothing. */
import { mayInvite } from '@fernlab/shared/contracts/people'
import { type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Groups } from '../groups/groups.ts'
import type { Caller } from './caller.ts'
import { fewest, type ListedPerson } from './read-people.ts'

/** Lines whose role or group the caller may not give. */
export async function beyondCaller(
  groups: Pick<Groups, 'known' | 'manages'>,
  caller: Caller,
  people: readonly ListedPerson[],
): Promise<Issue[]> {
  const named = new Set<string>()
  for (const person of people) for (const id of person.groups) named.add(id)
  const managed = new Set<string>()
  const given = { id: caller.personId, role: caller.role }
  for (const id of await groups.known([...named])) if (await groups.manages(given, id)) managed.add(id)
  const issues: Issue[] = []
  for (const { line, role, groups: into } of people) {
    if (!mayInvite(caller, role)) {
      issues.push({ path: `csv[${line}].role`, message: `line ${line}: you may not make a ${role}` })
    }
    for (const id of into) {
      if (managed.has(id)) continue
      const message = `line ${line}: there is no group ${id} that you may change`
      issues.push({ path: `csv[${line}].groups`, message })
    }
  }
  return fewest(issues)
}

/** What somebody reads whose list has mistakes. */
export const listInvalid = (issues: readonly Issue[]): LabError =>
  new LabError({
    code: 'import-invalid',
    kind: 'caller',
    message: 'the list has mistakes; nobody was made',
    issues: [...issues],
    studentMessage: 'The list has mistakes. Nobody was made: mend the lines below and choose the list again.',
  })
