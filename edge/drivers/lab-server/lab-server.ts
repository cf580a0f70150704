/** The driver `lab-server`: a laboratory that has its own server with its own pages, made for weblablib's interface. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { LabPageWay } from '@fernlab/shared/contracts/sync'
import { withEither } from '@fernlab/shared/primitives/either-signal'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { isTimeZone, ownTimeZone, wallClock } from '@fernlab/shared/primitives/zoned-time'
import * as z from 'zod'
import type { Driver, DriverContext, Instrument, LabPage, VisitRequest } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { createLabServerCalls } from './lab-server-client.ts'
import { openConnection } from './lab-server-connection.ts'
import { createSharedStatus, type SharedStatus } from './shared-status.ts'

const configSchema = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\/[^\s?#@]+$/, 'must be an http:// or https:// address without a user name, a ? or a #')
    .refine((url) => !/^https?:\/\//.test(url) || URL.canParse(url), 'must be an address with a host')
    .describe("The lab's base address as this node reaches it: what comes before weblab/sessions/."),
  username: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^:]*$/, 'must be without a colon')
    .describe('The user name that the lab expects of its hub (WEBLAB_USERNAME in weblablib).'),
  passwordFile: z
    .string()
    .min(1)
    .describe('A file that holds nothing but the password (WEBLAB_PASSWORD); relative to node.yaml.'),
  timeZone: z
    .string()
    .refine(isTimeZone, 'must be a time zone such as Europe/Madrid')
    .describe("The lab's time zone. Default: the one of this machine.")
    .exactOptional(),
  pages: z
    .enum(['hub', 'direct'])
    .default('hub')
    .describe(
      "How browsers get to the lab's pages: through the hub, or direct, where they reach the address that the server gives. Default: hub.",
    ),
  ca: z
    .string()
    .min(1)
    .describe("A PEM file with the authority that signed the lab's certificate, when the system does not know it.")
    .exactOptional(),
})
type LabServerConfig = z.infer<typeof configSchema>

/** The one version of the interface that there is. */
const API_VERSION = '1'
/** How often the server is asked whether it is there while nobody works on it. */
const CHECK_MS = 30_000
const CHECK_TIMEOUT_MS = 10_000

/** The driver for node.yaml's `driver: lab-server`. */
export function createLabServerDriver(): Driver {
  // Instruments at the same address are rooms of one server, which is asked for all its sessions at once.
  const servers = new Map<string, SharedStatus>()
  return driverOf({
    kind: 'lab-server',
    schema: configSchema,
    create: async (config, context) => createLabServer(config, context, servers),
  })
}

function createLabServer(
  config: LabServerConfig,
  { name, clock, configFolder }: DriverContext,
  servers: Map<string, SharedStatus>,
): Instrument {
  const base = new URL(config.url.endsWith('/') ? config.url : `${config.url}/`)
  const { timeZone = ownTimeZone(), ca } = config
  const authorityOf = async () => (ca === undefined ? undefined : await secret(resolve(configFolder, ca), 'ca'))
  const calls = createLabServerCalls({
    base,
    username: config.username,
    password: async () => (await secret(resolve(configFolder, config.passwordFile), 'passwordFile')).trim(),
    ca: authorityOf,
  })
  const server = JSON.stringify([base.href, config.username, config.passwordFile, ca])
  const statuses = servers.get(server) ?? createSharedStatus({ calls, clock })
  servers.set(server, statuses)
  const closing = new AbortController()
  /** Sessions of which the server may have one open: it is left alone with checks meanwhile. */
  let visits = 0
  let up = false
  let listener: ((up: boolean, reason?: string) => void) | undefined
  let cancelCheck = () => {}

  const checkAll = async (signal: AbortSignal) => {
    const version = await calls.version(signal)
    if (version !== API_VERSION) {
      throw new LabError({
        code: 'lab-server-version',
        kind: 'instrument',
        message: `${base} speaks version ${version} of the interface, and this node speaks ${API_VERSION}`,
      })
    }
    await calls.test(signal)
  }

  const tell = (next: boolean, reason?: string) => {
    if (next === up || closing.signal.aborted) return
    up = next
    listener?.(next, reason)
  }

  const checkLater = () => {
    cancelCheck = clock.after(CHECK_MS, () => {
      if (visits > 0) return checkLater()
      const late = new AbortController()
      const cancel = clock.after(CHECK_TIMEOUT_MS, () =>
        late.abort(wrong('lab-server-silent', `${base} did not answer within ${CHECK_TIMEOUT_MS / 1000} s`)),
      )
      withEither([closing.signal, late.signal], checkAll)
        .then(
          () => tell(true),
          (thrown) => {
            // Whoever has come meanwhile finds out by themselves.
            if (visits === 0) tell(false, asLabError(thrown).message)
          },
        )
        .finally(() => {
          cancel()
          if (!closing.signal.aborted) checkLater()
        })
    })
  }

  return {
    spec: { name, driver: 'lab-server', signals: [], actions: [], labServer: true },
    open: async (signal) => {
      await withEither([signal, closing.signal], checkAll)
      up = true
      cancelCheck()
      checkLater()
    },
    identify: async (signal) => {
      await withEither([signal, closing.signal], checkAll)
      return `${base} version ${API_VERSION}`
    },
    onConnection: (told) => {
      listener = told
    },
    read: async () => {
      throw wrong('signal-unknown', `${name} has no signals`)
    },
    set: async () => {
      throw wrong('signal-unknown', `${name} has no signals`)
    },
    call: async () => {
      throw wrong('action-unknown', `${name} has no actions`)
    },
    labServer: {
      start: async (request, signal) => {
        visits++
        try {
          return await withEither([signal, closing.signal], (within) =>
            calls.start(startBody(request, clock.now(), timeZone), within),
          )
        } catch (thrown) {
          visits--
          throw thrown
        }
      },
      status: (id, signal) => withEither([signal, closing.signal], (within) => statuses.status(id, within)),
      dispose: async (id, signal) => {
        visits = Math.max(0, visits - 1)
        statuses.forget(id)
        await withEither([signal, closing.signal], (within) => calls.dispose(id, within))
      },
      page: (url) => pageOf(url, base, config.pages),
      connect: async (signal) => {
        const authority = await authorityOf()
        return await openConnection({ base, ca: authority, signal: AbortSignal.any([signal, closing.signal]) })
      },
    },
    close: async () => {
      cancelCheck()
      closing.abort(wrong('instrument-closed', `${name} was closed`))
    },
  }
}

/** Through the hub, a page is at the lab's own address alone: nothing else of its network can be reached. */
function pageOf(url: string, base: URL, through: LabPageWay): LabPage {
  const told = URL.canParse(url, base.href) ? new URL(url, base) : undefined
  if (told === undefined || !/^https?:$/.test(told.protocol)) {
    throw wrong('lab-page-wrong', `${base} names as its page ${JSON.stringify(url)}, which is no address of a page`)
  }
  if (through === 'direct') return { url: told.href, through }
  if (told.hostname === base.hostname) {
    const page = new URL(base)
    page.pathname = told.pathname
    page.search = told.search
    page.hash = told.hash
    return { url: page.href, through }
  }
  const how = 'say pages: direct if browsers reach it, or let the lab name pages at its own address'
  throw wrong('lab-page-wrong', `${base} names as its page ${told.origin}, which is another machine: ${how}`)
}

/** What `POST weblab/sessions/` gets. */
function startBody(request: VisitRequest, nowMs: number, timeZone: string): object {
  return {
    client_initial_data: request.data,
    server_initial_data: {
      // Microseconds, as Python writes and reads them.
      'priority.queue.slot.start': `${wallClock(nowMs, timeZone)}000`,
      'priority.queue.slot.start.timestamp': nowMs / 1000,
      'priority.queue.slot.length': request.seconds,
      // What the lab does before it answers is of that time.
      'priority.queue.slot.initialization_in_accounting': true,
      'request.username': request.username,
      'request.username.unique': request.unique,
      'request.full_name': request.fullName,
      'request.locale': request.locale,
      'request.experiment_id.experiment_name': request.experiment,
      'request.experiment_id.category_name': request.category,
    },
    back: request.back,
  }
}

async function secret(file: string, setting: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new LabError({
      code: 'lab-server-file',
      kind: 'configuration',
      retry: 'later',
      message: `${setting}: ${file} can not be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      details: { begun: false },
      cause,
    })
  }
}

function wrong(code: string, message: string): LabError {
  return new LabError({ code, kind: 'instrument', retry: 'later', message })
}
