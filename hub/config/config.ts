/** The hub's settings: environment first, then the settings file, then defaults. Pure; see load-config.ts for the file. */
import { join, resolve } from 'node:path'
import type { LogLevel } from '@fernlab/shared/primitives/log'
import {
  createSettingsReader,
  dataFolderOf,
  type Environment,
  type SettingsReader,
} from '@fernlab/shared/programs/settings-reader'
import * as z from 'zod'

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
  /** Where labs' own pages are served: the port after `port`, or any free one where that is taken, unless set. */
  readonly pagesPort?: number
  /** The origin at which a proxy serves labs' own pages. */
  readonly pagesUrl?: string
  /** `sqlite:<file>`. */
  readonly databaseUrl: string
  /** PEM files. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** Addresses and networks whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[]
  readonly smtpUrl?: string
  /** PEM of an authority that the mail server's certificate may be of, besides the well-known ones. */
  readonly caFile?: string
  readonly adminEmail?: string
  readonly adminPassword?: string
  readonly adminToken?: string
  /** A folder of lab folders that the catalogue follows as they are edited. */
  readonly labsFolder?: string
  /** A database of countries in MaxMind's format, by which addresses of uses are looked up. */
  readonly countryDb?: string
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
  pagesPort: z.number().optional(),
  pagesUrl: z.string().optional(),
  site: z.string().optional(),
  databaseUrl: z.string().optional(),
  brokerUrl: z.string().optional(),
  tlsCert: z.string().optional(),
  tlsKey: z.string().optional(),
  trustedProxies: z.string().optional(),
  smtpUrl: z.string().optional(),
  tlsCa: z.string().optional(),
  labs: z.string().optional(),
  countryDb: z.string().optional(),
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
  pagesPort: 'FERNLAB_PAGES_PORT',
  pagesUrl: 'FERNLAB_PAGES_URL',
  site: 'FERNLAB_SITE',
  databaseUrl: 'FERNLAB_DATABASE_URL',
  brokerUrl: 'FERNLAB_BROKER_URL',
  tlsCert: 'FERNLAB_TLS_CERT',
  tlsKey: 'FERNLAB_TLS_KEY',
  trustedProxies: 'FERNLAB_TRUSTED_PROXIES',
  smtpUrl: 'FERNLAB_SMTP_URL',
  tlsCa: 'FERNLAB_TLS_CA',
  labs: 'FERNLAB_LABS',
  countryDb: 'FERNLAB_COUNTRY_DB',
  demo: 'FERNLAB_DEMO',
  logLevel: 'FERNLAB_LOG_LEVEL',
}

/** What a program wants where neither the environment nor the settings file says. */
export interface ConfigDefaults {
  readonly demo?: boolean
  readonly logLevel?: LogLevel
}

/** Reads the settings; throws one configuration error with a line per wrong one: what it was and what it may be. */
export function parseConfig(
  env: Environment,
  settings: Settings,
  cwd: string,
  { demo = false, logLevel = 'info' }: ConfigDefaults = {},
): HubConfig {
  const dataFolder = dataFolderOf(env, cwd)
  const hubFolder = join(dataFolder, 'hub')
  const names = Object.keys(variables) as (keyof Settings)[]
  const stored = Object.fromEntries(names.map((name) => [variables[name], settings[name]]))
  const reader = createSettingsReader({ env, stored, cwd })

  const mqttPort = reader.port('FERNLAB_MQTT_PORT', 1883)
  const tls = readTlsFiles(reader)
  if (reader.text('FERNLAB_BROKER_URL') !== undefined) {
    const message = 'is set; this release has the embedded broker only, so it may not be set'
    reader.note({ path: 'FERNLAB_BROKER_URL', message })
  }
  const ownDatabase = `sqlite:${join(hubFolder, 'hub.db')}`
  const publicUrl = reader.address('FERNLAB_PUBLIC_URL', ['http://', 'https://'])
  const pagesUrl = readPagesUrl(reader, publicUrl)
  const pagesPort = reader.text('FERNLAB_PAGES_PORT') === undefined ? undefined : reader.port('FERNLAB_PAGES_PORT', 0)
  const smtpUrl = reader.address('FERNLAB_SMTP_URL', ['smtp://', 'smtps://'])
  const caFile = reader.file('FERNLAB_TLS_CA')
  const labsFolder = reader.file('FERNLAB_LABS')
  const countryDb = reader.file('FERNLAB_COUNTRY_DB')
  const config: HubConfig = {
    dataFolder,
    hubFolder,
    site: reader.site() ?? 'main',
    host: reader.checked('FERNLAB_HOST', '127.0.0.1', 'a host name or address without spaces', (value) =>
      /^[^\s/]+$/.test(value) ? value : undefined,
    ),
    port: reader.port('FERNLAB_PORT', 8080),
    mqttPort,
    mqttsPort: reader.port('FERNLAB_MQTTS_PORT', mqttPort === 0 ? 0 : 8883),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(pagesPort === undefined ? {} : { pagesPort }),
    ...(pagesUrl === undefined ? {} : { pagesUrl }),
    databaseUrl: reader.checked('FERNLAB_DATABASE_URL', ownDatabase, 'sqlite:<file>', (value) =>
      /^sqlite:.+/.test(value) ? `sqlite:${resolve(cwd, value.slice('sqlite:'.length))}` : undefined,
    ),
    ...(tls === undefined ? {} : { tls }),
    trustedProxies: (reader.text('FERNLAB_TRUSTED_PROXIES') ?? '')
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
    ...(smtpUrl === undefined ? {} : { smtpUrl }),
    ...(caFile === undefined ? {} : { caFile }),
    ...readAdmin(env, reader),
    ...(labsFolder === undefined ? {} : { labsFolder }),
    ...(countryDb === undefined ? {} : { countryDb }),
    demo: reader.checked(
      'FERNLAB_DEMO',
      demo,
      '0 or 1',
      (value) => ({ '0': false, '1': true, true: true, false: false })[value],
    ),
    logLevel: reader.logLevel(logLevel),
  }
  reader.finish()
  return config
}

/** An origin, and not the hub's own: at that one a lab's page would be in the place of the hub's. */
function readPagesUrl(reader: SettingsReader, publicUrl: string | undefined): string | undefined {
  const pagesUrl = reader.address('FERNLAB_PAGES_URL', ['http://', 'https://'])
  if (pagesUrl === undefined || !URL.canParse(pagesUrl)) return undefined
  const { origin, pathname, hostname } = new URL(pagesUrl)
  if (hostname.includes('*') && !/^\*(\.[a-z0-9-]+)+$/.test(hostname)) {
    reader.note({ path: 'FERNLAB_PAGES_URL', message: 'may have a * only as the first part of its host' })
  }
  if (pathname !== '/') {
    reader.note({ path: 'FERNLAB_PAGES_URL', message: `has a path; it may be an origin, such as ${origin}` })
  }
  if (publicUrl !== undefined && URL.canParse(publicUrl) && new URL(publicUrl).origin === origin) {
    const message = 'is the hub’s own address; it may be another host name or port, so that labs’ pages stay apart'
    reader.note({ path: 'FERNLAB_PAGES_URL', message })
  }
  return pagesUrl
}

function readTlsFiles(reader: SettingsReader): HubConfig['tls'] {
  const certFile = reader.file('FERNLAB_TLS_CERT')
  const keyFile = reader.file('FERNLAB_TLS_KEY')
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile }
  if (certFile !== undefined) {
    reader.note({ path: 'FERNLAB_TLS_KEY', message: 'is not set, but FERNLAB_TLS_CERT is; set both or neither' })
  }
  if (keyFile !== undefined) {
    reader.note({ path: 'FERNLAB_TLS_CERT', message: 'is not set, but FERNLAB_TLS_KEY is; set both or neither' })
  }
  return undefined
}

function readAdmin(
  env: Environment,
  { wrong, note }: SettingsReader,
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
    note({ path: 'FERNLAB_ADMIN_EMAIL', message: 'is not set, but FERNLAB_ADMIN_PASSWORD is; set both' })
  }
  return {
    ...(email === undefined ? {} : { adminEmail: email }),
    ...(password === undefined ? {} : { adminPassword: password }),
    ...(token === undefined ? {} : { adminToken: token }),
  }
}
