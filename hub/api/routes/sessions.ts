import { identifierSchema } from '@fernlab/shared/capabilities/signals'
import { page } from '@fernlab/shared/contracts/api'
import { nameSchema, runIdSchema } from '@fernlab/shared/contracts/common'
import {
  extendSessionSchema,
  joinSessionSchema,
  labServerRulesSchema,
  openSessionSchema,
  type Session,
  sessionLinkSchema,
  sessionPageSchema,
  sessionSchema,
  sessionVisitSchema,
} from '@fernlab/shared/contracts/sessions'
import { z } from '@hono/zod-openapi'
import { type Caller, signInOf } from '../../accounts/caller.ts'
import { can } from '../../accounts/can.ts'
import { placeOf, type SessionPlace } from '../../sessions/place.ts'
import { submissionErrors } from '../call-errors.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { cursorId, pageQuery } from '../paging.ts'
import { notFound, refusal } from '../problems.ts'
import { whoseOf } from '../whose.ts'

const params = z.object({ id: runIdSchema })
const cameraParams = params.extend({ part: identifierSchema })
const listQuery = pageQuery.extend({
  lab: z.string().max(63).optional(),
  person: z.string().max(63).optional(),
  /** Of everybody in a group or within it, for staff and its instructors. */
  group: nameSchema.optional(),
  open: z.enum(['true', 'false']).default('false').describe('Those alone that are not closed'),
})

/** A page is opened once the bench is there; preparing and cleaning it up takes a while besides. */
const SPARE_MS = 15 * 60_000

const ownerOnly = () =>
  refusal('forbidden', 'only the owner of the session may do this', 'Only whose session it is may do this.')

/** Live sessions; their WebSocket is served beside the app, see hub/sessions/live-sockets.ts. */
export function sessionRoutes(add: AddRoute, parts: ApiParts): void {
  const { sessions, rooms, labVisitors, labPages, labVisits, config } = parts

  /** The session, and as what the caller is in it; another person's reads as if it did not exist. */
  const placed = async (caller: Caller, id: string): Promise<{ session: Session; place: SessionPlace }> => {
    const session = await sessions.get(id)
    const place = session === undefined ? undefined : await placeOf(parts, caller, session)
    if (session === undefined || place === undefined) throw notFound(`the session ${id}`)
    if (place === 'owner' || place === 'partner') sessions.seen(id, caller)
    return { session, place }
  }
  const own = async (caller: Caller, id: string): Promise<Session> => {
    const { session, place } = await placed(caller, id)
    if (place !== 'owner' && !can(caller, 'runs.cancel', { ownerId: session.person.id })) {
      throw ownerOnly()
    }
    return session
  }
  /** Who may end it: also the partner whose hand is on the controls. */
  const requireEnding = async (caller: Caller, id: string): Promise<void> => {
    const { session, place } = await placed(caller, id)
    if (place === 'owner' || can(caller, 'runs.cancel', { ownerId: session.person.id })) return
    if (place === 'observer') throw ownerOnly()
    if (rooms.hasControl(session, caller.personId)) return
    throw refusal(
      'not-in-control',
      'only the owner of the session and the partner who has the controls may end it',
      'Only whose session it is, and who has the controls, may end it. Ask for the controls.',
    )
  }

  add(
    {
      method: 'post',
      path: '/api/v1/sessions',
      often: true,
      tag: 'Sessions',
      summary: 'Ask for a live session of a lab',
      description:
        'One place per person and lab: who has an open one gets it back. Who waits must ask for the session, or be on its WebSocket, at least once a minute, or the place is given up.',
      access: 'runs.submit',
      errors: [
        'lab-unknown',
        'session-unknown',
        'no-sessions',
        'no-session-time',
        'session-too-long',
        ...submissionErrors,
      ],
      body: openSessionSchema,
      answer: { status: 201, schema: sessionSchema, what: 'The session, which the database has committed' },
      otherAnswers: [{ status: 200, schema: sessionSchema, what: 'The open session that the caller has there' }],
    },
    async ({ c, body, caller }) => {
      const { lab, seconds, bench } = body
      const wanted = { lab, ...(seconds === undefined ? {} : { seconds }), ...(bench === undefined ? {} : { bench }) }
      const { session, made } = await sessions.open(caller, wanted)
      c.header('location', `/api/v1/sessions/${session.id}`)
      return c.json(session, made ? 201 : 200)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/sessions',
      tag: 'Sessions',
      summary: 'Live sessions, newest first: one’s own, for staff everybody’s, for instructors their people’s',
      access: 'runs.read',
      errors: ['group-unknown'],
      query: listQuery,
      answer: { schema: page(sessionSchema), what: 'Sessions' },
    },
    async ({ c, query, caller }) => {
      const whose = await whoseOf(parts, caller, query)
      if (whose === undefined) return c.json({ items: [] })
      const cursor = cursorId(query.cursor)
      return c.json(
        await sessions.list({
          limit: query.limit,
          ...whose,
          ...(query.lab === undefined ? {} : { lab: query.lab }),
          ...(query.open === 'false' ? {} : { open: true as const }),
          ...(cursor === undefined ? {} : { cursor }),
        }),
      )
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/sessions/{id}',
      tag: 'Sessions',
      summary: 'A live session; what it has recorded is at /api/v1/runs/{id}',
      access: 'runs.read',
      params,
      answer: { schema: sessionSchema, what: 'The session' },
    },
    async ({ c, params: { id }, caller }) => c.json((await placed(caller, id)).session),
  )
  add(
    {
      method: 'get',
      path: '/api/v1/sessions/{id}/live',
      tag: 'Sessions',
      summary: 'The WebSocket of a live session',
      description:
        'JSON-RPC 2.0 both ways. Calls: `set`, `call`, `read`, `extend`, `finish`, `chat`, `control.give`, `control.take`. Notifications: `session`, `wait`, `samples`, `people`, `chat`, `said`, `command`.',
      access: 'runs.read',
      errors: ['upgrade-needed', 'session-ended', 'too-many-attempts'],
      params,
      answer: { status: 101, what: 'The connection is a WebSocket from here on' },
    },
    async ({ params: { id }, caller }) => {
      await placed(caller, id)
      throw refusal('upgrade-needed', 'this address is a WebSocket: connect to it as one')
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/sessions/{id}/cameras/{part}',
      tag: 'Sessions',
      summary: 'The WebSocket by which a camera of the bench is seen',
      description:
        'Each binary message is a picture: 8 bytes, a big-endian IEEE 754 number, say when it was seen (seconds since 1970, by the clock of the node); the rest is a JPEG file. Answer each by an empty message: there are at most two unanswered, and what comes next is the newest. A text message is `{"code", "message"}`: why no more will come.',
      access: 'runs.read',
      errors: ['upgrade-needed', 'session-ended', 'too-many-attempts'],
      params: cameraParams,
      answer: { status: 101, what: 'The connection is a WebSocket from here on' },
    },
    async ({ params: { id }, caller }) => {
      await placed(caller, id)
      throw refusal('upgrade-needed', 'this address is a WebSocket: connect to it as one')
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/sessions/{id}/page',
      tag: 'Sessions',
      summary: 'The address of the lab’s own page',
      description:
        'At an origin of its own, made for a sandboxed frame. Whoever has the address may read the page’s files until it expires; ask for another then.',
      access: 'runs.read',
      errors: ['pages-unreachable', 'session-ended', 'session-not-active'],
      params,
      answer: { schema: sessionPageSchema, what: 'The address, and until when it works' },
    },
    async ({ c, params: { id }, caller }) => {
      const { session } = await placed(caller, id)
      const lab = session.state === 'closed' ? undefined : await sessions.labOf(id)
      const page =
        lab === undefined ? undefined : labPages.open(lab, c.get('host'), session.mostSeconds * 1000 + SPARE_MS)
      if (page === undefined) throw notFound(`a page of the lab for the session ${id}`)
      c.header('cache-control', 'no-store')
      return c.json(page)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/sessions/{id}/extend',
      tag: 'Sessions',
      summary: 'Make an active session longer, while nobody waits for its bench',
      access: 'runs.submit',
      errors: [
        'session-not-active',
        'no-session-time',
        'session-too-long',
        'quota-used',
        'somebody-waits',
        'bench-booked',
        'booking-conflict',
        'not-in-control',
      ],
      params,
      body: extendSessionSchema,
      answer: { schema: sessionSchema, what: 'The session with its new end' },
    },
    async ({ c, params: { id }, body, caller }) => {
      await own(caller, id)
      return c.json(await sessions.extend(id, caller, body))
    },
  )
  const finish = {
    tag: 'Sessions',
    access: 'runs.cancel',
    errors: ['not-in-control'],
    params,
    description: 'For the owner, the partner who has the controls at the moment, and staff.',
    answer: { schema: sessionSchema, what: 'The session; it is closed once the bench is clean and safe' },
  } as const
  add(
    {
      ...finish,
      method: 'post',
      path: '/api/v1/sessions/{id}/finish',
      summary: 'End a session early, or give up its place in the queue',
    },
    async ({ c, params: { id }, caller }) => {
      await requireEnding(caller, id)
      return c.json(await sessions.finish(id, caller))
    },
  )
  add(
    { ...finish, method: 'delete', path: '/api/v1/sessions/{id}', summary: 'The same as finish' },
    async ({ c, params: { id }, caller }) => {
      await requireEnding(caller, id)
      return c.json(await sessions.finish(id, caller))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/sessions/{id}/link',
      tag: 'Sessions',
      summary: 'A link by which others with an account join as partners; one made before stops working',
      access: 'runs.submit',
      errors: ['session-ended', 'session-not-active'],
      params,
      idempotency: 'secret',
      answer: { status: 201, schema: sessionLinkSchema, what: 'The link, shown once' },
    },
    async ({ c, params: { id }, caller }) => {
      await own(caller, id)
      const token = await sessions.invite(id)
      return c.json({ token, link: new URL(`/sessions/join#token=${token}`, config.publicUrl()).href }, 201)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/sessions/join',
      tag: 'Sessions',
      summary: 'Join a session as a partner, by its link',
      access: 'runs.submit',
      errors: ['link-used-or-expired', 'session-ended', 'session-unknown'],
      body: joinSessionSchema,
      answer: { schema: sessionSchema, what: 'The session' },
    },
    async ({ c, body, caller }) => c.json(await sessions.join(caller, body.token)),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/sessions/{id}/visit',
      tag: 'Sessions',
      summary: "The page of the lab's own server, while the session is active",
      description:
        'For labs with `ownServer`. Whoever opens the page works on the bench: it is for the owner and partners. Through the hub, the address opens it once, within a minute, in one browser; from then on that browser is in until the session is over, or the sign-in or token ends that asked for the address.',
      access: 'runs.submit',
      errors: [
        'session-not-active',
        'no-own-server',
        'node-offline',
        'pages-unreachable',
        'session-busy',
        'not-in-control',
      ],
      params,
      idempotency: 'secret',
      answer: { schema: sessionVisitSchema, what: 'Where the page is' },
    },
    async ({ c, params: { id }, caller }) => {
      const { place } = await placed(caller, id)
      if (place === 'observer') {
        throw refusal(
          'forbidden',
          "the lab's page is for the owner and partners of the session",
          'Only whose session it is, and whom they invite, may work on the page of the lab.',
        )
      }
      c.header('cache-control', 'no-store')
      const { personId } = caller
      return c.json(await labVisits.open({ sessionId: id, personId, signIn: signInOf(caller), host: c.get('host') }))
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/settings/lab-servers',
      tag: 'Site',
      summary: 'What labs with a server of their own are told of people',
      access: 'settings.change',
      answer: { schema: labServerRulesSchema, what: 'The rules' },
    },
    async ({ c }) => c.json(await labVisitors.rules()),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/settings/lab-servers',
      tag: 'Site',
      summary: 'Choose whether labs with a server of their own get names, or pseudonyms',
      access: 'settings.change',
      body: labServerRulesSchema,
      answer: { schema: labServerRulesSchema, what: 'The rules' },
    },
    async ({ c, body, caller }) => {
      await labVisitors.change(body, caller.personId)
      return c.json(await labVisitors.rules())
    },
  )
}
