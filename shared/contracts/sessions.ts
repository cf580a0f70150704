/** Live sessions: a person drives a bench by hand, for a time. A session is a run whose protocol the hub composes. */
import * as z from 'zod'
import { identifierSchema, signalKeySchema } from '../capabilities/signals.ts'
import type { TransitionTable } from '../primitives/state-machine.ts'
import { labErrorSchema, nameSchema, textSchema, writtenText } from './common.ts'
import { panelSchema } from './panel.ts'
import { isFinal, type RunState } from './run-state.ts'
import type { SessionStage } from './session-columns.ts'
import { labPageWaySchema, readingSchema, samplesSchema, scalarSchema as scalar, sessionCommandSchema } from './sync.ts'

/** How long a session lasts when nobody says, and the most that it may be extended to. */
export const DEFAULT_SECONDS = 600
const LONGEST_SECONDS = 4 * 3600
/** The bench is given back after so long without a command, when the lab says nothing else. */
export const DEFAULT_IDLE_S = 300
/** How often the shown signals are recorded, when the lab says nothing else. */
export const DEFAULT_RECORD_HZ = 2
/** A node ends a session whose hub has been silent for so long; the bench is cleaned up and safe then. */
export const SILENCE_S = 20
/** Somebody who waits and is not heard of for so long has left. */
export const LOST_S = 60
/** How often a failing clean-up is tried before the bench is taken out. */
export const CLEAN_UP_TRIES = 3

/** What a lab is filed under at its own server, when it says nothing else. */
export const DEFAULT_CATEGORY = 'Fernlab'

/** So many lines of a chat are kept, while their session lasts. */
export const KEPT_LINES = 100

const seconds = z.number().min(10).max(LONGEST_SECONDS)

/** `session` in lab.yaml; `step` is the schema of a step of a protocol. */
export const sessionFile = <Step extends z.ZodType>(step: Step) => {
  const steps = z.array(step).min(1).max(1000)
  return z
    .strictObject({
      seconds: seconds.describe(`How long a session is. Default: ${DEFAULT_SECONDS}.`).exactOptional(),
      mostSeconds: seconds
        .describe('How long it may become by extending, while nobody waits. Default: no longer than it is.')
        .exactOptional(),
      idleSeconds: seconds
        .describe(`It ends after so long without a command. Default: ${DEFAULT_IDLE_S}.`)
        .exactOptional(),
      prepare: steps
        .describe('Steps, as in a protocol, that are done before the person gets the bench.')
        .exactOptional(),
      cleanUp: steps
        .describe(
          `Steps, as in a protocol, that are done when it ends, however it ends; after ${CLEAN_UP_TRIES} failures the bench is taken out of use.`,
        )
        .exactOptional(),
      record: z
        .array(
          z.strictObject({
            signals: z.array(signalKeySchema).min(1).max(64).describe('The signals to sample, each as part.signal.'),
            rate: z.number().positive().describe('Samples per second, in Hz.'),
            stream: nameSchema.describe('The table that the samples go into.'),
          }),
        )
        .min(1)
        .max(8)
        .describe(
          `What is recorded all the time. Default: the signals that the panel shows, or without a panel all that the lab's page can show, ${DEFAULT_RECORD_HZ} times a second, in readings.`,
        )
        .exactOptional(),
      film: z
        .array(identifierSchema)
        .min(1)
        .max(4)
        .describe(
          'The parts that are cameras, of which all that they see in a session is recorded; whoever takes part is told. Default: none.',
        )
        .exactOptional(),
      server: z
        .strictObject({
          part: identifierSchema.describe('The part that is the server: one with labServer: true.'),
          experiment: z
            .string()
            .min(1)
            .max(200)
            .describe('What the lab is called there (experiment_name). Default: the name of the lab here.')
            .exactOptional(),
          category: z
            .string()
            .min(1)
            .max(200)
            .describe(`What it is filed under there (category_name). Default: ${DEFAULT_CATEGORY}.`)
            .exactOptional(),
          data: z
            .record(z.string(), z.unknown())
            .describe('What the server gets as it is with each session (client_initial_data).')
            .exactOptional(),
        })
        .describe(
          "Hands each session to the lab's own server, which has the pages that people work on: the interface of weblablib.",
        )
        .exactOptional(),
    })
    .describe('Offers live sessions of this lab: people drive a bench by hand. {} takes every default.')
}
export type SessionFile = z.infer<ReturnType<typeof sessionFile<z.ZodUnknown>>>

/** The times of a lab's sessions with their defaults. */
export function sessionTimes(session: SessionFile): { seconds: number; mostSeconds: number; idleSeconds: number } {
  const length = session.seconds ?? DEFAULT_SECONDS
  const mostSeconds = Math.max(length, session.mostSeconds ?? length)
  // A lab's own server sees itself who has left: what is done on its pages may not pass through here.
  const idleSeconds = session.idleSeconds ?? (session.server === undefined ? DEFAULT_IDLE_S : mostSeconds)
  return { seconds: length, mostSeconds, idleSeconds }
}

/** Which parts of a lab record its sessions. */
export const filmsOf = ({ film }: Pick<SessionFile, 'film'> = {}): { films?: string[] } =>
  film === undefined ? {} : { films: film }

export const sessionStates = ['waiting', 'preparing', 'active', 'finishing', 'closed'] as const
export const sessionStateSchema = z.enum(sessionStates)
export type SessionState = z.infer<typeof sessionStateSchema>

/** A session's life. Back to `waiting`: the bench refused it at the last moment, and another is looked for. */
export const sessionTransitions: TransitionTable<SessionState> = {
  waiting: ['preparing', 'closed'],
  preparing: ['active', 'finishing', 'waiting', 'closed'],
  active: ['finishing', 'closed'],
  finishing: ['closed'],
  closed: [],
}

/** The session's state, from its run's and from the stage that its node has told. */
export function sessionStateOf(run: RunState, stage: SessionStage): SessionState {
  if (isFinal(run)) return 'closed'
  if (run === 'queued') return 'waiting'
  return run === 'assigned' ? 'preparing' : stage
}

const person = z.object({ id: z.string(), name: z.string() })
const time = z.iso.datetime()

/** `POST /api/v1/sessions`. */
export const openSessionSchema = z.strictObject({
  lab: nameSchema,
  /** The lab's own length unless given; no longer than the lab allows. */
  seconds: z.number().min(10).max(LONGEST_SECONDS).optional(),
  /** `<node>.<bench>`; any that serves the lab unless given. */
  bench: z.string().max(127).optional(),
})
export type OpenSession = z.infer<typeof openSessionSchema>

/** `POST /api/v1/sessions/{id}/extend`: by so many seconds, or to so many in all. */
export const extendSessionSchema = z
  .strictObject({
    seconds: z.number().min(1).max(LONGEST_SECONDS).optional().describe('By how much; asked twice, twice as much'),
    total: z
      .number()
      .min(1)
      .max(LONGEST_SECONDS)
      .optional()
      .describe('How long it is to be in all; one that is as long stays as it is, so asking again is harmless'),
  })
  .refine(({ seconds, total }) => (seconds === undefined) !== (total === undefined), 'give either seconds or total')
export type ExtendSession = z.infer<typeof extendSessionSchema>

export const sessionSchema = z.object({
  id: z.string(),
  state: sessionStateSchema,
  lab: z.string(),
  labTitle: textSchema.optional(),
  bench: z.string().nullable(),
  /** The one that was asked for, where any other would not do. */
  wantedBench: z.string().optional(),
  /** Whose it is. */
  person,
  /** How long it is, by now, and how long it may become. */
  seconds: z.number(),
  mostSeconds: z.number(),
  idleSeconds: z.number(),
  /** 1 is next; only while waiting. */
  position: z.number().optional(),
  waitReason: z.string().optional(),
  estimatedStart: time.optional(),
  createdAt: time,
  /** When the person got the bench. */
  activeAt: time.optional(),
  /** When it will end, while it is active. */
  endsAt: time.optional(),
  /** A booking needs the bench: the session ends then, and the rest of its time is next in line. */
  bumpedAt: time.optional(),
  /** The session that has the rest of its time, after it had to end for a booking or its bench was lost. */
  next: z.string().optional(),
  endedAt: time.optional(),
  /** Why it ended. */
  reason: z.string().optional(),
  error: labErrorSchema.optional(),
  /** Who has the controls. */
  control: person.optional(),
  /** Who may take part besides the owner. */
  partners: z.array(person),
  panel: panelSchema.optional(),
  /** It takes place on pages of the lab's own server: `POST …/visit` says where, while it is active. */
  ownServer: z.boolean().optional(),
  /** The parts that are cameras, of which all that they see is recorded while it is active. */
  films: z.array(z.string()).optional(),
  /** The lab brings its own page, whose address `/page` gives. */
  page: z.boolean().optional(),
})
export type Session = z.infer<typeof sessionSchema>

/** The token of a link by which partners come: `POST /api/v1/sessions/join`. */
export const joinSessionSchema = z.strictObject({ token: z.string().min(1).max(200) })
export const sessionLinkSchema = z.object({
  /** For the partner's browser; it works until the session ends or another link is made. */
  link: z.url(),
  token: z.string(),
})

/** Where the page of a session's lab is: an address that works for a while, and for this version of the lab. */
export const sessionPageSchema = z.object({ url: z.url(), expiresAt: time })
export type SessionPage = z.infer<typeof sessionPageSchema>

/** Calls on the WebSocket of a session, in the envelope of shared/rpc. Keys are `part.signal`, values in the signal's unit. */
export const liveMethods = {
  set: { params: z.strictObject({ values: z.record(signalKeySchema, scalar) }), result: z.null() },
  call: {
    params: z.strictObject({ action: signalKeySchema, arguments: z.record(z.string(), scalar).optional() }),
    result: z.null(),
  },
  read: {
    params: z.strictObject({ signals: z.array(signalKeySchema).min(1).max(64) }),
    result: z.object({ readings: z.record(z.string(), readingSchema) }),
  },
  extend: { params: extendSessionSchema, result: sessionSchema },
  finish: { params: z.strictObject({}), result: sessionSchema },
  chat: { params: z.strictObject({ text: writtenText(500).min(1) }), result: z.null() },
  /** Whoever has the controls, or the owner, gives them to somebody who is there. */
  'control.give': { params: z.strictObject({ to: z.string().max(64) }), result: z.null() },
  /** The owner takes them back. */
  'control.take': { params: z.strictObject({}), result: z.null() },
} as const
export type LiveMethod = keyof typeof liveMethods

/** A line of the chat; those of a session are in the order of their ids. */
const chatLine = z.object({ id: z.string(), from: person, text: z.string(), at: time })

/** What the hub tells on that WebSocket by itself. */
export const liveNotifications = {
  /** The session, when something about it has changed, and first of all. */
  session: sessionSchema,
  /** To who waits: that others have moved, or the bench is expected at another time; as in the session. */
  wait: z.object({ position: z.int(), reason: z.string(), estimatedStart: time.optional() }),
  /** What was read and set; the newest alone for a viewer who is too slow for all of it. */
  samples: z.object({ secondsLeft: z.number().optional(), samples: samplesSchema }),
  /** Who is here, and who has the controls. */
  people: z.object({
    people: z.array(person.extend({ role: z.enum(['owner', 'partner', 'observer']) })),
    control: person.optional(),
  }),
  chat: chatLine,
  /** To who comes in: what was said before, with lines that may come as `chat` as well. */
  said: z.object({ lines: z.array(chatLine).max(KEPT_LINES) }),
  /** What was done, by whoever has the controls, and how it came out. */
  command: z.object({ by: person, command: sessionCommandSchema, outcome: z.string(), at: time }),
} as const
export type LiveNotification = keyof typeof liveNotifications
export type LiveParams<Name extends LiveNotification> = z.infer<(typeof liveNotifications)[Name]>

/** `GET` and `PUT /api/v1/settings/lab-servers`: what leaves the hub for labs that have their own server. */
export const labServerRulesSchema = z.strictObject({
  /** Whether such a server gets people's names; without, it gets pseudonyms. */
  names: z.boolean(),
})
export type LabServerRules = z.infer<typeof labServerRulesSchema>

/** `POST /api/v1/sessions/{id}/visit`: the page of the lab's own server, for one browser. */
export const sessionVisitSchema = z.object({
  /** Through the hub, it works once, until `expiresAt`. */
  url: z.url(),
  through: labPageWaySchema,
  expiresAt: time.optional(),
})
export type SessionVisit = z.infer<typeof sessionVisitSchema>
