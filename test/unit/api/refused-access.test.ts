import type { Caller } from '@fernlab/hub/accounts/caller'
import { type Access, requireAccess } from '@fernlab/hub/api/context'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what is said of what somebody may not do')
const person = { personId: 'p1', name: 'Stu', email: 'stu@school.example', scopes: 'all', via: 'session' } as const

function refusalOf(role: Caller['role'], access: Access): Pick<LabError, 'code' | 'message'> {
  try {
    requireAccess({ ...person, role }, access)
  } catch (error) {
    const { code, message } = error as LabError
    return { code, message }
  }
  return assert.unreachable(`${role} may ${access}`) as never
}

test('whoever may not is told which roles may', () => {
  const told = refusalOf('builder', 'benches.drive').message
  assert.match(told, /^this needs the role admin or instructor; yours is builder/)
})

test('whoever may not take a bench by hand is told how one has it all the same', () => {
  const { code, message } = refusalOf('student', 'benches.drive')
  assert.is(code, 'forbidden')
  assert.match(
    message,
    /^this needs the role admin or instructor; yours is student; whoever works in a live session .*fernlab session start, fernlab\.Session/,
  )
  assert.equal(refusalOf('student', 'audit.read'), { code, message: 'this needs the role admin; yours is student' })
})

test.run()
