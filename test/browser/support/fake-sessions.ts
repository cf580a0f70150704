/** The live sessions of the stand-in for the hub. */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { OpenSession, Session } from '@fernlab/shared/contracts/sessions'
import { type Area, json, paged, problem } from './fake-answers.ts'
import type { FakeLab } from './fake-labs.ts'
import type { FakeRuns } from './fake-runs.ts'
import { FakeSession } from './fake-session.ts'
import { type FakeState, ownPerson } from './fake-state.ts'
import type { KeptPromises } from './kept-promises.ts'

/** Where the page of a lab's own server is. */
export const labPage = 'https://lab.example/robot/callback/1'

export interface FakeSessions {
  /** By id, newest last. */
  readonly all: Map<string, FakeSession>
  /** A session of the person who is signed in, active unless `more` says otherwise, and its run. */
  add(more?: Partial<Session>): FakeSession
  readonly answer: Area
}

export interface FakeSessionsOptions {
  readonly hub: FakeState
  readonly labs: ReadonlyMap<string, FakeLab>
  readonly runs: Pick<FakeRuns, 'all' | 'add'>
  readonly promises: KeptPromises
}

/** The objects of `/api/v1/sessions`. */
export function fakeSessions({ hub, labs, runs, promises }: FakeSessionsOptions): FakeSessions {
  const sessions = new Map<string, FakeSession>()
  let counter = 0

  function addSession(more: Partial<Session> = {}): FakeSession {
    const id = `01s${String(counter++).padStart(23, '0')}`
    const lab = labs.get(more.lab ?? 'rc-circuit')
    if (lab?.session === undefined) throw new Error('no such lab, or none that is driven live')
    const now = Date.now()
    const state = more.state ?? 'active'
    const { title, parts } = lab.detail
    const session = new FakeSession({
      session: {
        id,
        state,
        lab: lab.detail.id,
        labTitle: title,
        bench: state === 'waiting' ? null : 'demo.rc-1',
        person: ownPerson(hub),
        partners: [],
        ...lab.session.times,
        createdAt: new Date(now).toISOString(),
        ...(state === 'active'
          ? {
              activeAt: new Date(now).toISOString(),
              endsAt: new Date(now + lab.session.times.seconds * 1000).toISOString(),
            }
          : {}),
        panel: lab.session.panel,
        ...more,
      },
      units: new Map(
        Object.entries(parts as Record<string, InstrumentSpec>).flatMap(([part, { signals }]) =>
          signals.map(({ name, unit }) => [`${part}.${name}`, unit]),
        ),
      ),
      me: ownPerson(hub),
      promises,
    })
    sessions.set(id, session)
    const runState = {
      waiting: 'queued',
      preparing: 'assigned',
      active: 'running',
      finishing: 'running',
      closed: 'succeeded',
    } as const
    runs.add({
      id,
      lab: session.session.lab,
      protocol: '_session',
      session: true,
      protocolTitle: { en: 'Live session', es: 'Sesión en directo' },
      state: runState[state],
      person: session.session.person,
      parameters: {},
      ...(session.session.estimatedStart === undefined ? {} : { estimatedStart: session.session.estimatedStart }),
    })
    return session
  }

  const answer: Area = ({ call, url, host, body, collection, id, verb }) => {
    if (call === 'GET /api/v1/sessions') {
      const all = [...sessions.values()].map(({ session }) => session).reverse()
      const wanted = url.searchParams.get('open') === 'true' ? all.filter(({ state }) => state !== 'closed') : all
      return paged(hub, wanted, url.searchParams)
    }
    if (call === 'POST /api/v1/sessions') {
      const { lab, seconds, bench } = body as OpenSession
      const wanted = bench === undefined ? {} : { wantedBench: bench }
      return json(addSession({ lab, ...(seconds === undefined ? {} : { seconds }), ...wanted }).session, 201)
    }
    if (call === 'POST /api/v1/sessions/join') {
      const [session] = sessions.values()
      return (body as { token?: string }).token === 'once' && session !== undefined
        ? json(session.session)
        : problem(410, 'link-used-or-expired', {
            hint: 'This session is over, or the link was replaced. Ask for a new one.',
          })
    }
    if (collection === 'sessions') {
      const found = sessions.get(id)
      if (found === undefined) return problem(404, 'session-unknown')
      if (verb === 'link') {
        return json({ token: 'once', link: `http://${host}/sessions/join#token=once` }, 201)
      }
      if (verb === 'visit') return json({ url: labPage, through: 'direct' })
      if (verb === 'extend') {
        const { total } = body as { total: number }
        const { session } = found
        const more = total - session.seconds
        const endsAt = new Date(Date.parse(session.endsAt ?? '') + more * 1000).toISOString()
        found.become({ seconds: total, endsAt })
      }
      if (verb === 'finish') {
        const run = runs.all.get(id)
        run?.end('succeeded', { rows: { readings: 1200, commands: 14 }, reason: 'it was finished' })
        found.become({ state: 'closed', endedAt: new Date().toISOString(), reason: 'it was finished' })
      }
      return json(found.session)
    }
    return undefined
  }

  return { all: sessions, add: addSession, answer }
}
