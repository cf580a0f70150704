/** Raw values of a stored run, in every form, of its calibrated ones and the calibrations in its configuration. */
import { createResults, type Results } from '@fernlab/hub/results/results'
import type { Run } from '@fernlab/shared/contracts/api'
import type { Curve } from '@fernlab/shared/contracts/calibrations'
import type { DescriptorDoc, NodeDocument } from '@fernlab/shared/contracts/documents'
import { systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { documentsOf, startTime, storeDocuments, storeRun, temporaryStore } from './stored-run.ts'

const test = suite('raw values of a run', { timeoutMs: 60_000 })
let opened: Awaited<ReturnType<typeof temporaryStore>>
let results: Results

test.before(async () => {
  opened = await temporaryStore()
  results = createResults({ store: opened.store, site: 'here', clock: systemClock })
})
test.after(async () => {
  await results.close()
  await opened.close()
})

const rows = 6000

/** A run whose voltage was calibrated by `curve`; the voltages are a sine. */
async function calibratedRun(id: string, curve: Curve | null, limits?: { low?: number; high?: number }): Promise<Run> {
  const run = await storeRun(opened.store, { id: id.repeat(26) })
  const configuration: DescriptorDoc['configuration'] = {
    'psu-1': {
      data: {},
      units: {},
      time: startTime,
      calibrations: { voltage: { curve, by: 'ada', at: '2026-05-01T10:00:00Z' } },
      ...(limits === undefined ? {} : { rawLimits: { voltage: limits } }),
    },
  }
  const documents = [...documentsOf(run, { pages: 3, rowsPerPage: rows / 3 })].map(
    (document): NodeDocument =>
      document.name === 'descriptor' ? { ...document, doc: { ...document.doc, configuration } } : document,
  )
  await storeDocuments(opened.store, documents)
  return run
}

async function bytes(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}
const calibrated = Array.from({ length: rows }, (_, i) => Math.sin(i / 1000))
const failure = (work: Promise<unknown>): Promise<{ code: string; message: string }> =>
  work.then(
    () => ({ code: 'none', message: '' }),
    (error) => error,
  )

test('every form has them, and what was not calibrated stays', async () => {
  const run = await calibratedRun('a', { form: 'linear', gain: 2, offset: -1 })
  const raw = calibrated.map((value) => (value + 1) / 2)
  const json = JSON.parse((await bytes(await results.json(run, { values: 'raw' }))).toString())
  assert.is(json.values, 'raw')
  assert.equal(json.columns.supply_voltage, raw)
  assert.equal(
    json.columns.power,
    calibrated.map((value) => value * value),
  )
  assert.is(json.columns.meter_range[1], 'manual')
  const csv = (await bytes(await results.csv(run, { time: 'relative', values: 'raw' }))).toString().split('\r\n')
  assert.is(csv[0], 'time_s,supply_voltage [V],power [W],meter_range,switch_on')
  assert.is(csv[1], '0,0.5,0,"auto, ""fine""",true')
  assert.is(csv[rows], `${(rows - 1) / 1000},${raw[rows - 1]},${(calibrated[rows - 1] ?? 0) ** 2},manual,false`)

  const { parquetReadObjects, parquetMetadata } = await import('hyparquet')
  const parquet = await bytes(await results.parquet(run, { values: 'raw' }))
  const buffer = parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.byteLength) as ArrayBuffer
  assert.is(parquetMetadata(buffer).key_value_metadata?.find(({ key }) => key === 'values')?.value, 'raw')
  const objects = await parquetReadObjects({ file: buffer, columns: ['supply_voltage'] })
  assert.equal(
    objects.map((object) => object.supply_voltage),
    raw,
  )

  // Column after column, as the bytes lie in the file.
  const hdf5 = await bytes(await results.hdf5(run, { values: 'raw' }))
  for (const [values, isThere] of [
    [raw, true],
    [calibrated, false],
  ] as const) {
    assert.is(hdf5.includes(Buffer.from(Float64Array.from(values).buffer)), isThere)
  }

  const chart = await results.reduced(run, { points: 200, values: 'raw', columns: ['supply.voltage'] })
  assert.is(chart.values, 'raw')
  assert.is(Math.max(...(chart.columns.supply_voltage as number[])), Math.max(...raw))
  const few = JSON.parse((await bytes(await results.json(run, {}))).toString())
  assert.equal([few.values, few.columns.supply_voltage], [undefined, calibrated])
})

test('a chart’s worth in another form has them once', async () => {
  const run = await calibratedRun('b', { form: 'linear', gain: -4, offset: 0 })
  const some = { points: 100, values: 'raw', columns: ['supply_voltage'] } as const
  const { time, columns } = await results.reduced(run, some)
  const csv = (await bytes(await results.csv(run, { ...some, time: 'epoch' }))).toString().trim().split('\r\n')
  assert.equal(
    csv.slice(1),
    time.map((at, i) => `${at},${columns.supply_voltage?.[i]}`),
  )
  const lowest = Math.min(...(columns.supply_voltage as number[]))
  assert.is(lowest, Math.min(...calibrated.map((value) => value / -4)))
})

test('what the curve turns at is refused, and the other columns are had', async () => {
  const curve: Curve = { form: 'polynomial', coefficients: [0, 1, 0.1] }
  const anywhere = await calibratedRun('c', curve)
  const refused = await failure(results.csv(anywhere, { time: 'relative', values: 'raw' }))
  assert.is(refused.code, 'calibration-not-invertible')
  assert.match(refused.message, /supply\.voltage has no raw values any more: the polynomial .* does not rise or fall/)
  const power = await bytes(await results.csv(anywhere, { time: 'relative', values: 'raw', columns: ['power'] }))
  assert.is(power.toString().split('\r\n').length, rows + 2)
  // Between -5 and 5 it rises.
  const limited = await calibratedRun('d', curve, { low: -4, high: 10 })
  const data = JSON.parse((await bytes(await results.json(limited, { values: 'raw' }))).toString())
  for (const [i, value] of (data.columns.supply_voltage as number[]).entries()) {
    const wanted = -5 + Math.sqrt(25 + 10 * (calibrated[i] ?? 0))
    assert.ok(Math.abs(value - wanted) < 1e-9, `${value} is not ${wanted}`)
  }
  // Of a table with an end, values beyond it have none.
  const points: [number, number][] = [
    [0, 0],
    [10, 0.5],
  ]
  const table = await calibratedRun('e', { form: 'table', points })
  const partly = JSON.parse((await bytes(await results.json(table, { values: 'raw' }))).toString())
  assert.equal([partly.columns.supply_voltage[0], partly.columns.supply_voltage[1570]], [0, null])
  const none = await calibratedRun('f', null)
  const same = JSON.parse((await bytes(await results.json(none, { values: 'raw' }))).toString())
  assert.equal(same.columns.supply_voltage, calibrated)
})

test.run()
