/** The thread of an emulated Uno with a heated block: lets time pass on the board and passes bytes on. */
import { parentPort, workerData } from 'node:worker_threads'
import type { BoardThreadData, FromBoard, ToBoard } from './board-messages.ts'
import { ThermalCircuit, thermalConfig } from './circuits/thermal.ts'
import { Uno } from './uno.ts'

const SLICE_MS = 1
/** How far a busy machine may fall behind before the time is given up. */
const MOST_BEHIND_MS = 100
const FLAT_OUT_SLICE_S = 0.002

const { seed, speed, firmware, bootLoader } = workerData as BoardThreadData
const board = new Uno({
  circuit: new ThermalCircuit(thermalConfig(seed), seed),
  ...(firmware === undefined ? {} : { firmware }),
  ...(bootLoader === undefined ? {} : { bootLoader }),
})

let began = performance.now()
let sinceReset = 0
const pass = (seconds: number) => {
  const bytes = board.advance(seconds)
  if (bytes.length > 0) parentPort?.postMessage({ bytes, sinceReset } satisfies FromBoard)
}
const catchUp = () => {
  const now = performance.now()
  const behind = now - began - board.timeS * 1000
  if (behind > MOST_BEHIND_MS) began += behind - MOST_BEHIND_MS
  if (behind > 0) pass(Math.min(behind, MOST_BEHIND_MS) / 1000)
}

parentPort?.on('message', (message: ToBoard) => {
  if (speed === 'real-time') catchUp()
  if ('reset' in message) {
    board.reset()
    sinceReset = message.reset
  } else board.receive(message.bytes)
})

if (speed === 'real-time') setInterval(catchUp, SLICE_MS)
else {
  const go = () => {
    pass(FLAT_OUT_SLICE_S)
    setImmediate(go)
  }
  go()
}
