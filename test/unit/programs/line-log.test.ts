import { createLineLog } from '@fernlab/shared/programs/line-log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the log that people read')

test('writes one line an entry, with the fields of its parents, above its level', () => {
  const lines: string[] = []
  const now = () => new Date(2026, 0, 1, 14, 3, 22)
  const log = createLineLog({ level: 'info', write: (line) => lines.push(line), now })
  log.debug({}, 'too fine')
  log.child({ node: 'demo' }).warn({ reason: 'two\nlines', gone: undefined }, 'the broker is not reachable')
  assert.equal(lines, ['14:03:22 warn  the broker is not reachable  node="demo"  reason="two\\nlines"\n'])
})

test.run()
