/** The log port; pino's loggers satisfy it. Fields first, then one plain sentence. Never secrets. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: Record<string, unknown>): Log
}

/** Swallows everything. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
}

/** From the least to the gravest. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export interface LogLine {
  readonly level: LogLevel
  readonly fields: object
  readonly message: string
}

/** Keeps the lines, for tests that count them. */
export function recordingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const make = (base: object): Log => ({
    debug: (fields, message) => lines.push({ level: 'debug', fields: { ...base, ...fields }, message }),
    info: (fields, message) => lines.push({ level: 'info', fields: { ...base, ...fields }, message }),
    warn: (fields, message) => lines.push({ level: 'warn', fields: { ...base, ...fields }, message }),
    error: (fields, message) => lines.push({ level: 'error', fields: { ...base, ...fields }, message }),
    child: (fields) => make({ ...base, ...fields }),
  })
  return Object.assign(make({}), { lines })
}
