/** The guide from a Raspberry Pi to a published lab, on one: its node, its bench with a lamp and a door, its lab. */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { blocksOf } from '../../support/doc-blocks.ts'
import { download, fernlabJson, until } from '../../support/kernel/in-guest/at-hub.ts'
import { type EdgeService, joinNetwork, startEdgeService } from '../../support/kernel/in-guest/edge-service.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a node on a Raspberry Pi', { timeoutMs: 150_000, hookTimeoutMs: 150_000, fileTimeoutMs: 300_000 })
const node = 'bench-3'
/** GPIO17, on a kernel that counts the header's lines from 458 on. */
const lamp = '/sys/class/gpio/gpio475/value'
const header = 'pinctrl-bcm2835'
const check = `{ kind: identify, config: { part: box, pattern: '^${header} .54 lines, from 458 on. by sysfs$' } }`
let service: EdgeService

interface Check {
  readonly name: string
  readonly passed?: boolean
  readonly reason?: string
}

const level = () => (existsSync(lamp) ? readFileSync(lamp, 'utf8').trim() : undefined)

interface Shown {
  readonly state: string
}

/** Asks the hub until its node, or its bench, is in that state. */
const untilIt = (what: 'node' | 'bench', name: string, is: string, signal: AbortSignal) =>
  until(
    () => fernlabJson<Shown>(what, 'show', name),
    ({ state }) => state === is,
    { signal, more: service.log },
  )

/** node.yaml of the guide, with the header's label and a check that it is the one. */
function nodeFile(): string {
  const guide = readFileSync('/fernlab/docs/raspberry-pi.md', 'utf8')
  const text = blocksOf(guide).find((block) => block.file === 'lamp-node/node.yaml')?.text ?? ''
  const named = text
    .replace('wss://lab.example.org/mqtt', 'HUB')
    .replace('    config:\n', `    config:\n      chip: ${header}\n`)
  return `${named}    checks:\n      header: ${check}\n`
}

test.before(async () => {
  await joinNetwork(AbortSignal.timeout(100_000))
  service = await startEdgeService(node, nodeFile())
})

test('is online at its hub, and has found the header by its label', async ({ signal }) => {
  await untilIt('node', node, 'online', signal)
  await untilIt('bench', `${node}.box`, 'free', signal)
  const { checks } = await fernlabJson<{ checks: Check[] }>('bench', 'check', `${node}.box`)
  assert.equal(
    checks.map(({ name, passed, reason }) => [name, passed, reason]),
    [['header', true, undefined]],
  )
})

test('a run that is submitted at the hub switches the pin, and its rows come back', async ({ signal }) => {
  const seen = new Set([level()])
  let isOver = false
  const ran = fernlabJson<{ id: string; state: string }>('run', 'lamp', 'blink', '-p', 'times=3').finally(() => {
    isOver = true
  })
  while (!isOver && !signal.aborted) {
    seen.add(level())
    await sleep(20)
  }
  const { id, state } = await ran
  assert.is(state, 'succeeded')
  assert.equal([...seen], ['0', '1'], 'the lamp was off, and then on')
  const [head, ...rows] = await download(`/api/v1/runs/${id}/data.csv`)
  assert.is(head, 'time_s,box_lamp,box_door')
  assert.equal(
    rows.map((row) => row.replace(/^[0-9.]+,/, '')),
    // Nothing is wired to GPIO27, which is low here; a closed door makes it so.
    ['true,true', 'false,true', 'true,true', 'false,true', 'true,true', 'false,true'],
  )
  const documents = (await download(`/api/v1/runs/${id}/documents`)).map((line) => JSON.parse(line) as { name: string })
  assert.equal(
    documents.map(({ name }) => name),
    ['start', 'descriptor', ...rows.map(() => 'event_page'), 'stop'],
  )
})

test('stopped, it leaves the pin at its safe level, and its hub knows', async ({ signal }) => {
  assert.is(await service.stop(), 0)
  assert.is(level(), '0')
  await untilIt('node', node, 'offline', signal)
})

test.run()
