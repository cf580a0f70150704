import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { useReachable } from '../api/context.tsx'
import { quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { isUnreached } from './hold-says.ts'
import styles from './service.module.css'
import type { LinkState } from './service-link.ts'
import { isSilent, useUnread } from './use-said.ts'

/** Which way this page goes to the service, how quick it is, why it is not a nearer one, and what became of others. */
export function LinkLine({ service, state }: { service: DirectoryEntry; state: LinkState | undefined }) {
  const { t, clockTime } = useWords()
  const unread = useUnread()
  const isHubThere = useReachable()
  const way = state?.way
  const isStraight = way?.kind === 'websocket'
  const isLost = state !== undefined && isUnreached(service.state, state)
  const isBusy = state?.unread instanceof LabError && state.unread.code === 'bench-busy'
  const isLate = state?.isLate === true && !isLost
  const took = (ms: number) => quantityIn(t, Number((ms / 1000).toPrecision(2)), 's')
  return (
    <section className={styles.link} aria-label={t('service.link')}>
      <p role="status">
        {isStraight
          ? t('service.byWebsocket')
          : way !== undefined
            ? t('service.byMqtt')
            : isLost
              ? service.state === 'gone'
                ? t('service.unreachedNode', { node: service.node })
                : t('service.unreached')
              : t('service.opening')}
        {isHubThere ? '' : ` ${isStraight ? t('service.hubAway') : t('service.hubAwayBy')}`}
      </p>
      {way === undefined || isLate || isSilent(state?.unread) ? null : (
        <p className="soft">{t('service.answers', { time: took(way.roundTripMs) })}</p>
      )}
      {isLate && state?.unread === undefined ? <p className={styles.trouble}>{t('service.late')}</p> : null}
      {way === undefined || isStraight ? null : <p className="soft">{whyNotStraight(service, t)}</p>}
      {state?.unread === undefined || (isLost && service.state === 'gone') ? null : (
        <p className={isBusy ? 'soft' : styles.trouble}>
          {t('service.unread', {
            why: isBusy && service.lockedBy?.mine === true ? t('service.busyByYou') : unread(state.unread),
          })}
        </p>
      )}
      {state === undefined || state.ways.length < 2 ? null : (
        <details>
          <summary>{t('service.ways')}</summary>
          <ol className={styles.lines}>
            {state.ways.map((note) => (
              <li key={note.at}>
                <time className={styles.at}>{clockTime(new Date(note.at).toISOString())}</time>
                <span>
                  {note.way === undefined
                    ? t('service.broke')
                    : t('service.took', {
                        address: note.way.kind === 'mqtt' ? t('service.hubItself') : note.way.address,
                        time: took(note.way.roundTripMs),
                      })}
                </span>
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  )
}

function whyNotStraight({ addresses }: DirectoryEntry, t: ReturnType<typeof useWords>['t']): string {
  if (addresses.length === 0) return t('service.noAddress')
  const isSecurePage = location.protocol === 'https:'
  if (isSecurePage && addresses.every((address) => address.startsWith('ws:'))) return t('service.secure')
  return t('service.notTaken', { origin: location.origin })
}
