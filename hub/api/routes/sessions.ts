import { page } from '@fernlab/shared/contracts/api'
import { runIdSchema } from '@fernlab/shared/contracts/common'
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
import type { Caller } from '../../accounts/caller.ts'
import { can } from '../../accounts/can.ts'
import { placeOf, type SessionPlace } from '../../sessions/place.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { cursorId, pageQuery } from '../paging.ts'
import { notFound, refusal } from '../problems.ts'

const params = z.object({ id: runIdSchema })
const listQuery = pageQuery.extend({ lab: z.string().max(63).optional(), person: z.string().max(63).optional() })

/** A page is opened once the bench is there; preparing and cleaning it up takes a while besides. */
const SPARE_MS = 15 * 60_000

/** Live sessions; their WebSocket is served beside the app, see hub/sessions/live-sockets.ts. */
export function sessionRoutes(add: AddRoute, parts: ApiParts): void {
  const { sessions, labVisitors, labPages, config } = parts

  /** The session, and as what the caller is in it; another person's reads as if it did not exist. */
  const placed = async (caller: Caller, id: string): Promise<{ session: Session; place: SessionPlace }> => {
    const session = await sessions.get(id)
    const place = session === undefined ? undefined : await placeOf(parts, caller, session)
    if (session === undefined || place === undefined) throw notFound(`the session ${id}`)
    if (place === 'owner' || place === 'partner') sessions.seen(id)
    return { session, place }
  }
  const own = async (caller: Caller, id: string): Promise<Session> => {
    const { session, place } = await placed(caller, id)
    if (place !== 'owner' && !can(caller, 'runs.cancel', { ownerId: session.person.id })) {
      throw refusal('forbidden', 'only the owner of the session may do this', 'Only whose session it is may do this.')
    }
    return session
  }

  add(
    {
      method: 'post',
      path: '/api/v1/sessions',
      tag: 'Sessions',
      summary: 'Ask for a live session of a lab',
      description:
        'One place per person and lab: who has an open one gets it back. Who waits must ask for the session, or be on its WebSocket, at least once a minute, or the place is given up.',
      access: 'runs.submit',
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
      summary: 'Live sessions, newest first: one’s own, for staff everybody’s',
      access: 'runs.read',
      query: listQuery,
      answer: { schema: page(sessionSchema), what: 'Sessions' },
    },
    async ({ c, query, caller }) => {
      const everybody = can(caller, 'runs.read-any')
      if (!everybody && query.person !== undefined && query.person !== caller.personId) return c.json({ items: [] })
      const person = everybody ? query.person : caller.personId
      const cursor = cursorId(query.cursor)
      return c.json(
        await sessions.list({
          limit: query.limit,
          ...(person === undefined ? {} : { person }),
          ...(query.lab === undefined ? {} : { lab: query.lab }),
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
        'JSON-RPC 2.0 both ways. Calls: `set`, `call`, `read`, `extend`, `finish`, `chat`, `control.give`, `control.take`. Notifications: `session`, `samples`, `people`, `chat`, `command`.',
      access: 'runs.read',
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
      path: '/api/v1/sessions/{id}/page',
      tag: 'Sessions',
      summary: 'The address of the lab’s own page',
      description:
        'At an origin of its own, made for a sandboxed frame. Whoever has the address may read the page’s files until it expires; ask for another then.',
      access: 'runs.read',
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
      params,
      body: extendSessionSchema,
      answer: { schema: sessionSchema, what: 'The session with its new end' },
    },
    async ({ c, params: { id }, body, caller }) => {
      await own(caller, id)
      return c.json(await sessions.extend(id, caller, body.seconds))
    },
  )
  const finish = {
    tag: 'Sessions',
    access: 'runs.cancel',
    params,
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
      await own(caller, id)
      return c.json(await sessions.finish(id, caller))
    },
  )
  add(
    { ...finish, method: 'delete', path: '/api/v1/sessions/{id}', summary: 'The same as finish' },
    async ({ c, params: { id }, caller }) => {
      await own(caller, id)
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
        'For labs with `ownServer`. Whoever opens the page works on the bench: it is for the owner and partners.',
      access: 'runs.submit',
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
      return c.json({ url: await sessions.visit(id) })
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
