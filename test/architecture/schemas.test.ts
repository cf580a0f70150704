import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import * as assert from 'uvu/assert'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('editors complete the files of a lab builder')
const labs = join(root, 'shared/labs')
const files = readdirSync(labs, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.yaml'))

test('the first line of each demo file leads to the schema of its kind', () => {
  assert.ok(files.length > 6)
  for (const path of files) {
    const file = join(labs, path)
    const [first = ''] = readFileSync(file, 'utf8').split('\n')
    const schema = /^# yaml-language-server: \$schema=(\S+)$/.exec(first)?.[1]
    assert.ok(schema, `${path}: ${first}`)
    assert.ok(existsSync(resolve(dirname(file), schema)), `${path}: ${schema}`)
    const kind = path.includes('protocols/') ? 'protocol' : path.endsWith('node.yaml') ? 'node' : 'lab'
    assert.ok(schema.endsWith(`/${kind}.json`), `${path}: ${schema}`)
  }
})

test.run()
