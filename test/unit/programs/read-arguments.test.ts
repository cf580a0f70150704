import { LabError } from '@fernlab/shared/primitives/lab-error'
import { readArguments } from '@fernlab/shared/programs/read-arguments'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the arguments of a program')
const read = (...args: string[]) =>
  readArguments({ args, options: { enroll: { type: 'string' }, write: { type: 'boolean' } } }, '[--enroll CODE]')

test('are read as node:util does', () => {
  assert.is(read('--enroll', 'ABC').values.enroll, 'ABC')
})

const wrong: [args: string[], says: string][] = [
  [['--enroll', '-abc'], "Option '--enroll' argument is ambiguous; usage: [--enroll CODE]"],
  [['--enroll'], "Option '--enroll <value>' argument missing; usage: [--enroll CODE]"],
  [['--config=a.b.yaml'], "Unknown option '--config'; usage: [--enroll CODE]"],
  [['x'], "Unexpected argument 'x'; usage: [--enroll CODE]"],
  [['--write=3'], "Option '--write' does not take an argument; usage: [--enroll CODE]"],
]
for (const [args, says] of wrong) {
  test(`${args.join(' ')} is the mistake of a person, told in one line`, () => {
    try {
      read(...args)
      assert.unreachable('was taken')
    } catch (error) {
      assert.instance(error, LabError)
      assert.is((error as LabError).message, says)
      assert.is((error as LabError).kind, 'caller')
    }
  })
}

test.run()
