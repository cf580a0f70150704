import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { startEdge } from '@fernlab/edge/main'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { guides } from '../../support/doc-blocks.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the guide’s instrument in Python', { timeoutMs: 30_000 })

test('a node brings it online with its limits, and its bench to the safe state', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-oven-'))
  const blocks = guides().find(({ path }) => path === 'docs/lab-builders.md')?.blocks ?? []
  const written = blocks.filter(({ file }) => file?.startsWith('oven/'))
  assert.is(written.length, 2)
  for (const { file, text } of written) await writeFile(join(folder, file?.slice('oven/'.length) ?? ''), text)
  const edge = await startEdge({
    config: { file: join(folder, 'node.yaml') },
    dataFolder: join(folder, 'data'),
    site: 'guide',
    drivers: builtInDrivers(),
    openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
    log: silentLog,
  })
  try {
    const oven = edge.instruments.get('oven')
    const bench = edge.benches.get('oven-1')
    assert.ok(oven !== undefined && bench !== undefined)
    await new Promise<void>((resolve) => {
      if (oven.connection.online) resolve()
      oven.onConnection(({ online }) => {
        if (online) resolve()
      })
    })
    const { signal } = new AbortController()
    assert.is(await oven.identify({ signal }), 'Fernlab,oven,1')
    assert.equal(
      oven.spec.signals.map(({ name, unit, access, limits }) => ({ name, unit, access, limits })),
      [
        { name: 'heater', unit: 'W', access: 'read-set', limits: { low: 0, high: 40 } },
        { name: 'temperature', unit: 'Cel', access: 'read', limits: undefined },
      ],
    )
    await oven.set('heater', 12, { signal })
    const { heater, temperature } = await oven.read(['heater', 'temperature'], { signal })
    assert.is(heater?.value, 12)
    assert.ok(Number(temperature?.value) >= 22 && Number(temperature?.value) < 30, String(temperature?.value))
  } finally {
    await edge.close()
    await rm(folder, { recursive: true, force: true })
  }
})

test.run()
