/** Reads the settings of a program: environment first, then a settings file, then the default. Pure. */
import { isAbsolute, resolve } from 'node:path'
import { isName } from '../primitives/ids.ts'
import { type Issue, LabError } from '../primitives/lab-error.ts'
import { type LogLevel, logLevels } from '../primitives/log.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Each reads one setting by its variable; a wrong value is kept for `finish` and the default stands in until then. */
export interface SettingsReader {
  /** As it was written; an empty one counts as not set. */
  text(variable: string): string | undefined
  /** What `read` makes of the text; where that is undefined, the setting is wrong: it may be `may`. */
  checked<T>(variable: string, otherwise: T, may: string, read: (text: string) => T | undefined): T
  port(variable: string, otherwise: number): number
  /** An address with one of these beginnings (`https://`), without slashes at its end. */
  address(variable: string, beginnings: readonly string[]): string | undefined
  /** An absolute path. */
  file(variable: string): string | undefined
  site(): string | undefined
  logLevel(otherwise: LogLevel): LogLevel
  wrong(variable: string, value: string, may: string): void
  note(issue: Issue): void
  /** Throws one configuration error with a line per wrong setting. */
  finish(): void
}

export interface SettingsSource {
  readonly env: Environment
  /** By variable, what a settings file says. */
  readonly stored?: Readonly<Record<string, string | number | boolean | undefined>>
  /** The folder that relative paths start from. */
  readonly cwd: string
}

/** Opens the settings for reading. */
export function createSettingsReader({ env, stored = {}, cwd }: SettingsSource): SettingsReader {
  const issues: Issue[] = []
  const text = (variable: string) => {
    const value = env[variable] || stored[variable]
    return value === undefined || value === '' ? undefined : String(value)
  }
  const wrong = (variable: string, value: string, may: string) => {
    const shown = /SMTP|PASSWORD|TOKEN/.test(variable) ? '(secret)' : JSON.stringify(withoutPassword(value))
    issues.push({ path: variable, message: `is ${shown}; it may be ${may}` })
  }
  const checked = <T>(variable: string, otherwise: T, may: string, read: (text: string) => T | undefined): T => {
    const value = text(variable)
    if (value === undefined) return otherwise
    const good = read(value)
    if (good === undefined) wrong(variable, value, may)
    return good ?? otherwise
  }
  return {
    text,
    checked,
    port: (variable, otherwise) =>
      checked(variable, otherwise, 'a port from 0 (any free one) to 65535', (value) =>
        /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined,
      ),
    address: (variable, beginnings) =>
      checked<string | undefined>(variable, undefined, `an address that begins with ${either(beginnings)}`, (value) =>
        URL.canParse(value) && beginnings.includes(`${new URL(value).protocol}//`)
          ? value.replace(/\/+$/, '')
          : undefined,
      ),
    file: (variable) => {
      const value = text(variable)
      return value === undefined || isAbsolute(value) ? value : resolve(cwd, value)
    },
    site: () =>
      checked<string | undefined>(
        'FERNLAB_SITE',
        undefined,
        'lower-case letters, digits, - and _ (at most 63)',
        (value) => (isName(value) ? value : undefined),
      ),
    logLevel: (otherwise) =>
      checked<LogLevel>('FERNLAB_LOG_LEVEL', otherwise, logLevels.join(', '), (value) =>
        logLevels.find((level) => level === value),
      ),
    wrong,
    note: (issue) => void issues.push(issue),
    finish: () => {
      if (issues.length > 0) throw settingsInvalid(issues)
    },
  }
}

/** The absolute data folder that the environment names. */
export function dataFolderOf(env: Environment, cwd: string): string {
  return resolve(cwd, env.FERNLAB_DATA || './data')
}

/** A setting that turned out wrong only as it was used: a file that can't be read, a folder that can't be written. */
export function settingWrong(variable: string, message: string, cause?: unknown): LabError {
  return settingsInvalid([{ path: variable, message }], cause)
}

function settingsInvalid(issues: readonly Issue[], cause?: unknown): LabError {
  return new LabError({
    code: 'setting-invalid',
    kind: 'configuration',
    message: issues.map(({ path, message }) => `${path} ${message}`).join('\n'),
    issues,
    cause,
  })
}

/** An address with a user and a password in it, without these. */
const withoutPassword = (value: string): string => value.replace(/\/\/\S*@/, '//…@')

const either = (texts: readonly string[]): string => texts.join(', ').replace(/, ([^,]*)$/, ' or $1')
