import { type Log, type LogLevel, logLevels } from '../primitives/log.ts'

export interface LineLogOptions {
  readonly level: LogLevel
  readonly write: (line: string) => void
  readonly now?: () => Date
}

/** A log for people: `14:03:22 warn  the broker is not reachable  reason="closed"`, one line an entry. */
export function createLineLog({ level, write, now = () => new Date() }: LineLogOptions): Log {
  const lowest = logLevels.indexOf(level)
  const make = (base: Readonly<Record<string, unknown>>): Log => {
    const at = (of: LogLevel) => (fields: object, message: string) => {
      if (logLevels.indexOf(of) < lowest) return
      const time = now().toTimeString().slice(0, 8)
      const details = Object.entries({ ...base, ...fields }).filter(([, value]) => value !== undefined)
      const text = details.map(([name, value]) => `  ${name}=${JSON.stringify(value)}`).join('')
      write(`${time} ${of.padEnd(5)} ${message}${text}\n`)
    }
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => make({ ...base, ...fields }),
    }
  }
  return make({})
}
