/** Times questions on a serial line, through the driver or by the library alone. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLinesDriver } from '@fernlab/edge/drivers/lines/lines'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { SerialPort } from 'serialport'

const DESCRIPTION = `title: An instrument without delay
source: scripts/bench/parts/serial-instrument.ts
signals:
  temperature: { unit: Cel, query: 'T?', pattern: '^T=(-?[0-9.]+)$' }
`

type Ask = () => Promise<number>

/** Methods of the part `serial-asker`; its port is open when this resolves. */
export async function open() {
  const path = process.env.BENCH_PORT ?? ''
  const ask = process.env.BENCH_HOW === 'driver' ? await byDriver(path) : await byLibrary(path)
  return {
    ask: async ({ count }: { count: number }) => {
      const timesMs: number[] = []
      for (let i = 0; i < count; i++) {
        const startedAt = performance.now()
        const value = await ask()
        timesMs.push(performance.now() - startedAt)
        if (value !== 25.3) throw new LabError({ code: 'bench-wrong', kind: 'bug', message: `${value} was read` })
      }
      return { timesMs }
    },
  }
}

async function byDriver(path: string): Promise<Ask> {
  const configFolder = process.env.BENCH_WORK ?? ''
  await writeFile(join(configFolder, 'instrument.yaml'), DESCRIPTION)
  const openTransport = createOpenTransport({ clock: systemClock, log: silentLog })
  const instrument = await createLinesDriver().create(
    { model: './instrument.yaml', transport: { kind: 'serial', path, baudRate: 115_200 } },
    { name: 'instrument', clock: systemClock, log: silentLog, openTransport, configFolder },
  )
  const { signal } = new AbortController()
  await instrument.open(signal)
  return async () => Number((await instrument.read(['temperature'], signal)).temperature?.value)
}

async function byLibrary(path: string): Promise<Ask> {
  const port = new SerialPort({ path, baudRate: 115_200, autoOpen: false })
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())))
  let line = ''
  let arrived = (_: string) => {}
  port.on('data', (bytes: Buffer) => {
    line += bytes.toString('latin1')
    if (!line.endsWith('\n')) return
    const whole = line
    line = ''
    arrived(whole)
  })
  return async () => {
    const answer = await new Promise<string>((resolve) => {
      arrived = resolve
      port.write('T?\n')
    })
    return Number(/^T=(-?[0-9.]+)$/m.exec(answer)?.[1])
  }
}
