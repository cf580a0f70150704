/**
 * An emulated balance that says by itself what it weighs, ten times a second: `S   120.41 g`, `D` while that still changes.
 *
 * `ID?`, `I?` (`I=0.10 s`: how often it says it), `I 0.50` (`OK`, or `ERR 2 out of range`), `T` (tares, `OK`).
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { createNoise } from './noise.ts'
import type { WireDevice } from './wire-device.ts'
import { WireServer } from './wire-server.ts'

export interface BalanceOptions {
  readonly name: string
  /** Decides tolerances and noise. */
  readonly seed: string
  readonly clock: Clock
  readonly latencyMs: number
  readonly instant: boolean
}

const MAX_LINE = 200
/** 20 g of water above its beaker, at 60 °C in still air, lose some 2 mg/s. */
const BEAKER_G = 100
const WATER_G = 20
const LOSS_G_PER_S = 0.002
/** The filter of the display. */
const LAG_S = 0.3
const STABLE_G = 0.02

/** 220 g by hundredths, 3 mg of noise, a span that is up to 0.1 % wrong. */
export function createBalance(options: BalanceOptions): WireDevice {
  const { clock, seed } = options
  const noise = createNoise(seed)
  const span = 1 + 0.001 * (2 * noise.uniform() - 1)
  const startedS = clock.monotonic() / 1000
  let tareG = 0
  let intervalS = 0.1
  let shownG = 0
  let shownAtS = startedS - 10 * LAG_S

  const loadG = (nowS: number) => span * (BEAKER_G + Math.max(0, WATER_G - LOSS_G_PER_S * (nowS - startedS)))
  const weigh = (): string => {
    const nowS = clock.monotonic() / 1000
    const targetG = loadG(nowS) - tareG
    const before = shownG
    shownG += (targetG - shownG) * (1 - Math.exp(-(nowS - shownAtS) / LAG_S))
    shownAtS = nowS
    const isStable = Math.abs(shownG - before) < STABLE_G
    return `${isStable ? 'S' : 'D'} ${(shownG + 0.003 * noise.normal()).toFixed(2).padStart(8)} g`
  }
  const answerTo = (text: string): string | undefined => {
    const [word = '', argument = ''] = text.trim().split(/ +/)
    switch (word.toUpperCase()) {
      case 'ID?':
        return `Fernlab AB-220 ${seed}`
      case 'I?':
        return `I=${intervalS.toFixed(2)} s`
      case 'I': {
        const value = Number(argument)
        if (!/^\d+(\.\d+)?$/.test(argument)) return 'ERR 1 not a number'
        if (value < 0.05 || value > 10) return 'ERR 2 out of range'
        intervalS = Math.round(100 * value) / 100
        return 'OK'
      }
      case 'T':
        tareG = loadG(clock.monotonic() / 1000)
        return 'OK'
      default:
        return text.trim() === '' ? undefined : 'ERR 9 unknown command'
    }
  }

  const server = new WireServer<string>({
    ...options,
    cutter,
    handle: async (text) => {
      const reply = answerTo(text)
      return reply === undefined ? undefined : Buffer.from(`${reply}\r\n`)
    },
  })
  let listeners = 0
  let stop = () => {}
  const goOn = () => {
    stop = clock.after(intervalS * 1000, () => {
      server.say(Buffer.from(`${weigh()}\r\n`))
      goOn()
    })
  }
  return {
    name: options.name,
    setFault: (fault) => server.setFault(fault),
    hangUp: () => server.hangUp(),
    connect: (end) => {
      const wire = server.connect(end)
      if (listeners++ === 0) goOn()
      let isOpen = true
      return {
        receive: (bytes) => wire.receive(bytes),
        close: () => {
          wire.close()
          if (isOpen && --listeners === 0) stop()
          isOpen = false
        },
      }
    },
  }
}

function cutter(): (bytes: Uint8Array) => string[] {
  let text = ''
  return (bytes) => {
    const lines: string[] = []
    for (const byte of bytes) {
      if (byte === 0x0a) {
        lines.push(text)
        text = ''
      } else if (text.length < MAX_LINE) text += String.fromCharCode(byte)
    }
    return lines
  }
}
