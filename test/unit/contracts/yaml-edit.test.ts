import { withRenamed } from '@fernlab/shared/contracts/yaml-edit'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('changes to files that people write')

const written = `# the lab
services:
  own:
    fit: {file: ./fit.ts,   tags: [analysis]}   # ours
    "plot" :
      tags: [ a,b ]
      file:   './plot.ts'
`

test('an entry that is renamed changes its name, and not a letter of the rest', () => {
  const path = ['services', 'own']
  assert.is(withRenamed(written, path, 'fit', 'fitter'), written.replace('fit: {', 'fitter: {'))
  assert.is(withRenamed(written, path, 'plot', 'chart'), written.replace('"plot" :', 'chart :'))
  // A name that YAML would take for something else is a text still.
  assert.is(withRenamed(written, path, 'fit', 'true'), written.replace('fit: {', '"true": {'))
})

test('what the file has not is renamed in no file', () => {
  for (const [text, name] of [
    [written, 'fits'],
    ['services: [', 'fit'],
  ] as const) {
    try {
      withRenamed(text, ['services', 'own'], name, 'x')
      assert.unreachable()
    } catch (thrown) {
      assert.is((thrown as LabError).code, 'yaml-unreadable')
    }
  }
})

test.run()
