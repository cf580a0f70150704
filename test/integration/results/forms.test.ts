import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createResults, type Results } from '@fernlab/hub/results/results'
import type { Run } from '@fernlab/shared/contracts/api'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { documentsOf, startTime, storeDocuments, storeRun, temporaryStore } from './stored-run.ts'

const test = suite('the forms of a run’s results', { timeoutMs: 60_000 })
let opened: Awaited<ReturnType<typeof temporaryStore>>
let results: Results
let run: Run
const rows = 3 * 5000

test.before(async () => {
  opened = await temporaryStore()
  results = createResults({ store: opened.store, site: 'here', clock: systemClock })
  run = await storeRun(opened.store)
  await storeDocuments(opened.store, [...documentsOf(run, { pages: 3, rowsPerPage: 5000 })])
})
test.after(async () => {
  await results.close()
  await opened.close()
})

async function bytes(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

interface Line {
  name: string
  doc: Record<string, never>
}

test('documents are valid by the event model’s own schemas, and the same each time', async () => {
  const ajv = new Ajv2020({ strict: false })
  const schema = async (name: string) => {
    const path = new URL(`../../../shared/schemas/event-model/${name}.json`, import.meta.url)
    return ajv.compile(JSON.parse(await readFile(path, 'utf8')))
  }
  const validators = {
    start: await schema('run_start'),
    descriptor: await schema('event_descriptor'),
    event_page: await schema('event_page'),
    stop: await schema('run_stop'),
  }
  const text = (await bytes(await results.documents(run))).toString()
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  for (const { name, doc } of lines) {
    const validate = validators[name as keyof typeof validators]
    assert.ok(validate(doc), `${name}: ${ajv.errorsText(validate.errors)}`)
  }
  assert.is(lines[0]?.name, 'start')
  assert.is(lines[1]?.name, 'descriptor')
  assert.is(lines.at(-1)?.name, 'stop')
  const stop = lines.at(-1)?.doc as unknown as Record<string, unknown>
  assert.is(stop.exit_status, 'success')
  assert.is(stop.fernlab_state, 'partial')
  assert.equal(stop.outputs, run.outputs)
  const pages = lines
    .filter(({ name }) => name === 'event_page')
    .map(({ doc }) => doc as unknown as { seq_num: number[]; uid: string[] })
  assert.equal(
    pages.flatMap((page) => page.seq_num),
    Array.from({ length: rows }, (_, i) => i + 1),
  )
  assert.is(new Set(pages.flatMap((page) => page.uid)).size, rows)
  assert.is((await bytes(await results.documents(run))).toString(), text)
})

test('CSV has units in its header, quotes text and counts time from the start', async () => {
  const text = (await bytes(await results.csv(run, { time: 'relative' }))).toString()
  const lines = text.split('\r\n')
  assert.is(lines[0], 'time_s,supply_voltage [V],power [W],meter_range,switch_on')
  assert.is(lines[1], '0,0,0,"auto, ""fine""",true')
  assert.is(lines[2], `0.001,${Math.sin(0.001)},${Math.sin(0.001) ** 2},manual,false`)
  assert.is(lines.length, rows + 2)
  const iso = (await bytes(await results.csv(run, { time: 'iso', columns: ['power'] }))).toString().split('\r\n')
  assert.is(iso[0], 'time,power [W]')
  assert.is(iso[2]?.split(',')[0], new Date(startTime * 1000).toISOString().replace('.000Z', '.001000Z'))
})

test('a window of time cuts pages at its edges', async () => {
  const window = { from: startTime + 4.999, to: startTime + 5.001 }
  const lines = (await bytes(await results.csv(run, { ...window, time: 'relative' }))).toString().trim().split('\r\n')
  assert.equal(
    lines.slice(1).map((line) => line.split(',')[0]),
    ['4.999', '5', '5.001'],
  )
  const data = await results.reduced(run, { ...window, points: 100 })
  assert.is(data.time.length, 3)
  assert.not(data.reduced)
  assert.is(data.rows, rows)
})

test('the whole as JSON has every row', async () => {
  const data = JSON.parse((await bytes(await results.json(run, {}))).toString())
  assert.is(data.rows, rows)
  assert.is(data.time.length, rows)
  assert.equal(Object.keys(data.columns), ['supply_voltage', 'power', 'meter_range', 'switch_on'])
  assert.is(data.columns.supply_voltage[1234], Math.sin(1.234))
  assert.is(data.columns.meter_range[1], 'manual')
  assert.equal(data.keys.power, { unit: 'W', dtype: 'number', source: 'derived', title: 'Power' })
})

test('a chart keeps the peaks and both ends', async () => {
  const data = await results.reduced(run, { points: 200, columns: ['supply.voltage'] })
  assert.ok(data.reduced)
  assert.ok(data.time.length <= 200, `${data.time.length}`)
  assert.ok(data.time.length >= 100, `${data.time.length}`)
  const values = data.columns.supply_voltage as number[]
  const all = Array.from({ length: rows }, (_, i) => Math.sin(i / 1000))
  assert.is(Math.max(...values), Math.max(...all))
  assert.is(Math.min(...values), Math.min(...all))
  assert.is(data.time[0], startTime)
  assert.is(data.time.at(-1), startTime + (rows - 1) / 1000)
  assert.equal(
    data.time,
    [...data.time].sort((a, b) => a - b),
  )
})

test('Parquet can be read back', async () => {
  const file = await bytes(await results.parquet(run, {}))
  const { parquetReadObjects, parquetMetadata } = await import('hyparquet')
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer
  const metadata = parquetMetadata(buffer)
  assert.is(Number(metadata.num_rows), rows)
  assert.is(metadata.row_groups.length, 3)
  assert.is(metadata.key_value_metadata?.find(({ key }) => key === 'unit.supply_voltage')?.value, 'V')
  const objects = await parquetReadObjects({ file: buffer, rowStart: 5001, rowEnd: 5002 })
  assert.equal(objects, [
    {
      time: startTime + 5.001,
      supply_voltage: Math.sin(5.001),
      power: Math.sin(5.001) ** 2,
      meter_range: 'manual',
      switch_on: true,
    },
  ])
})

/** A file as HDF5's own library reads it. */
async function openHdf5(file: Buffer) {
  const { default: h5wasm } = await import('h5wasm/node')
  await h5wasm.ready
  const path = join(opened.folder, 'read-back.h5')
  await writeFile(path, file)
  const opening = new h5wasm.File(path, 'r')
  return {
    attributes: opening.attrs,
    names: opening.keys(),
    dataset: (name: string) => opening.get(name) as InstanceType<typeof h5wasm.Dataset>,
    close: () => opening.close(),
  }
}

test('HDF5 can be read back', async () => {
  const file = await openHdf5(await bytes(await results.hdf5(run, {})))
  assert.equal(file.names, ['time', 'supply_voltage', 'power', 'meter_range', 'switch_on'].sort())
  const { attributes, dataset } = file
  for (const name of file.names) assert.equal(dataset(name).shape, [rows])
  assert.is(dataset('time').attrs.unit?.value, 's')
  assert.equal([...(dataset('time').slice([[14_999, 15_000]]) as Float64Array)], [startTime + 14.999])
  assert.is(dataset('supply_voltage').attrs.unit?.value, 'V')
  assert.is(dataset('power').attrs.title?.value, 'Power')
  const voltages = [...(dataset('supply_voltage').value as Float64Array)]
  assert.equal(
    voltages,
    Array.from({ length: rows }, (_, i) => Math.sin(i / 1000)),
  )
  assert.equal(dataset('meter_range').slice([[0, 2]]), ['auto, "fine"', 'manual'])
  assert.equal([...(dataset('switch_on').slice([[0, 4]]) as Int8Array)], [1, 0, 0, 1])
  assert.is(attributes.run?.value, run.id)
  assert.is(attributes.parameters?.value, JSON.stringify(run.parameters))
  file.close()
})

test('a window in HDF5 has its rows only, also an odd number of them, or none', async () => {
  const from = startTime + 4.9985
  for (const count of [7, 1, 0]) {
    const file = await openHdf5(await bytes(await results.hdf5(run, { from, to: from + count / 1000 })))
    const { dataset } = file
    for (const name of file.names) assert.equal(dataset(name).shape, [count], name)
    if (count > 0) {
      assert.equal(
        [...(dataset('supply_voltage').value as Float64Array)],
        Array.from({ length: count }, (_, i) => Math.sin((4999 + i) / 1000)),
      )
      assert.is(
        dataset('meter_range')
          .slice([[count - 1, count]])
          ?.toString(),
        'manual',
      )
    }
    file.close()
  }
})

test('HDF5 breaks off when rows go while it is sent', async () => {
  const going = await storeRun(opened.store, { id: 'h'.repeat(26) })
  await storeDocuments(opened.store, [...documentsOf(going, { pages: 4, rowsPerPage: 100 })])
  const source = await results.hdf5(going, {})
  assert.ok(!(await source.next()).done)
  await opened.store.write([
    opened.store.db.deleteFrom('document').where('run_id', '=', going.id).where('name', '=', 'event_page'),
  ])
  assert.is(await bytes(source).catch((error) => error.code), 'conversion-failed')
})

test('a chart’s worth can be had in every form', async () => {
  const some = { points: 200, columns: ['power', 'meter.range'] }
  const { time, columns } = await results.reduced(run, some)
  assert.ok(time.length <= 200 && time.length > 90, `${time.length}`)
  const csv = (await bytes(await results.csv(run, { ...some, time: 'epoch' }))).toString().trim().split('\r\n')
  assert.equal(
    csv.slice(1),
    time.map((at, n) => {
      const range = String(columns.meter_range?.[n])
      return `${at},${columns.power?.[n]},${range.includes('"') ? `"${range.replaceAll('"', '""')}"` : range}`
    }),
  )
  const { parquetReadObjects } = await import('hyparquet')
  const parquet = await bytes(await results.parquet(run, some))
  const buffer = parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.byteLength) as ArrayBuffer
  const objects = await parquetReadObjects({ file: buffer })
  assert.equal(
    objects.map((object) => [object.time, object.power]),
    time.map((at, n) => [at, columns.power?.[n]]),
  )
  const file = await openHdf5(await bytes(await results.hdf5(run, some)))
  assert.equal([...(file.dataset('power').value as Float64Array)], columns.power)
  assert.equal([...(file.dataset('time').value as Float64Array)], time)
  file.close()
})

test('of a run that goes on, the columns are as long as its times', async () => {
  const growing = await storeRun(opened.store, { id: 'g'.repeat(26), state: 'running' })
  const documents = [...documentsOf(growing, { pages: 6, rowsPerPage: 100 })]
  await storeDocuments(opened.store, documents.slice(0, 4))
  const source = await results.json(growing, {})
  const parts = [(await source.next()).value as Uint8Array, (await source.next()).value as Uint8Array]
  await storeDocuments(opened.store, documents.slice(4, 8))
  parts.push(await bytes(source))
  const data = JSON.parse(Buffer.concat(parts).toString())
  assert.is(data.rows, 200)
  assert.is(data.time.length, 200)
  for (const column of Object.values(data.columns)) assert.is((column as unknown[]).length, 200)
})

test('an unknown stream and an unknown column are named', async () => {
  const codes: string[] = []
  for (const request of [{ stream: 'baseline' }, { columns: ['nothing'] }]) {
    await results.csv(run, { ...request, time: 'relative' }).catch((error) => codes.push(error.code))
  }
  assert.equal(codes, ['stream-unknown', 'column-unknown'])
})

test.run()
