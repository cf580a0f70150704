import { formatIssues, LabError } from '@fernlab/shared/primitives/lab-error'
import { waitOf } from 'fernlab/cli/commands/listings'
import { problemLines } from 'fernlab/cli/problem'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what listings and problems say')

const bench = { id: 'demo.rc-1', state: 'offline' } as const

test('a lab that no bench serves is not one whose benches are down', () => {
  assert.is(waitOf({ benches: [bench], estimatedWaitS: null }), 'no bench is up')
  assert.is(waitOf({ benches: [], estimatedWaitS: null }), 'no bench serves this lab')
  const notServedBy = [{ bench: bench.id, reason: 'demo.rc-1 is kept for rc-circuit' }]
  assert.is(
    waitOf({ benches: [], estimatedWaitS: null, notServedBy }),
    'no bench serves this lab; demo.rc-1 is kept for rc-circuit',
  )
})

test('an issue that is the problem itself is printed once', () => {
  const problem = (message: string) =>
    new LabError({
      code: 'request-invalid',
      kind: 'caller',
      message,
      issues: [{ path: 'path.id', message: 'is none' }],
    })
  assert.equal(problemLines(problem('path.id: is none')), ['fernlab: path.id: is none'])
  assert.equal(problemLines(problem('does not fit')), ['fernlab: does not fit', '  path.id: is none'])
  const away = new LabError({
    code: 'node-unreachable',
    kind: 'link',
    message: "pi can't be reached (hub:pi: pi is not connected)",
    issues: [{ path: 'hub:pi', message: 'pi is not connected' }],
  })
  assert.equal(problemLines(away), [
    "fernlab: pi can't be reached (hub:pi: pi is not connected)",
    '  See whether the machine of the node is on and has a network; once it is back, the same command will do.',
  ])
  // A service says in its own words what is wrong, and where.
  const whole = 'psu/signals.set (psu 1.0): path.id is none'
  assert.equal(problemLines(problem(whole)), [`fernlab: ${whole}`])
  const issues = [{ path: 'path.id', message: 'is none', file: 'lab.yaml', line: 2, column: 5 }]
  assert.equal(problemLines(new LabError({ code: 'lab-invalid', kind: 'caller', message: whole, issues })), [
    `fernlab: ${whole}`,
    '  lab.yaml:2:5: path.id: is none',
  ])
  // A fault of YAML shows its place, in several lines.
  const yaml = [{ path: '', message: 'a comma is missing:\n\na: [1 2\n      ^', file: 'node.yaml', line: 1, column: 7 }]
  const said = formatIssues(yaml)
  assert.equal(
    problemLines(new LabError({ code: 'configuration-invalid', kind: 'configuration', message: said, issues: yaml })),
    [`fernlab: ${said}`],
  )
})

test.run()
