/** A session as it is told: its run, where it is, and what its lab offers. */

import type { Run } from '@fernlab/shared/contracts/api'
import { filmsOf, type Session, sessionStateOf, sessionTimes } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Catalogue, CatalogueLab } from '../catalogue/catalogue.ts'
import { setSince } from '../runs/attempt-clock.ts'
import type { Store } from '../store/store.ts'
import type { OpenSessions } from './open-sessions.ts'

export interface SessionViewOptions {
  readonly store: Pick<Store, 'db'>
  readonly catalogue: Pick<Catalogue, 'version'>
  readonly sessions: Pick<OpenSessions, 'open'>
  readonly clock: Clock
}

/** How long a session of the lab lasts, and may. */
export const timesOf = (lab: CatalogueLab | undefined) => sessionTimes(lab?.lab.session ?? {})

/** Tells a run as the session that it is. */
export const createSessionView =
  ({ store, catalogue, sessions, clock }: SessionViewOptions) =>
  async (run: Run, partners: Session['partners']): Promise<Session> => {
    // Of an open one the memory knows more than the disk.
    const open = sessions.open(run.id)
    const row =
      open === undefined
        ? await store.db.selectFrom('live_session').selectAll().where('run_id', '=', run.id).executeTakeFirst()
        : undefined
    const lab = open?.lab ?? (await catalogue.version(run.lab, run.labVersion))
    const { mostSeconds, idleSeconds } = timesOf(lab)
    const progress = open?.session
    const stage = progress?.stage ?? row?.stage ?? 'preparing'
    const state = sessionStateOf(run.state, stage)
    const activeAt = progress === undefined ? (row?.active_at ?? null) : progress.activeAt
    const told = progress === undefined ? (row?.ends_at ?? null) : progress.endsAt
    const natural = told === null ? null : told + setSince(open?.hold, clock)
    const bumpedAt = open?.bumped?.atMs
    const endsAt = natural === null ? null : Math.min(natural, bumpedAt ?? natural)
    return {
      id: run.id,
      state,
      lab: run.lab,
      ...(run.labTitle === undefined ? {} : { labTitle: run.labTitle }),
      bench: run.bench,
      ...(run.wantedBench === undefined ? {} : { wantedBench: run.wantedBench }),
      person: run.person,
      seconds: progress?.seconds ?? row?.seconds ?? Number(run.parameters.seconds ?? 0),
      mostSeconds,
      idleSeconds,
      ...(run.position === undefined ? {} : { position: run.position }),
      ...(run.waitReason === undefined ? {} : { waitReason: run.waitReason }),
      ...(run.estimatedStart === undefined ? {} : { estimatedStart: run.estimatedStart }),
      createdAt: run.createdAt,
      ...(activeAt === null ? {} : { activeAt: new Date(activeAt).toISOString() }),
      ...(state !== 'active' || endsAt === null ? {} : { endsAt: new Date(endsAt).toISOString() }),
      ...(bumpedAt === undefined ? {} : { bumpedAt: new Date(bumpedAt).toISOString() }),
      ...(row?.next_id == null ? {} : { next: row.next_id }),
      ...(run.endedAt === undefined ? {} : { endedAt: run.endedAt }),
      ...(run.reason === undefined ? {} : { reason: run.reason }),
      ...(run.error === undefined ? {} : { error: run.error }),
      partners,
      ...(lab?.lab.panel === undefined ? {} : { panel: lab.lab.panel }),
      ...(lab?.lab.session?.server === undefined ? {} : { ownServer: true }),
      ...filmsOf(lab?.lab.session),
      ...(lab?.lab.page === undefined ? {} : { page: true }),
    }
  }
