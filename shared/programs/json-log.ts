import pino from 'pino'
import type { Log, LogLevel } from '../primitives/log.ts'

/** The log of a program on its own: JSON, one object a line, to standard error. */
export function createJsonLog(level: LogLevel): Log {
  const destination = pino.destination({ dest: 2, sync: true })
  // A terminal that was closed takes no more lines; what the program does must not end for that.
  destination.on('error', () => {})
  return pino({ level, base: null }, destination)
}
