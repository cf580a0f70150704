/** Whoever does not get what another has is told who that is, since when and what for, straight at the node too. */
import type { Client } from '@fernlab/shared/clients/typescript/client'
import { connect } from '@fernlab/shared/clients/typescript/node'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { type DiodeLab, startDiodeLab } from '../../support/clients/diode-lab.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('who has what a node refuses', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })
const psu = 'diode-1.psu'
const since = 'since \\d{4}-[^ ]*Z'
let lab: DiodeLab
let colleague: Client
let name: string

test.before(async () => {
  lab = await startDiodeLab()
  const person = await lab.colleague()
  const me = await person.ask('GET', '/api/v1/me')
  name = (me.body as { name: string }).name
  colleague = connect({ hub: lab.hub.http, token: person.bearer.authorization.replace('Bearer ', '') })
})
test.after(async () => {
  await colleague?.close()
  await lab?.close()
})

/** The hub has heard from the node whether somebody has the service. */
async function untilHub(knows: 'who has it' | 'nobody has it'): Promise<void> {
  const isKnown = async () =>
    ((await colleague.directory.find({ name: 'count' }))[0]?.lockedBy !== undefined) === (knows === 'who has it')
  await until(isKnown, `the hub knows ${knows}`, 10_000)
}

test('a program in TypeScript is told, of a service of a daemon and of a bench', async () => {
  await using client = lab.client()
  const counts = await client.service('count')
  const supply = await client.service(psu)
  await supply.read(['voltage'])
  await untilHub('nobody has it')
  await using _lock = await colleague.lock(['count', psu], { reason: 'a sweep' })
  await untilHub('who has it')
  const told = async (work: unknown) => {
    const { code, message, details } = await rejection(work as Promise<unknown>)
    return { code, message, by: details.by, reason: details.reason }
  }
  const state = (what: string) => new RegExp(`^demo/\\S+ is ${what}: ${name} has it ${since} \\(a sweep\\); wait until`)
  for (const [work, code, what] of [
    [() => client.lock(['count']), 'service-locked', 'locked'],
    [() => counts.do.process?.({}), 'service-locked', 'locked'],
    [() => supply.read(['voltage']), 'bench-busy', 'in use'],
  ] as const) {
    const { message, ...rest } = await told(work())
    assert.equal(rest, { code, by: name, reason: 'a sweep' })
    assert.match(message, state(what))
  }
  assert.match((await told(client.lock([psu]))).message, new RegExp(`${name} has it ${since} \\(a sweep\\)`))
})

test('test_who_has_it.py passes', async ({ signal }) => {
  await untilHub('nobody has it')
  await using _lock = await colleague.lock(['count', psu], { reason: 'a sweep' })
  await untilHub('who has it')
  const env = { ...pythonEnv, FERNLAB_HUB: lab.hub.http, FERNLAB_TOKEN: lab.hub.token, FERNLAB_WHO: name }
  const { code, err } = await runPython('test_who_has_it.py', [], { env, signal })
  assert.is(code, 0, err)
  assert.match(err, /^Ran [1-9]\d* tests?/m)
})

test.run()
