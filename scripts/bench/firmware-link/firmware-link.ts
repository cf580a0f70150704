/** What a wire of 1 Mbaud carries: samples that the C library streams, beside bytes that nothing frames. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FirmwareLink } from '@fernlab/firmware-bridge/link/firmware-link'
import { openTcp } from '@fernlab/firmware-bridge/transports/tcp'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { Benchmark, Running } from '../framework/benchmark.ts'
import type { Bench } from '../framework/surroundings.ts'

const BAUD = 1_000_000
const ROUND_MS = 5000
/** More than the wire carries, so that it is always full; what finds no room is lost, and counted as lost. */
const PERIOD_US = 62
const SIGNALS = 4
const SAMPLE_BYTES = 2

/** The library as a program of this machine, with steps of time that are shorter than a sample. */
async function startBoard(bench: Bench, how: 'link' | 'plain') {
  const program = join(bench.work, `board-${how}`)
  const source = join(bench.root, 'test/support/firmware/board.c')
  await promisify(execFile)('cc', ['-std=c99', '-O2', '-DSTEP_US=20', '-o', program, source])
  const args = ['--baud', String(BAUD), '--plain', how === 'plain' ? '1' : '0']
  const board = bench.start(program, args, { log: `board-${how}.log`, pipeOutput: true })
  const [line] = (await once(board.process.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  const port = Number(line.toString())
  const transport = await openTcp({ kind: 'tcp', host: '127.0.0.1', port }, new AbortController().signal)
  return { board, transport }
}

async function framed(bench: Bench): Promise<Running> {
  const { board, transport } = await startBoard(bench, 'link')
  const link = new FirmwareLink({ board: 'bench', transport, clock: systemClock, bytesPerS: BAUD / 10 })
  const { signal } = new AbortController()
  await link.connect(signal)
  const { signals } = await link.describe(signal)
  return {
    round: async () => {
      const stream = await link.stream(signals.slice(0, SIGNALS), PERIOD_US, signal)
      await stream.next(signal)
      const lostBefore = stream.lost
      const began = performance.now()
      let samples = 0
      while (performance.now() - began < ROUND_MS) samples += (await stream.next(signal)).timeMs.length
      const seconds = (performance.now() - began) / 1000
      const lost = stream.lost - lostBefore
      await stream.close()
      return {
        figures: { payload: (samples * SIGNALS * SAMPLE_BYTES) / seconds / 1000 },
        raw: { samples, lost, seconds, samplesPerS: samples / seconds, bad: link.health.badHere },
      }
    },
    close: async () => {
      await link.close()
      await board.end()
    },
  }
}

async function plain(bench: Bench): Promise<Running> {
  const { board, transport } = await startBoard(bench, 'plain')
  let bytes = 0
  transport.onData((data) => {
    bytes += data.length
  })
  return {
    round: async () => {
      const before = bytes
      const began = performance.now()
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS))
      return { figures: { payload: (bytes - before) / (performance.now() - began) } }
    },
    close: async () => {
      await transport.close()
      await board.end()
    },
  }
}

export const firmwareLinkBenchmarks: readonly Benchmark[] = [
  {
    name: 'firmware-link',
    title: 'A microcontroller’s samples on a wire of 1 Mbaud (8N1: 100 kB/s)',
    figures: [
      {
        name: 'payload',
        title: 'payload',
        unit: 'kB/s',
        aim: { bound: 'at least', value: 0.8, times: 'the bare wire' },
      },
    ],
    contestants: [
      {
        name: 'Fernlab',
        what: 'the C library, compiled for this machine, streams four signals of two bytes as fast as the wire takes them; time stamps, numbers and CRC are not counted as payload',
        start: framed,
      },
      { name: 'the bare wire', what: 'the same program sends bytes that nobody frames or checks', start: plain },
    ],
  },
]
