/**
 * The oven without an oven: it takes the same lines, and warms up as a real one does.
 * `instant` is there at once and has no noise; `fault` is one of `silent` and `sensor`.
 */
import type { Transport } from '@fernlab/driver'

export interface EmulatedSettings {
  readonly instant: boolean
  readonly roomCel: number
  readonly fault?: 'silent' | 'sensor'
}

const CEL_PER_W = 2
const LAG_S = 30
const NOISE_CEL = 0.02

/** The wire to an emulated oven; it is cold whenever it is opened. */
export async function openEmulated({ instant, roomCel, fault }: EmulatedSettings): Promise<Transport> {
  let [nowCel, powerW, atS] = [roomCel, 0, secondsNow()]
  let say: (bytes: Uint8Array) => void = () => {}
  let ended: (reason: Error | undefined) => void = () => {}
  let rest = ''

  const passTime = () => {
    const passedS = secondsNow() - atS
    atS += passedS
    nowCel += (roomCel + CEL_PER_W * powerW - nowCel) * (instant ? 1 : Math.min(1, passedS / LAG_S))
  }
  const answer = (line: string): string => {
    passTime()
    if (line === '*IDN?') return 'Fernlab,new-driver,emulated'
    if (line === 'POWER?') return String(powerW)
    if (line === 'TEMP?') {
      if (fault === 'sensor') return 'ERR the sensor is broken'
      return (nowCel + (instant ? 0 : NOISE_CEL * gauss())).toFixed(2)
    }
    const [, watts] = /^POWER (\d+(?:\.\d+)?)$/.exec(line) ?? []
    if (watts === undefined || Number(watts) > 40) return 'ERR no such command'
    powerW = Number(watts)
    return 'OK'
  }

  return {
    write: async (bytes) => {
      const lines = (rest + new TextDecoder().decode(bytes)).split('\n')
      rest = lines.pop() ?? ''
      if (fault === 'silent') return
      for (const line of lines) {
        const reply = new TextEncoder().encode(`${answer(line)}\n`)
        // In two pieces, and never before the writer goes on, as on a wire.
        setImmediate(() => say(reply.subarray(0, 1)))
        setImmediate(() => say(reply.subarray(1)))
      }
    },
    onData: (listener) => {
      say = listener
    },
    onClose: (listener) => {
      ended = listener
    },
    close: async () => {
      const end = ended
      ended = () => {}
      end(undefined)
    },
  }
}

const secondsNow = () => performance.now() / 1000

/** Of standard deviation 1 (Box and Muller, 1958). */
const gauss = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
