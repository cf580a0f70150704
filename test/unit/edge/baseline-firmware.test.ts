/** A node that keeps a board on its firmware, and lends its port: against an emulated Uno. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver, Instrument } from '@fernlab/edge/drivers/driver'
import { createInstruments } from '@fernlab/edge/instruments/instruments'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import { type FirmwareImage, writeIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import { instrumentEntrySchema } from '@fernlab/shared/contracts/node-file'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import * as z from 'zod'
import { banner, helloVersion } from '../../support/boards/hello.ts'
import { suite } from '../../support/suite.ts'

const test = suite('firmware that a node keeps on a board', { timeoutMs: 60_000 })
const TRANSPORT = { kind: 'emulated', world: 'uno', device: 'board' } as const
const folder = await mkdtemp(join(tmpdir(), 'fernlab-baseline-'))
await writeFile(join(folder, 'wanted.hex'), writeIntelHex(helloVersion('1.2.3')))

/** An instrument that is online once its board has said its name. */
function helloDriver(heardFrom: string[]): Driver {
  return {
    kind: 'hello',
    check: () => [],
    editorSchema: async () => z.unknown(),
    create: async (_config, { openTransport }) => {
      const listeners: ((up: boolean, reason?: string) => void)[] = []
      const closing = new AbortController()
      let close = async () => {}
      const connect = async (signal: AbortSignal) => {
        const transport = await openTransport(TRANSPORT, signal)
        close = () => transport.close()
        transport.onClose((reason) => void reconnect(reason))
        heardFrom.push(
          await firstLine(transport, signal).catch(async (error: unknown) => {
            await transport.close()
            throw error
          }),
        )
      }
      const reconnect = async (reason: Error | undefined) => {
        if (closing.signal.aborted || reason === undefined) return
        for (const tell of listeners) tell(false, reason.message)
        while (!closing.signal.aborted) {
          const back = await connect(closing.signal).then(
            () => true,
            () => false,
          )
          if (back) {
            for (const tell of listeners) tell(true)
            return
          }
          await systemClock.sleep(50)
        }
      }
      const instrument: Instrument = {
        spec: { signals: [], actions: [] } as never,
        open: connect,
        read: async () => ({}),
        set: async () => {},
        call: async () => {},
        onConnection: (listener) => void listeners.push(listener),
        close: async () => {
          closing.abort()
          await close()
        },
      }
      return instrument
    },
  }
}

function firstLine(transport: Awaited<ReturnType<OpenTransport>>, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    transport.onData((bytes) => {
      said += new TextDecoder('latin1').decode(bytes)
      if (said.endsWith('\n')) resolve(said)
    })
  })
}

interface Given {
  readonly has: FirmwareImage
  readonly entry: object
  readonly through?: (open: OpenTransport) => OpenTransport
  readonly inUse?: () => string | undefined
}

async function node({ has, entry, through = (open) => open, inUse = () => undefined }: Given) {
  const worlds = createWorlds({ clock: systemClock, uno: { firmware: has } })
  const bare = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  const heard: string[] = []
  const instruments = await createInstruments({
    entries: { board: instrumentEntrySchema.parse({ driver: 'hello', ...entry }) },
    drivers: [helloDriver(heard)],
    openTransport: through(bare),
    configFolder: folder,
    inUse,
    clock: systemClock,
    log: silentLog,
  })
  const handle = instruments.all.get('board')
  if (handle === undefined) throw new Error('no instrument')
  const until = (reached: () => boolean, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (reached()) resolve()
      }
      signal.addEventListener('abort', () => reject(new Error(JSON.stringify(handle.connection))), { once: true })
      handle.onConnection(look)
      look()
    })
  const reason = () => (handle.connection.online ? '' : handle.connection.reason)
  return { instruments, handle, heard, bare, until, reason, device: worlds.world('uno').device('board') }
}

const firmware = { board: 'uno', hex: './wanted.hex' }

test('a board with other firmware is given its own before the driver meets it; one that has it is left alone', async ({
  signal,
}) => {
  for (const has of ['0.0.9', '1.2.3']) {
    let pagesWritten = 0
    const { instruments, handle, heard, until } = await node({
      has: helloVersion(has),
      entry: { firmware },
      through: (open) => async (config, within) => {
        const transport = await open(config, within)
        return {
          ...transport,
          write: async (bytes) => {
            if (bytes.length > 100) pagesWritten += 1
            await transport.write(bytes)
          },
        }
      },
    })
    instruments.start()
    await until(() => handle.connection.online, signal)
    assert.equal(heard, [banner('1.2.3')])
    assert.is(pagesWritten > 0, has === '0.0.9', `${has}: ${pagesWritten} pages`)
    await instruments.close()
  }
})

test('a board that can not be flashed takes its instrument out with the reason, and its port stays free', async ({
  signal,
}) => {
  const { instruments, until, reason, bare } = await node({
    has: helloVersion('0.0.9'),
    entry: { firmware },
    through: (open) => async (config, within) => {
      const transport = await open(config, within)
      return {
        ...transport,
        write: (bytes) =>
          transport.write(bytes.length > 100 ? bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) : bytes),
      }
    },
  })
  instruments.start()
  await until(() => /holds something else at 0x0020/.test(reason()), signal)
  assert.match(reason(), /could not be given its firmware: .*no whole firmware now/)
  const transport = await bare(TRANSPORT, signal)
  await transport.close()
  await instruments.close()
})

test('a node that ends in the middle of writing lets go of the port', async ({ signal }) => {
  let onPage = () => {}
  const firstPage = new Promise<void>((resolve) => {
    onPage = resolve
  })
  const { instruments, bare } = await node({
    has: helloVersion('0.0.9'),
    entry: { firmware },
    through: (open) => async (config, within) => {
      const transport = await open(config, within)
      return {
        ...transport,
        write: async (bytes) => {
          await transport.write(bytes)
          if (bytes.length > 100) onPage()
        },
      }
    },
  })
  instruments.start()
  await firstPage
  await instruments.close()
  const transport = await bare(TRANSPORT, signal)
  await transport.close()
})

test('firmware that is missing, for another board, or of no known board stops the start, with its place', async () => {
  await writeFile(join(folder, 'big.hex'), writeIntelHex(helloVersion('1.1.1', 40_000)))
  for (const [wrong, message] of [
    [{ board: 'uno', hex: './none.hex' }, /instruments\.board\.firmware\.hex: .*no such file/],
    [{ board: 'uno', hex: './big.hex' }, /instruments\.board\.firmware\.hex: .*32256 bytes/],
    [{ board: 'unno', hex: './wanted.hex' }, /instruments\.board\.firmware\.board: .*did you mean "uno"/],
  ] as const) {
    const error = await node({ has: helloVersion('0.0.9'), entry: { firmware: wrong } }).then(
      () => undefined,
      (thrown: LabError) => thrown,
    )
    assert.is(error?.code, 'configuration-invalid')
    assert.match(error?.message ?? '', message)
  }
})

test('a tool gets the port over TCP while the bench is free; the instrument is away meanwhile, and comes back', async ({
  signal,
}) => {
  let used: string | undefined = 'bench uno is in use'
  const port = 20_000 + (process.pid % 20_000)
  const { instruments, handle, heard, until, reason } = await node({
    has: helloVersion('0.0.9'),
    entry: { forward: port },
    inUse: () => used,
  })
  const job = {
    transport: { kind: 'tcp', host: '127.0.0.1', port } as const,
    openTransport: createOpenTransport({
      worlds: createWorlds({ clock: systemClock }),
      clock: systemClock,
      log: silentLog,
    }),
    board: boardKind('uno'),
    image: helloVersion('7.7.7'),
    onlyIfDifferent: false,
    clock: systemClock,
    log: silentLog,
    signal,
    onProgress: () => {},
  }
  instruments.start()
  await until(() => handle.connection.online, signal)
  assert.match(String(await flash(job, 1).catch((error: Error) => error)), /closed|lost/)
  assert.ok(handle.connection.online, 'a bench in use keeps its port')
  used = undefined
  const working = flash(job, 1)
  await until(() => /lent to a tool that is connected to 127\.0\.0\.1/.test(reason()), signal)
  await working
  await until(() => handle.connection.online, signal)
  assert.is(heard.at(-1), banner('7.7.7'))
  await instruments.close()
})

test.run()
