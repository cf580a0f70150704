/**
 * An emulated board at its port, in a thread of its own so that nobody waits for it. The thread begins with the first
 * connection and the board then has power until the process ends, whoever is connected: a hot block cools meanwhile.
 */
import type { Worker } from 'node:worker_threads'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { startWorker } from '@fernlab/shared/storage/start-worker'
import type { Fault, WireDevice, WireEnd } from '../emulated/wire-device.ts'
import type { BoardThreadData, FromBoard, ToBoard } from './board-messages.ts'

/**
 * INVARIANTS: one connection at a time, as a serial port; opening it asserts DTR, which resets the board through its
 * capacitor, and so does each later assertion. A board without a connection does not keep the process alive.
 */
export function createBoardDevice(name: string, data: BoardThreadData): WireDevice {
  let thread: Worker | undefined
  let holder: WireEnd | undefined
  let fault: Fault | undefined
  let faultLeft = 0
  let resets = 0
  const tell = (message: ToBoard) => thread?.postMessage(message)
  const reset = () => {
    resets += 1
    tell({ reset: resets })
  }
  const letGo = (end: WireEnd) => {
    if (holder !== end) return
    holder = undefined
    thread?.unref()
  }
  const pass = (bytes: Uint8Array) => {
    const present = faultLeft > 0 ? fault : undefined
    if (present === undefined) return holder?.data(bytes)
    faultLeft -= 1
    if (present.kind === 'slow') setTimeout(() => holder?.data(bytes), present.ms)
    else if (present.kind === 'garbage') holder?.data(bytes.map((byte) => byte ^ 0x55))
    else if (present.kind === 'truncated') holder?.data(bytes.subarray(0, Math.floor(bytes.length / 2)))
    else if (present.kind === 'disconnect') holder?.hangUp()
  }
  const start = () => {
    const started = startWorker(import.meta.url, 'board-thread', { workerData: data })
    started.on('message', ({ bytes, sinceReset }: FromBoard) => {
      if (sinceReset === resets) pass(bytes)
    })
    started.on('error', (error) => {
      // The board is gone with its thread; the next connection makes another one.
      thread = undefined
      const end = holder
      holder = undefined
      end?.hangUp()
      process.emitWarning(error)
    })
    return started
  }
  return {
    name,
    connect: (end) => {
      if (holder !== undefined) throw busy(name)
      thread ??= start()
      thread.ref()
      holder = end
      reset()
      let dtr = true
      return {
        receive: (bytes) => {
          if (holder === end) tell({ bytes: Uint8Array.from(bytes) })
        },
        setLines: (lines) => {
          if (holder === end && lines.dtr === true && !dtr) reset()
          dtr = lines.dtr ?? dtr
        },
        close: () => letGo(end),
      }
    },
    setFault: (given) => {
      fault = given
      faultLeft = given === undefined ? 0 : (given.answers ?? Number.POSITIVE_INFINITY)
    },
    hangUp: () => holder?.hangUp(),
  }
}

function busy(name: string): LabError {
  return new LabError({
    code: 'transport-unreachable',
    kind: 'link',
    retry: 'later',
    message: `the port of the emulated ${name} is in use; a serial port has one user at a time`,
  })
}
