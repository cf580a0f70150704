/** Writing firmware to an emulated Uno, in real time, and reading it back: beside avrdude, through the same TCP port. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import { type FirmwareImage, writeIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import { type ForwardedPort, forwardPort } from '@fernlab/firmware-bridge/forwarding/forward-port'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import type { Benchmark, Running } from '../framework/benchmark.ts'

const BYTES = 30 * 1024
const run = promisify(execFile)

/** Bytes without a pattern, which nothing can leave out; another image each round, so that each is written. */
function image(round: number): FirmwareImage {
  const data = new Uint8Array(BYTES)
  let state = round + 1
  for (let i = 0; i < BYTES; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    data[i] = state >>> 16
  }
  return { parts: [{ address: 0, data }], bytes: BYTES, end: BYTES }
}

/** A board of its own behind TCP. */
async function board(): Promise<ForwardedPort> {
  const openTransport = createOpenTransport({
    worlds: createWorlds({ clock: systemClock }),
    clock: systemClock,
    log: silentLog,
  })
  const open = (signal: AbortSignal) => openTransport({ kind: 'emulated', world: 'uno', device: 'board' }, signal)
  return await forwardPort({ open, port: 0, clock: systemClock, log: silentLog })
}

async function timed(work: () => Promise<unknown>) {
  const began = performance.now()
  await work()
  return { figures: { 'flash-s': (performance.now() - began) / 1000 } }
}

async function ours(): Promise<Running> {
  const { host, port, close } = await board()
  const openTransport = createOpenTransport({
    worlds: createWorlds({ clock: systemClock }),
    clock: systemClock,
    log: silentLog,
  })
  let rounds = 0
  return {
    round: () =>
      timed(() =>
        flash({
          transport: { kind: 'tcp', host, port },
          openTransport,
          board: boardKind('uno'),
          image: image(rounds++),
          onlyIfDifferent: false,
          clock: systemClock,
          log: silentLog,
          signal: new AbortController().signal,
          onProgress: () => {},
        }),
      ),
    close,
  }
}

async function avrdude(): Promise<Running> {
  const { host, port, close } = await board()
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-bench-'))
  const file = join(folder, 'firmware.hex')
  const args = ['-q', '-q', '-p', 'atmega328p', '-c', 'arduino', '-P', `net:${host}:${port}`, '-D']
  let rounds = 0
  return {
    round: async () => {
      await writeFile(file, writeIntelHex(image(rounds++)))
      return await timed(() => run('avrdude', [...args, '-U', `flash:w:${file}:i`]))
    },
    close: async () => {
      await close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const flashingBenchmarks: readonly Benchmark[] = [
  {
    name: 'flash-30k',
    title: 'Flashing 30 KiB to an emulated Uno, read back',
    figures: [{ name: 'flash-s', title: 'time', unit: 's', aim: { bound: 'at most', value: 1, times: 'avrdude' } }],
    contestants: [
      { name: 'fernlab', what: 'STK500v1 in our own process over TCP', start: ours },
      { name: 'avrdude', what: "Debian's avrdude 7.1 with -c arduino over TCP", start: avrdude },
    ],
  },
]
