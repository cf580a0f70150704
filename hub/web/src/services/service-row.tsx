import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { Link } from '@tanstack/react-router'
import { CopyLine } from '../notices/copy-line.tsx'
import { ServiceMark } from '../states/service-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './services.module.css'
import { useWhy } from './use-why.ts'

/** One service: how it stands and why, what it is, and its address. */
export function ServiceRow({ service, onTag }: { service: DirectoryEntry; onTag: (tag: string) => void }) {
  const { t } = useWords()
  const { name, node, state, kind, description, tags, address } = service
  const why = useWhy(service)
  return (
    <li className={styles.row}>
      <div className={styles.what}>
        <h2 className={styles.name}>
          <Link to="/services/$node/$service" params={{ node, service: name }} className={styles.link}>
            <bdi>{name}</bdi>
          </Link>
        </h2>
        <ServiceMark state={state} />
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
