/** Calibrations through the hub, by the command line: a real hub, and a node of the same process. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Bench } from '@fernlab/shared/contracts/api'
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'
import { admin, adminToken, startTestHub, type TestHub, until } from './hub-with-node.ts'

const test = suite('calibrations of a node, through the hub', { timeoutMs: 60_000 })
let lab: TestHub

interface Descriptor {
  readonly name: string
  readonly doc: { readonly configuration?: Record<string, { data: Record<string, string> }> }
}

const calibrate = (...words: string[]) =>
  commandLine(['node', 'calibrate', 'n', ...words], {
    env: { FERNLAB_HUB: lab.hub.httpUrl, FERNLAB_TOKEN: adminToken },
  })
const bench = async () => (await (await lab.call('/api/v1/benches/n.b-1')).json()) as Bench
const run = async (value: number) => {
  const { id } = await lab.hub.runs.submit(admin, { lab: 'small', protocol: 'set', parameters: { value, pause: 0 } })
  return await lab.final(id)
}
const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code]

test.before(async () => {
  lab = await startTestHub()
  await lab.node('n')
})
test.after(() => lab.close())

test('a signal is calibrated from the command line, and the next run has it', async () => {
  const done = await calibrate('box-1.value', '--linear', '2,-1', '--uncertainty', '0.1', '--note', 'by hand')
  assert.equal([done.code, done.out], [0, 'box-1.value of n: 2 · raw - 1\n'], done.err)
  assert.match(done.err, /fernlab node calibrate n box-1\.value --undo/)
  const { state, outputs, id } = await run(5)
  assert.is(state, 'succeeded')
  assert.is((outputs.value as { value: number }).value, 5)
  const documents = await (await lab.call(`/api/v1/runs/${id}/documents`)).text()
  const found = documents
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Descriptor)
    .find(({ name }) => name === 'descriptor')
  const { curve, by } = JSON.parse(found?.doc.configuration?.['box-1']?.data.value_calibration ?? '{}')
  assert.equal([curve, by], [{ form: 'linear', gain: 2, offset: -1 }, 'Automation'])
  const log = (await (await lab.call('/api/v1/audit?action=node')).json()) as { items: AuditEntry[] }
  assert.ok(log.items.some(({ action, subject }) => action === 'node.calibrated' && subject === 'n/box-1.value'))
})

test('a reading comes with its raw value where that is asked for', async () => {
  const exchange = async (body: object) => {
    const answer = await lab.call('/api/v1/benches/n.b-1/exchange', { method: 'POST', json: body })
    const { readings } = (await answer.json()) as { readings: Record<string, { value: number; raw?: number }> }
    const { value, raw } = readings['box.value'] ?? {}
    return { value, raw }
  }
  // The node lets go of the bench a moment after the run is final.
  const read = { method: 'POST', json: { read: ['box.value'] } }
  await until(async () => (await lab.call('/api/v1/benches/n.b-1/exchange', read)).ok, 'the bench is let go')
  const { value = Number.NaN, raw } = await exchange({ read: ['box.value'] })
  assert.is(raw, undefined)
  assert.equal(await exchange({ read: ['box.value'], raw: true }), { value, raw: (value + 1) / 2 })
  const taken = await lab.call('/api/v1/benches/n.b-1/lease', { method: 'POST', json: { ttlS: 60 } })
  const { lease } = (await taken.json()) as { lease: string }
  const held = await exchange({ lease, set: { 'box.value': 5 }, read: ['box.value'], raw: true })
  assert.equal(held, { value: 5, raw: 3 })
  const env = { FERNLAB_HUB: lab.hub.httpUrl, FERNLAB_TOKEN: adminToken }
  const words = ['bench', 'exchange', 'n.b-1', '--lease', lease, '--read', 'box.value', '--raw']
  const { out, err } = await commandLine(words, { env })
  assert.equal([out, err], ['box.value  5  (raw: 3)\n', ''])
  await lab.call('/api/v1/benches/n.b-1/lease', { method: 'DELETE' })
})

test('raw values of a run are had back, from the command line too', async () => {
  const { id } = await run(5)
  const download = async (...words: string[]) => {
    const { out, err, code } = await commandLine(['download', id, '--to', '-', ...words], {
      env: { FERNLAB_HUB: lab.hub.httpUrl, FERNLAB_TOKEN: adminToken },
    })
    return { out, err, code }
  }
  assert.match((await download('--raw', '--form', 'documents')).err, /--raw goes with tables/)
  const data = async (query: string) => {
    const answer = await lab.call(`/api/v1/runs/${id}/data.json${query}`)
    return (await answer.json()) as { values?: string; columns: Record<string, number[]> }
  }
  assert.equal((await data('')).columns, { box_value: [5] })
  const raw = await data('?values=raw')
  assert.equal([raw.values, raw.columns], ['raw', { box_value: [3] }])
  const csv = await lab.call(`/api/v1/runs/${id}/data.csv?values=raw`)
  assert.match(csv.headers.get('content-disposition') ?? '', /-raw\.csv"$/)
  const saved = await commandLine(['download', id, '--raw', '--to', lab.folder, '--json'], {
    env: { FERNLAB_HUB: lab.hub.httpUrl, FERNLAB_TOKEN: adminToken },
  })
  const [file = ''] = (JSON.parse(saved.out) as { files: string[] }).files
  assert.match(await readFile(file, 'utf8'), /^time_s,box_value.*\r\n[\d.]+,3\r\n$/)
  assert.is((await lab.call(`/api/v1/runs/${id}/data.csv?values=row`)).status, 400)
})

test('tables come from files, all are listed, and the last is undone', async () => {
  const file = join(lab.folder, 'table.csv')
  await writeFile(file, 'raw,value\n0,0\n5,6\r\n10;11\n')
  const done = await calibrate('box-1.value', '--table', file, '--valid-until', '2026-01-31')
  assert.is(done.out, 'box-1.value of n: table of 3 points\n', done.err)
  const shown = async () =>
    (JSON.parse((await calibrate('--show', '--json')).out) as { signal: string; history: { undone?: object }[] }[])[0]
  assert.equal([(await shown())?.signal, (await shown())?.history.length], ['box-1.value', 2])
  assert.match((await calibrate('box-1.value', '--show')).out, /in force.*table of 3 points.*2026-01-31/s)
  await until(async () => {
    const signals = (await bench()).parts.box?.signals as SignalSpec[] | undefined
    return signals?.[0]?.limits?.high === 11
  }, 'the limits of the bench')
  assert.is((await calibrate('box-1.value', '--undo')).out, 'box-1.value of n: 2 · raw - 1\n')
  assert.equal(
    (await shown())?.history.map(({ undone }) => undone !== undefined),
    [false, true],
  )
  assert.match((await calibrate('box-1.value', '--show')).out, /undone by/)
  const log = (await (await lab.call('/api/v1/audit?action=node')).json()) as { items: AuditEntry[] }
  assert.ok(log.items.some(({ action }) => action === 'node.calibration-undone'))
  assert.is((await calibrate('box-1.value', '--clear')).out, 'box-1.value of n: raw values count\n')
})

test('what is wrong is refused with what to do, and changes nothing', async () => {
  const before = (await calibrate('--show', '--json')).out
  const ended = async (status: number, words: string[]) => {
    const { code, err } = await calibrate(...words)
    assert.is(code, status, err)
    return err
  }
  const refused = (...words: string[]) => ended(1, words)
  const misspelt = (...words: string[]) => ended(2, words)
  assert.match(await misspelt('box-1.value'), /give one of --linear, --polynomial, --table/)
  assert.match(await misspelt('box-1.value', '--linear', '1'), /--linear takes 2 numbers, with commas, not "1"/)
  assert.match(await refused('box-1.value', '--linear', '0,1'), /--linear: must not be 0/)
  assert.match(await misspelt('--clear'), /name the signal/)
  const file = join(lab.folder, 'wrong.csv')
  await writeFile(file, '1,2\n2,x\n')
  assert.match(await refused('box-1.value', '--table', file), /wrong\.csv, line 2: must be a raw value and a value/)
  assert.match(await refused('box-1.value', '--table', `${file}x`), /wrong\.csvx can not be read/)
  assert.match(await refused('box-1.value', '--polynomial', '0,0,1'), /a value would have two raw values/)
  assert.match(await refused('box-1.volume', '--clear'), /box-1 has no signal volume/)
  assert.match(await refused('box-2.value', '--clear'), /this node has no instrument box-2/)
  const lease = await (await lab.call('/api/v1/benches/n.b-1/lease', { method: 'POST', json: { ttlS: 60 } })).json()
  assert.match(await refused('box-1.value', '--linear', '3,0'), /while bench b-1 is in use: wait for the run to end/)
  await lab.call(`/api/v1/benches/n.b-1/lease?lease=${(lease as { lease: string }).lease}`, { method: 'DELETE' })
  assert.is((await calibrate('--show', '--json')).out, before)
  assert.equal(await codeOf(await lab.call('/api/v1/nodes/m/calibrations')), [404, 'node-unknown'])
})

test.run()
