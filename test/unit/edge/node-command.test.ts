import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeCommand } from '@fernlab/edge/node-command'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what is typed on a machine that is a node alone')

const folder = mkdtempSync(join(tmpdir(), 'fernlab-node-command-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'node.yaml')

/** What a command says, or, in brackets, why it is refused. */
async function say(...args: string[]): Promise<string> {
  const lines: string[] = []
  const env = { FERNLAB_NODE_FILE: file, FERNLAB_DATA: folder }
  try {
    await nodeCommand({ args, env, columns: undefined, out: (line) => lines.push(line), err: () => {} })
    return lines.join('\n')
  } catch (error) {
    return `${lines.join('\n')}[${error instanceof Error ? error.message : error}]`
  }
}

test('says what may be typed', async () => {
  assert.match(await say(), /^\[say what to do: fernlab doctor/)
  assert.match(await say('doktor'), /^\[there is no "doktor" on a node; there is fernlab doctor/)
  assert.match(await say('node', 'enroll'), /^\[there is no "node enroll" on a node/)
  assert.match(await say('node', 'add-instrument'), /^\[name one find, as "fernlab doctor" has it/)
  assert.match(await say('driver', 'make'), /^\[there is no "driver make" on a node/)
  assert.match(await say('driver', 'new'), /^\[name one folder; usage: fernlab doctor/)
  assert.match(
    await say('driver', 'new', 'x', '--language', 'perl'),
    /^\[--language is "perl"; it may be typescript, python, c/,
  )
  assert.match(
    await say('driver', 'test', join(folder, 'none')),
    /none\/driver-test\.yaml is not there: name the folder/,
  )
  assert.match(await say('doctor', '--nodes', 'x'), /^\[Unknown option '--nodes'/)
  assert.match(await say('enroll', '--hub', 'lab.example'), /^\[--hub and --code are both needed/)
  assert.match(await say('enroll', '--hub', 'lab.example', '--code', 'x'), /must be an address that begins with http/)
})

test('looks at the node’s file, and refuses a find that is not there', async () => {
  writeFileSync(file, 'node: pi\nhub: { url: in-process }\ninstruments: {}\n')
  const findings = JSON.parse(await say('doctor', '--json')) as { group: string; what: string; verdict: string }[]
  assert.equal(
    findings.filter(({ group }) => group === 'Node').map(({ what, verdict }) => [what, verdict]),
    [[file, 'ok']],
  )
  assert.match(await say('node', 'add-instrument', 'gpio:none'), /^\[there is no gpio:none/)
  writeFileSync(file, 'node: pi\nhub: {}\n')
  assert.match(await say('doctor'), /broken +.*hub\.url: is missing[\s\S]*\[2 of \d+ checks found something broken\]/)
})

test.run()
