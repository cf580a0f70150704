/** The hub's settings: environment first, then the settings file, then defaults. Pure; see load-config.ts for the file. */
import { isAbsolute, join, resolve } from 'node:path'
import { isName } from '@fernlab/shared/primitives/ids'
import { type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export interface HubConfig {
  /** The folder that holds everything; absolute. */
  readonly dataFolder: string
  /** Inside it, the hub's own part. */
  readonly hubFolder: string
  readonly site: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly mqttPort: number
  /** MQTT over TLS; listens only with a certificate. */
  readonly mqttsPort: number
  readonly publicUrl?: string
  /** `sqlite:<file>`. */
  readonly databaseUrl: string
  /** PEM files. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** Addresses and networks whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[]
  readonly smtpUrl?: string
  readonly adminEmail?: string
  readonly adminPassword?: string
  readonly adminToken?: string
  /** Whether demo labs and the demo node are wanted. */
  readonly demo: boolean
  readonly logLevel: LogLevel
}

/** What `settings.json` may hold; every value as in the environment. */
export const settingsSchema = z.strictObject({
  host: z.string().optional(),
  port: z.number().optional(),
  mqttPort: z.number().optional(),
  mqttsPort: z.number().optional(),
  publicUrl: z.string().optional(),
  site: z.string().optional(),
  databaseUrl: z.string().optional(),
  brokerUrl: z.string().optional(),
  tlsCert: z.string().optional(),
  tlsKey: z.string().optional(),
  trustedProxies: z.string().optional(),
  smtpUrl: z.string().optional(),
  demo: z.boolean().optional(),
  logLevel: z.string().optional(),
})
export type Settings = z.infer<typeof settingsSchema>

const variables: Readonly<Record<keyof Settings, string>> = {
  host: 'FERNLAB_HOST',
  port: 'FERNLAB_PORT',
  mqttPort: 'FERNLAB_MQTT_PORT',
  mqttsPort: 'FERNLAB_MQTTS_PORT',
  publicUrl: 'FERNLAB_PUBLIC_URL',
  site: 'FERNLAB_SITE',
  databaseUrl: 'FERNLAB_DATABASE_URL',
  brokerUrl: 'FERNLAB_BROKER_URL',
  tlsCert: 'FERNLAB_TLS_CERT',
  tlsKey: 'FERNLAB_TLS_KEY',
  trustedProxies: 'FERNLAB_TRUSTED_PROXIES',
  smtpUrl: 'FERNLAB_SMTP_URL',
  demo: 'FERNLAB_DEMO',
  logLevel: 'FERNLAB_LOG_LEVEL',
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The absolute data folder that the environment names. */
export function dataFolderOf(env: Environment, cwd: string): string {
  return resolve(cwd, env.FERNLAB_DATA || './data')
}

/** Reads the settings; throws one configuration error with a line per wrong one: what it was and what it may be. */
export function parseConfig(env: Environment, settings: Settings, cwd: string): HubConfig {
  const issues: Issue[] = []
  const dataFolder = dataFolderOf(env, cwd)
  const hubFolder = join(dataFolder, 'hub')

  const text = (name: keyof Settings): string | undefined => {
    const value = env[variables[name]] || settings[name]
    return value === undefined || value === '' ? undefined : String(value)
  }
  const shown = (name: string, value: string) => (/SMTP|PASSWORD|TOKEN/.test(name) ? '(secret)' : JSON.stringify(value))
  const wrong = (variable: string, value: string, may: string) => {
    issues.push({ path: variable, message: `is ${shown(variable, value)}; it may be ${may}` })
  }
  const checked = <T>(name: keyof Settings, otherwise: T, may: string, read: (text: string) => T | undefined): T => {
    const value = text(name)
    if (value === undefined) return otherwise
    const good = read(value)
    if (good === undefined) wrong(variables[name], value, may)
    return good ?? otherwise
  }
  const port = (name: keyof Settings, otherwise: number) =>
    checked(name, otherwise, 'a port from 0 (any free one) to 65535', (value) =>
      /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined,
    )
  const address = (name: keyof Settings, protocols: readonly string[]) =>
    checked<string | undefined>(name, undefined, `an address that begins with ${protocols.join(' or ')}`, (value) =>
      URL.canParse(value) && protocols.includes(`${new URL(value).protocol}//`) ? value.replace(/\/+$/, '') : undefined,
    )
  const file = (name: keyof Settings) => {
    const value = text(name)
    return value === undefined || isAbsolute(value) ? value : resolve(cwd, value)
  }

  const mqttPort = port('mqttPort', 1883)
  const certFile = file('tlsCert')
  const keyFile = file('tlsKey')
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [missing, other] =
      certFile === undefined ? (['tlsCert', 'tlsKey'] as const) : (['tlsKey', 'tlsCert'] as const)
    issues.push({ path: variables[missing], message: `is not set, but ${variables[other]} is; set both or neither` })
  }
  const brokerUrl = text('brokerUrl')
  if (brokerUrl !== undefined) {
    issues.push({
      path: variables.brokerUrl,
      message: 'is set; this release has the embedded broker only, so it may not be set',
    })
  }
  const databaseUrl = checked('databaseUrl', `sqlite:${join(hubFolder, 'hub.db')}`, 'sqlite:<file>', (value) =>
    /^sqlite:.+/.test(value) ? `sqlite:${resolve(cwd, value.slice('sqlite:'.length))}` : undefined,
  )
  const publicUrl = address('publicUrl', ['http://', 'https://'])
  const smtpUrl = address('smtpUrl', ['smtp://', 'smtps://'])
  const admin = readAdmin(env, wrong, issues)
  const config: HubConfig = {
    dataFolder,
    hubFolder,
    site: checked('site', 'main', 'lower-case letters, digits, - and _ (at most 63)', (value) =>
      isName(value) ? value : undefined,
    ),
    host: checked('host', '127.0.0.1', 'a host name or address without spaces', (value) =>
      /^[^\s/]+$/.test(value) ? value : undefined,
    ),
    port: port('port', 8080),
    mqttPort,
    mqttsPort: port('mqttsPort', mqttPort === 0 ? 0 : 8883),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    databaseUrl,
    ...(certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } }),
    trustedProxies: (text('trustedProxies') ?? '')
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
    ...(smtpUrl === undefined ? {} : { smtpUrl }),
    ...admin,
    demo: checked('demo', false, '0 or 1', (value) => ({ '0': false, '1': true, true: true, false: false })[value]),
    logLevel: checked<LogLevel>('logLevel', 'info', logLevels.join(', '), (value) =>
      logLevels.find((level) => level === value),
    ),
  }
  if (issues.length > 0) throw settingsInvalid(issues)
  return config
}

function readAdmin(
  env: Environment,
  wrong: (variable: string, value: string, may: string) => void,
  issues: Issue[],
): Pick<HubConfig, 'adminEmail' | 'adminPassword' | 'adminToken'> {
  const email = env.FERNLAB_ADMIN_EMAIL || undefined
  const password = env.FERNLAB_ADMIN_PASSWORD || undefined
  const token = env.FERNLAB_ADMIN_TOKEN || undefined
  if (email !== undefined && !/^[^\s@]+@[^\s@]+$/.test(email)) wrong('FERNLAB_ADMIN_EMAIL', email, 'an e-mail address')
  if (password !== undefined && (password.length < 10 || password.length > 200)) {
    wrong('FERNLAB_ADMIN_PASSWORD', password, '10 to 200 characters')
  }
  if (token !== undefined && (token.length < 32 || !/^[\x21-\x7e]+$/.test(token))) {
    wrong('FERNLAB_ADMIN_TOKEN', token, '32 or more characters without spaces')
  }
  if (password !== undefined && email === undefined) {
    issues.push({ path: 'FERNLAB_ADMIN_EMAIL', message: 'is not set, but FERNLAB_ADMIN_PASSWORD is; set both' })
  }
  return {
    ...(email === undefined ? {} : { adminEmail: email }),
    ...(password === undefined ? {} : { adminPassword: password }),
    ...(token === undefined ? {} : { adminToken: token }),
  }
}

/** The error that stops a start: one line per wrong setting. */
export function settingsInvalid(issues: readonly Issue[]): LabError {
  return new LabError({
    code: 'setting-invalid',
    kind: 'configuration',
    message: issues.map(({ path, message }) => `${path} ${message}`).join('\n'),
    issues,
  })
}

/** True for addresses that only this machine can reach. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/.test(host)
