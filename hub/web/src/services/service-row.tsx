import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { CopyLine } from '../notices/copy-line.tsx'
import { ServiceMark } from '../states/service-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './services.module.css'

/** One service: how it stands and why, what it is, and its address. */
export function ServiceRow({ service, onTag }: { service: DirectoryEntry; onTag: (tag: string) => void }) {
  const { t } = useWords()
  const { name, node, state, kind, description, tags, address } = service
  const why = useWhy(service)
  return (
    <li className={styles.row}>
      <ServiceMark state={state} />
      <div className={styles.what}>
        <h2 className={styles.name}>
          <bdi>{name}</bdi>
        </h2>
        <span className="soft">{t('services.kindOn', { kind, node })}</span>
        {why === '' ? null : <p className={styles.why}>{why}</p>}
        {description === undefined ? null : <p className={styles.why}>{description}</p>}
        {tags.length === 0 ? null : (
          <ul className={styles.tags} aria-label={t('services.tags')}>
            {tags.map((tag) => (
              <li key={tag}>
                <button type="button" className={styles.tag} onClick={() => onTag(tag)}>
                  {tag}
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <CopyLine value={address} label={t('services.address')} />
    </li>
  )
}

/** Who has it, when it was last heard of, or what its node says. */
function useWhy({ state, lockedBy, lastSeen, reason }: DirectoryEntry): string {
  const { t, moment } = useWords()
  if (state === 'gone') return t('services.lastSeen', { time: moment(lastSeen) })
  if (state === 'busy') return t('services.onBench')
  if (lockedBy === undefined) return reason ?? ''
  const time = moment(lockedBy.since)
  const who = lockedBy.mine
    ? t('services.lockedByYou', { time })
    : lockedBy.person === undefined
      ? t('services.lockedBySomebody', { time })
      : t('services.lockedBy', { person: lockedBy.person.name, time })
  return lockedBy.reason === undefined ? who : t('services.because', { who, reason: lockedBy.reason })
}
