/** The HTTP API's objects: one schema each; the hub's routes, OpenAPI, the page and the command line all use these. */
import * as z from 'zod'
import { limitsSchema } from '../capabilities/signals.ts'
import { shownOutageSchema } from './bench-care.ts'
import { shownCheckSchema } from './bench-checks.ts'
import {
  issueSchema,
  labErrorSchema,
  nameSchema,
  outputSchema,
  parameterInputSchema,
  parametersSchema,
  textSchema,
  writtenText,
} from './common.ts'
import { interlockStatusSchema } from './interlocks.ts'
import { LONGEST_LEASE_S } from './longest.ts'
import { nodeHealthSchema } from './node-status.ts'
import { panelSchema } from './panel.ts'
import { LONGEST_LIST, roles, tooLongList } from './people.ts'
import { IN_FILES } from './pictures.ts'
import { benchStateSchema, priorities, runStateSchema } from './run-state.ts'

const time = z.iso.datetime()

/** RFC 9457; `code` is stable. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  /** For students: what happened, what was kept, what to do. */
  hint: z.string().optional(),
  retry: z.enum(['never', 'later', 'now']).optional(),
  issues: z.array(issueSchema).optional(),
  /** Of what the caller can act on: free times, counts. */
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  instance: z.string().optional(),
})
export type Problem = z.infer<typeof problemSchema>

export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), cursor: z.string().optional() })

/** `GET /api/v1/labs` → page of these. */
export const labSummarySchema = z.object({
  id: z.string(),
  title: textSchema,
  summary: textSchema,
  subject: textSchema.optional(),
  level: textSchema.optional(),
  /** Address of the drawing. */
  picture: z.string().optional(),
  version: z.number(),
  benches: z.array(
    z.object({ id: z.string(), title: z.string().optional(), state: benchStateSchema, reason: z.string().optional() }),
  ),
  /** For staff, while no bench serves the lab: what keeps each bench from it. */
  notServedBy: z.array(z.object({ bench: z.string(), reason: z.string() })).optional(),
  /** Runs that wait for this lab. */
  queueLength: z.number(),
  /** Seconds until a run submitted now would start; null when no bench is up. */
  estimatedWaitS: z.number().nullable(),
  protocols: z.array(z.object({ name: z.string(), title: textSchema })),
})
export type LabSummary = z.infer<typeof labSummarySchema>

/** `GET /api/v1/labs/{lab}`. */
export const labDetailSchema = labSummarySchema.extend({
  /** Markdown that students read, by language. */
  readme: z.record(z.string(), z.string()),
  /** Base address of the lab's files, for pictures in the readme. */
  filesUrl: z.string(),
  protocols: z.array(
    z.object({
      name: z.string(),
      title: textSchema,
      summary: textSchema.optional(),
      version: z.number(),
      digest: z.string(),
      restart: z.enum(['safe', 'never']),
      /** JSON Schema 2020-12 of the parameters, each with `unit`. */
      parameters: z.record(z.string(), z.unknown()),
      outputs: z.record(z.string(), z.object({ title: textSchema.optional(), unit: z.string() })),
      /** Default plots, as in the protocol file. */
      plots: z.array(z.unknown()),
      /** The parsed protocol (shared/protocol), so that the page estimates while a person types. */
      definition: z.unknown(),
      /** With default parameters; `least` where conditions come true at once. */
      estimate: z
        .object({
          seconds: z.number(),
          points: z.number(),
          exact: z.boolean(),
          least: z.object({ seconds: z.number(), points: z.number() }),
        })
        .optional(),
    }),
  ),
  /** Part → instrument description on the first bench that provides it; used by estimates. */
  parts: z.record(z.string(), z.unknown()),
  /** The lab's own limits by `part.signal`, in the signal's unit; those of a bench hold besides. */
  limits: z.record(z.string(), limitsSchema).optional(),
  /** What people see and move in a live session. */
  panel: panelSchema.optional(),
  /** The lab offers live sessions, of so long. */
  session: z
    .object({
      seconds: z.number(),
      mostSeconds: z.number(),
      idleSeconds: z.number(),
      /** The parts whose cameras record it. */
      films: z.array(z.string()).optional(),
    })
    .optional(),
})
export type LabDetail = z.infer<typeof labDetailSchema>

/** A piece of a lab's text: words, or an element with its attributes by their names in React (`className`, `style` as an object). */
export type ReadmeNode =
  | string
  | {
      readonly tag: string
      readonly attributes?: Readonly<Record<string, unknown>>
      readonly children?: readonly ReadmeNode[]
    }

/** `GET /api/v1/labs/{lab}/readme?language=`: the text as the page draws it. */
export const labReadmeSchema = z.object({
  /** English, or whatever there is, where the lab does not speak the language that was asked for. */
  language: z.string(),
  /** Of these kinds: `ReadmeNode`. */
  nodes: z.array(z.unknown()),
})
export type LabReadme = Omit<z.infer<typeof labReadmeSchema>, 'nodes'> & { readonly nodes: readonly ReadmeNode[] }

/** Body of `POST /api/v1/runs`. */
export const submitRunSchema = z.strictObject({
  lab: nameSchema,
  protocol: nameSchema,
  parameters: z.record(z.string(), parameterInputSchema).default({}),
  /** Only this bench: `<node>.<bench>`. */
  bench: z.string().max(127).optional(),
  model: z.string().max(127).optional(),
  /** Lower is sooner; what the person may not have becomes the soonest that is allowed. */
  priority: z.number().int().min(priorities.soonest).max(priorities.latest).optional(),
  /** A line of the person's own, shown in lists. */
  note: writtenText(200).optional(),
})
export type SubmitRun = z.input<typeof submitRunSchema>

export const progressSchema = z.object({ fraction: z.number(), secondsLeft: z.number().optional(), step: z.string() })

export const runSchema = z.object({
  id: z.string(),
  state: runStateSchema,
  attempt: z.number(),
  lab: z.string(),
  labTitle: textSchema.optional(),
  labVersion: z.number(),
  protocol: z.string(),
  protocolTitle: textSchema.optional(),
  /** Set for a live session: a person drives by hand. */
  session: z.literal(true).optional(),
  /** By the name of an output that has one. */
  outputTitles: z.record(z.string(), textSchema).optional(),
  protocolDigest: z.string(),
  restart: z.enum(['safe', 'never']),
  bench: z.string().nullable(),
  /** The one that was asked for, where any other would not do. */
  wantedBench: z.string().optional(),
  parameters: parametersSchema,
  note: z.string().optional(),
  /** The recurring run that made it. */
  recurring: z.string().optional(),
  /** The check of its bench that it is for. */
  check: z.string().optional(),
  /** Whose it is. */
  person: z.object({ id: z.string(), name: z.string() }),
  /** Lower is sooner; each is worth one step of waiting. */
  priority: z.number(),
  /** 1 is next; only while queued. */
  position: z.number().optional(),
  /** Why it waits, in words for the person. */
  waitReason: z.string().optional(),
  estimatedStart: time.optional(),
  estimatedS: z.number().optional(),
  progress: progressSchema.optional(),
  createdAt: time,
  assignedAt: time.optional(),
  startedAt: time.optional(),
  endedAt: time.optional(),
  cancelRequested: z.boolean(),
  reason: z.string().optional(),
  error: labErrorSchema.optional(),
  outputs: z.record(z.string(), outputSchema),
  missingOutputs: z.record(z.string(), z.string()),
  /** Rows per stream so far. */
  rows: z.record(z.string(), z.number()),
  /** Set when retention removed the samples; outputs stay. */
  dataRemovedAt: time.optional(),
})
export type Run = z.infer<typeof runSchema>

const columnKeys = z.record(
  z.string(),
  z.object({
    unit: z.string(),
    dtype: z.string(),
    title: z.string().optional(),
    source: z.string(),
    /** The values are names of files: those of pictures are at `GET /api/v1/runs/{id}/pictures/{file}`. */
    external: z.literal(IN_FILES).optional(),
  }),
)
const columns = {
  /** Epoch seconds. */
  time: z.array(z.number()),
  columns: z.record(z.string(), z.array(z.union([z.number(), z.string(), z.boolean(), z.null()]))),
}

/** `GET /api/v1/runs/{id}/streams`: rows by stream. */
export const runStreamsSchema = z.object({ attempt: z.number(), rows: z.record(z.string(), z.number()) })
export type RunStreams = z.infer<typeof runStreamsSchema>

/** `GET /api/v1/runs/{id}/data.json?stream=&from=&to=&points=&columns=&attempt=`: columns, reduced to `points` by min/max when asked. */
export const dataSchema = z.object({
  stream: z.string(),
  attempt: z.number(),
  /** Rows in the stream, and whether the answer is reduced. */
  rows: z.number(),
  reduced: z.boolean(),
  /** Calibrated, unless said. */
  values: z.literal('raw').optional(),
  keys: columnKeys,
  ...columns,
})
export type Data = z.infer<typeof dataSchema>

/**
 * `GET /api/v1/runs/{id}/events` (text/event-stream), by the name of the event. Every event but `progress` and `wait` has an
 * id, and `Last-Event-ID` resumes without a gap; those two may be lost. After `end` the server closes.
 */
export const runEventSchemas = {
  state: z.object({
    state: runStateSchema,
    attempt: z.number(),
    at: time,
    reason: z.string().optional(),
    bench: z.string().optional(),
  }),
  /** A stream begins. */
  streams: z.object({ attempt: z.number(), stream: z.string(), keys: columnKeys }),
  /** Rows, reduced to at most 500 an event with every peak kept. */
  data: z.object({
    attempt: z.number(),
    stream: z.string(),
    first: z.number(),
    count: z.number(),
    reduced: z.boolean(),
    ...columns,
  }),
  progress: progressSchema,
  wait: z.object({ position: z.number().optional(), estimatedStart: time.optional(), reason: z.string() }),
  outputs: runSchema.pick({ outputs: true, missingOutputs: true }),
  end: runSchema,
} as const
export type RunEventName = keyof typeof runEventSchemas

export const benchSchema = z.object({
  /** `<node>.<bench>`. */
  id: z.string(),
  node: z.string(),
  name: z.string(),
  title: z.string().optional(),
  labs: z.array(z.string()),
  state: benchStateSchema,
  since: time.optional(),
  reason: z.string().optional(),
  run: z.string().optional(),
  /** A clean-up was not done, or a check fails: it is out of use; staff can put it back. */
  out: z.literal(true).optional(),
  /** How it is found out that it is sound. */
  checks: z.array(shownCheckSchema).optional(),
  /** What forces it to its safe state, and how that stands. */
  interlocks: z.array(interlockStatusSchema).optional(),
  /** Somebody drives it directly. */
  leased: z.boolean(),
  /** Since when; whoever ends the hold says which one by it. */
  leasedSince: time.optional(),
  /** It is the caller who drives it. */
  mine: z.boolean().optional(),
  /** Who drives it: told to those who may see people. */
  leasedBy: z.object({ id: z.string(), name: z.string() }).optional(),
  /** What for, as its driver has said: told to them, and to those who may see people. */
  leaseReason: z.string().optional(),
  /** Why it is not for runs now, as staff have planned, and from when it is not the next time. */
  outage: shownOutageSchema.optional(),
  nextOutage: shownOutageSchema.optional(),
  /** Its node has it no more: it may be removed. */
  gone: z.boolean().optional(),
  /** Part → instrument with its signals. */
  parts: z.record(
    z.string(),
    z.object({
      instrument: z.string(),
      driver: z.string(),
      model: z.string().optional(),
      signals: z.array(z.unknown()),
      actions: z.array(z.unknown()),
    }),
  ),
})
export type Bench = z.infer<typeof benchSchema>

export const nodeSchema = z.object({
  id: z.string(),
  state: z.enum(['online', 'offline', 'revoked', 'never-seen']),
  lastSeen: time.optional(),
  version: z.string().optional(),
  health: nodeHealthSchema.optional(),
  benches: z.array(z.string()),
  enrolledAt: time.optional(),
})
export type NodeInfo = z.infer<typeof nodeSchema>

/** `POST /api/v1/nodes` (admin) → one-time code; `POST /api/v1/nodes/enroll` (the code is the authority) → credential. */
export const enrollmentCodeSchema = z.object({
  node: z.string(),
  code: z.string(),
  expiresAt: time,
  /** Addresses of the broker for `hub.url` in node.yaml, best first. */
  mqtt: z.array(z.string()),
})
export const enrollSchema = z.strictObject({ code: z.string(), node: nameSchema })
export const nodeCredentialSchema = z.object({
  site: z.string(),
  node: z.string(),
  username: z.string(),
  password: z.string(),
  /** Addresses of the broker, best first. */
  mqtt: z.array(z.string()),
})

export const tokenScopes = ['read', 'run', 'account', 'builder', 'admin', 'mqtt:read', 'mqtt:status'] as const
/** `POST /api/v1/tokens` → the secret once. */
export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  createdAt: time,
  expiresAt: time.optional(),
  lastUsedAt: time.optional(),
  revokedAt: time.optional(),
})
export const createTokenSchema = z.strictObject({
  name: writtenText(80).min(1),
  scopes: z.array(z.enum(tokenScopes)).min(1),
  expiresInDays: z
    .number()
    .int()
    .min(1)
    .max(3660)
    .optional()
    .describe('Without it, the token ends with the one that asks; where nothing ends, it is valid until it is revoked'),
})
export const createdTokenSchema = tokenSchema.extend({ token: z.string() })
export type Token = z.infer<typeof tokenSchema>

const roleSchema = z.enum(roles)

/** `GET /api/v1/users?q=`. */
export const personSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role: roleSchema,
  /** Whether they have an authenticator app or a passkey; in lists. */
  secondFactor: z.boolean().optional(),
  /** Whether they have API tokens that work; in lists. */
  tokens: z.boolean().optional(),
  /** Since when they are shut out; in lists, of those who are. */
  suspendedAt: time.optional(),
})
export type PersonInfo = z.infer<typeof personSchema>

/** `POST /api/v1/users/import`: a list of people, CSV with the columns name, email and, if wanted, role and groups. */
export const importPeopleSchema = z.strictObject({
  csv: z.string().max(LONGEST_LIST, tooLongList),
  /** Of lines that name none. */
  role: roleSchema.default('student'),
  /** Into which people of lines that name none are put, also those who have an account. */
  group: nameSchema.optional(),
  /** Looks the list through and makes nobody. */
  preview: z.boolean().default(false),
  /** By which the caller finds how far this import is. */
  ref: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
})
/** `waiting` for another import; `stopped` ones made nobody. */
export const importSteps = ['waiting', 'reading', 'checking', 'writing', 'done', 'stopped'] as const
export const importedPeopleSchema = z.object({
  /** Whether each new person gets a letter; otherwise their links are in the answer, once. */
  letters: z.boolean(),
  /** In the list. */
  count: z.number(),
  /** Of them, without an account until now. */
  fresh: z.number(),
  /** Of the others, those who are put into groups. */
  joining: z.number(),
  /** Everybody where links are in it, else the first 500. */
  people: z.array(
    z.object({
      line: z.number(),
      name: z.string(),
      email: z.string(),
      role: roleSchema,
      /** Into which they are put. */
      groups: z.array(z.string()),
      /** Has an account, which stays as it is but for its groups. */
      known: z.boolean(),
      /** With which the person chooses a password. */
      link: z.string().optional(),
    }),
  ),
})
export type ImportedPeople = z.infer<typeof importedPeopleSchema>

/** `GET /api/v1/users/import`: how far the caller's imports are, latest first; ended ones are told of for ten minutes. */
export const importProgressSchema = z.object({
  items: z.array(
    z.object({
      /** As its maker has named it in `ref`. */
      ref: z.string().optional(),
      preview: z.boolean(),
      step: z.enum(importSteps),
      /** People that the step has done, of how many. */
      done: z.number(),
      of: z.number(),
    }),
  ),
})
export type ImportProgress = z.infer<typeof importProgressSchema>['items'][number]
/** `PUT /api/v1/users/{id}`. */
export const changePersonSchema = z.strictObject({ role: roleSchema })

/** `GET /api/v1/me`. */
export const meSchema = personSchema.extend({
  /** Both as the person's page was used last; letters are in them. */
  language: z.string().optional(),
  timeZone: z.string().optional(),
  /** What the site wants of this person before they may do anything else. */
  mustSetUp: z.literal('second-factor').optional(),
  tokenExpiresAt: time.optional().describe('When the token that asks ends by itself'),
})
export type Me = z.infer<typeof meSchema>
/** `PUT /api/v1/me`. */
export const changeMeSchema = z.strictObject({ name: writtenText(120).min(1) })
/** `POST /api/v1/me/close`. */
export const closeAccountSchema = z.strictObject({ password: z.string().min(1).max(200) })

/** `GET /api/v1/site`: open to everyone; what the sign-in page needs. */
export const siteSchema = z.object({
  site: z.string(),
  title: z.string(),
  version: z.string(),
  /** In which the hub's machine tells the time, such as `Europe/Madrid`. */
  timeZone: z.string(),
  /** True until the first admin exists. */
  setupNeeded: z.boolean(),
  /** Whether a forgotten password can be reset by mail. */
  mail: z.boolean(),
  /** Whether people may make accounts of their own, and with addresses of which domains; none: any. */
  registration: z.object({ open: z.boolean(), domains: z.array(z.string()) }),
  /** The address whose page may ask for passkeys; none where the hub has only a number for an address, or no HTTPS. */
  passkeysAt: z.string().optional(),
})
export type Site = z.infer<typeof siteSchema>

/** `POST /api/v1/setup` `{token, name, email, password}`: creates the first admin and signs in. `POST /api/v1/join` takes the same, with the secret of an invitation. `POST /api/v1/password/forgot` `{email}`, `/password/reset` `{token, password}`. */
export const setupSchema = z.strictObject({
  token: z.string(),
  name: writtenText(120).min(1),
  email: z.email().max(254),
  password: z.string().min(10).max(200),
})
/** `POST /api/v1/setup/check`: whether a set-up link still works, before a person fills in the form. */
export const setupLinkSchema = setupSchema.pick({ token: true })

/** `GET /api/v1/invitations`: links by which people make accounts of their own. */
export const invitationSchema = z.object({
  id: z.string(),
  role: roleSchema,
  /** Into which whoever joins is put. */
  group: z.string().optional(),
  /** False: only people who have an account join by it. */
  register: z.boolean(),
  /** Whom it is for, in the words of the one who made it. */
  note: z.string().optional(),
  /** How many people may join by it, and how many have. */
  most: z.number(),
  used: z.number(),
  createdBy: z.string(),
  createdAt: time,
  expiresAt: time,
  revokedAt: time.optional(),
})
export type Invitation = z.infer<typeof invitationSchema>
/** `POST /api/v1/invitations` → the link, once. */
export const createInvitationSchema = z.strictObject({
  /** Of accounts that are made by it; who has one keeps their role. */
  role: roleSchema.default('student'),
  group: nameSchema.optional(),
  register: z.boolean().default(true),
  note: writtenText(120).min(1).optional(),
  most: z.number().int().min(1).max(1000).default(1),
  expiresInDays: z.number().int().min(1).max(365).default(14),
})
export const createdInvitationSchema = invitationSchema.extend({ link: z.string() })
/** `POST /api/v1/join/check` `{token}`: who invites, and to what. */
export const invitedSchema = z.object({
  role: roleSchema,
  by: z.string(),
  group: z.object({ id: z.string(), name: z.string() }).optional(),
  register: z.boolean(),
})
/** `POST /api/v1/join/accept`: somebody who is signed in joins the invitation's group. */
export const acceptInvitationSchema = z.strictObject({ token: z.string() })
export const signInSchema = z.strictObject({ email: z.email(), password: z.string().min(1).max(200) })
export const forgotPasswordSchema = z.strictObject({ email: z.email() })
export const resetPasswordSchema = z.strictObject({ token: z.string(), password: z.string().min(10).max(200) })

/** `PUT /api/v1/labs/{lab}` body: the files of a lab folder, text as is, others base64. `GET` answers labDetail. */
export const pushLabSchema = z.strictObject({
  files: z
    .array(z.strictObject({ path: z.string().max(200), text: z.string().optional(), base64: z.string().optional() }))
    .max(200),
})
export const pushedLabSchema = z.object({ id: z.string(), version: z.number(), changed: z.boolean() })

/** Direct use of a bench by staff: `POST /api/v1/benches/{bench}/lease` `{ttlS}`, `DELETE …/lease`, `POST …/exchange`. */
export const leaseSchema = z.object({
  lease: z.string(),
  expiresAt: time,
  /** The check of the bench that was ended for it; it is done again later. */
  endedCheck: z.string().optional(),
})
export type Lease = z.infer<typeof leaseSchema>
export const takeLeaseSchema = z.strictObject({
  ttlS: z.number().min(5).max(3600).default(60).describe(`Of more than ${LONGEST_LEASE_S}, the node grants so much`),
  lease: z.string().max(200).optional(),
  /** Goes on with a lease that the caller holds and whose id is lost; without one, the bench is taken. */
  resume: z.boolean().optional(),
  /** What for: told to those who may see people. With a renewal it takes the place of the one before. */
  reason: writtenText(200).optional(),
})
export const exchangeSchema = z.strictObject({
  lease: z.string().max(200).optional(),
  set: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).optional(),
  read: z.array(z.string()).optional(),
  /** Each reading with `raw` too: what the instrument said before its calibration; of a signal without one, the value. */
  raw: z.boolean().optional(),
})
export const exchangedSchema = z.object({
  readings: z.record(
    z.string(),
    z.object({
      value: z.union([z.number(), z.string(), z.boolean()]),
      unit: z.string(),
      time: time,
      raw: z.union([z.number(), z.string(), z.boolean()]).optional(),
    }),
  ),
})

/** `GET /readyz`. */
export const readinessSchema = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() })),
})

/** `GET /api/v1/storage` and `PUT /api/v1/settings/retention` (admin). */
export const retentionSchema = z.strictObject({
  dataDays: z.number().int().min(1).nullable(),
  runDays: z.number().int().min(1).nullable(),
})
export type Retention = z.infer<typeof retentionSchema>
/** Rules to be set: no sample outlives its run. */
export const retentionChangeSchema = retentionSchema.refine(
  ({ dataDays, runDays }) => dataDays === null || runDays === null || dataDays <= runDays,
  { path: ['runDays'], message: 'samples cannot outlive their run: keep whole runs at least as long as samples' },
)

/** `GET` and `PUT /api/v1/settings/scheduling` (admin). */
export const schedulingRulesSchema = z.strictObject({
  /** So much waiting is worth one of priority. */
  stepMinutes: z.number().int().min(1).max(1440),
  /** Bench time of the last so many hours decides among those of equal number. */
  windowHours: z.number().int().min(1).max(8760),
  /** A booking to which nobody has come so long after its start is given back. */
  graceMinutes: z.number().int().min(1).max(240).default(10),
  /** A session that has to make room for a booking is told so long before; less where the booking would be later than its grace. */
  warningMinutes: z.number().int().min(1).max(60).default(5),
})
export type SchedulingRules = z.infer<typeof schedulingRulesSchema>
export const storageSchema = z.object({
  databaseBytes: z.number(),
  freeBytes: z.number(),
  acceptingRuns: z.boolean(),
  retention: retentionSchema,
})
