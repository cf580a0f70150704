import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@fernlab/edge/config/config'
import { addedBeside } from '@fernlab/edge/discovery/added-beside'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('instruments that were added beside node.yaml')
const probe = {
  driver: 'one-wire',
  config: { sensor: '28-0000075c5a3e' },
  find: 'w1:28-0000075c5a3e',
  by: 'Ada',
  at: '2026-01-01T00:00:00.000Z',
}
let folder = ''
let kept = ''

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-beside-'))
  await mkdir(join(folder, 'nodes/pi'), { recursive: true })
  await writeFile(join(folder, 'node.yaml'), 'node: pi\n')
  kept = join(folder, 'nodes/pi/added-instruments.json')
})
test.after.each(() => rm(folder, { recursive: true, force: true }))

const names = async () => Object.keys(await addedBeside(join(folder, 'node.yaml'), folder))

test('are those of the spare copy when the file was cut off or is gone', async () => {
  await writeFile(`${kept}.bak`, JSON.stringify({ probe }))
  assert.equal(await names(), ['probe'])
  await writeFile(kept, '{"probe": {"driv')
  assert.equal(await names(), ['probe'])
  await writeFile(kept, JSON.stringify({ other: probe }))
  assert.equal(await names(), ['other'])
})

test('are none without a file, and what a person wrote wrongly is told', async () => {
  assert.equal(await names(), [])
  await writeFile(kept, JSON.stringify({ probe: { ...probe, driver: 'process' } }))
  const error = await rejection(names())
  assert.is(error.code, 'settings-invalid')
  assert.match(error.message, /added-instruments\.json .*probe\.driver/)
})

test('that are left out are told with the reason where a bench names them', async () => {
  const text = `node: pi
hub: { url: in-process }
instruments: { block: { driver: one-wire, config: { sensor: 28-0000075c5a3e } } }
benches: { b-1: { parts: { probe: probe }, safeState: {} } }
`
  const added = { probe: { ...probe, driver: 'one-wire' as const } }
  const error = await rejection(loadConfig({ text }, builtInDrivers(), undefined, added))
  assert.match(
    error.issues[0]?.message ?? '',
    /^there is no instrument probe: the one that was added on the hub's page is left out, because .* is block's already$/,
  )
})

test.run()
