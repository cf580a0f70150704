/** What a person does with the services of a lab from a terminal. */
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import * as assert from 'uvu/assert'
import { type DiodeLab, startDiodeLab } from '../../support/clients/diode-lab.ts'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'

const test = suite('services from a terminal', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })

let lab: DiodeLab
test.before(async () => {
  lab = await startDiodeLab()
})
test.after(() => lab?.close())

test('from a terminal: what a service can do, what it reads, and setting it with a lock of its own', async () => {
  const env = { FERNLAB_HUB: lab.hub.http, FERNLAB_TOKEN: lab.hub.token }
  const said = async (...args: string[]) => {
    const { code, out, err } = await commandLine(args, { env })
    assert.is(code, 0, err)
    return out
  }
  const wrong = async (...args: string[]) => {
    const { code, err } = await commandLine(args, { env })
    assert.is(code, 1)
    return err
  }
  assert.match(await said('call', 'diode-1.psu'), /^voltage +signal +number in V.*$/m)
  assert.is(await said('call', 'diode-1.psu', '--read', 'voltage'), 'voltage: 0 V\n')
  assert.match(await wrong('call', 'diode-1.psu', '--set', 'voltage=1'), /does not open.*With --lock/s)
  assert.is(
    await said('call', 'diode-1.psu', '--lock', 'a look', '--set', 'voltage=1500 mV', '--read', 'voltage'),
    'voltage: 1.5 V\n',
  )
  const amperes = await commandLine(['call', 'diode-1.psu', '--lock', '--set', 'voltage=5 mA'], { env })
  assert.is(amperes.code, 2)
  assert.match(amperes.err, /^fernlab: voltage "5 mA" is in mA, which can't be given in V\n$/)
  assert.match(await wrong('call', 'diode-1.psu', '--read', 'volts'), /no signal volts.*voltage/s)
  assert.match(await wrong('call', 'diode-1.psu', 'explode'), /no action explode\n/)
  assert.match(await wrong('call', 'diode-2.psu'), /no service diode-2\.psu\n +"fernlab directory" lists/)
  await lab.untilUp()
  let seen: string | undefined
  const { code, out } = await commandLine(['lock', 'diode-1.psu'], {
    env,
    onInterrupt: (press) => {
      void lab
        .client()
        .directory.find({ name: 'diode-1.psu', state: 'locked' })
        .then(([entry]) => {
          seen = entry?.state
          press()
        }, press)
    },
  })
  assert.equal([code, out, seen], [0, 'Locked: demo/diode-1.psu\n', 'locked'])
  // What another program of the same person has locked.
  await using other = lab.client()
  await other.lock(['results'])
  const isShown = async () => (await lab.client().directory.find({ name: 'results', state: 'locked' })).length === 1
  await until(isShown, 'the hub hearing of the lock')
  assert.match(await said('directory', '--name', 'results'), /^results +demo +locked .* you +\d{4}-\d\d-\d\d /m)
  assert.match(await said('directory', 'results'), /^locked by +you since \d{4}-/m)
  assert.is(await said('unlock', 'results', '--reason', 'it hangs'), 'Unlocked: results\n')
  assert.match(await wrong('unlock', 'results'), /service results is not locked/)
  await lab.untilUp()
})

test('from a terminal: the hold of a bench that somebody else has is ended for a reason', async () => {
  const [bo, carol] = [await lab.colleague(), await lab.colleague()]
  const env = { FERNLAB_HUB: lab.hub.http, FERNLAB_TOKEN: lab.hub.token }
  const of = ({ bearer }: typeof bo) => ({ ...env, FERNLAB_TOKEN: bearer.authorization.replace('Bearer ', '') })
  const run = (...args: string[]) => commandLine(args, { env })
  await using client = lab.client()
  const isLocked = async () => (await client.directory.find({ name: 'diode-1.psu', state: 'locked' })).length === 1

  const held = commandLine(['lock', 'diode-1.psu', '--reason', 'a sweep over night'], { env: of(bo) })
  await until(isLocked, 'the bench being locked')
  const shown = await run('bench', 'show', 'demo.diode-1')
  assert.match(shown.out, /; Person \d+ drives it directly \(a sweep over night\)\n/)
  // Neither without a reason nor by who may not maintain benches.
  const bare = await run('unlock', 'diode-1.psu')
  assert.is(bare.code, 1)
  assert.match(bare.err, /a lease of yours on the bench demo\.diode-1.*\n +What another has locked ends with --reason/)
  const taken = await run('bench', 'lease', 'demo.diode-1')
  assert.match(
    taken.err,
    /demo\.diode-1 can't be taken: Person \d+ has it since \S+Z \(a sweep over night\); wait .*unlock it with a reason/,
  )
  const unseen = await commandLine(['bench', 'lease', 'demo.diode-1'], { env: of(carol) })
  assert.match(unseen.err, /demo\.diode-1 can't be taken: .* has it since \S+Z/)
  const refused = await commandLine(['unlock', 'diode-1.psu', '--reason', 'mine now'], { env: of(carol) })
  assert.is(refused.code, 1)
  assert.match(refused.err, /builder, admin/)
  assert.ok(await isLocked())

  // Whom it was meant for has gone meanwhile: nothing is ended.
  const meant = await run('unlock', 'diode-1.psu', '--reason', 'left over night', '--holder', 'Carol')
  assert.is(meant.code, 1)
  assert.match(meant.err, /diode-1\.psu is not held by Carol; Person \d+ has it since .*: a sweep over night/)
  assert.ok(await isLocked())
  const done = await run('unlock', 'diode-1.psu', '--reason', 'left over night', '--holder', bo.id)
  assert.equal([done.code, done.out], [0, 'Unlocked: diode-1.psu\n'])
  assert.match(done.err, /^diode-1\.psu: Person \d+ had it since .*: a sweep over night\.\n$/)
  const lost = await held
  assert.equal([lost.code, lost.out], [1, 'Locked: demo/diode-1.psu\n'])
  assert.match(lost.err, /your hold of demo\.diode-1 was ended by .+: left over night/, lost.err)
  assert.not.match(lost.err, /ended by somebody|Unlocked/)
  const [entry] = JSON.parse((await run('audit', '--action', 'bench.released', '--json')).out) as AuditEntry[]
  const { lease: _lease, ...detail } = entry?.detail ?? {}
  assert.equal(detail, { holder: bo.id, reason: 'left over night' })
  await lab.untilUp()
})

test.run()
