import type { Use } from '@fernlab/shared/contracts/usage'
import { Link } from '@tanstack/react-router'
import records from '../frame/records.module.css'
import { RunMark } from '../states/state-mark.tsx'
import { useUsageWords } from './use-usage-words.ts'
import styles from './uses.module.css'
import type { UsesSearch } from './uses-queries.ts'

/** One use: when leads to all of it, who and where to all uses of the same. */
export function UseRow({ use, search }: { use: Use; search: UsesSearch }) {
  const { t, absolute, personName, labTitle, duration, from } = useUsageWords()
  const { id, person, lab, protocol, session, bench, askedAt, waitS, lastsS, state, downloads } = use
  return (
    <li className={`${records.record} ${styles.use}`}>
      <Link to="/usage/uses/$useId" params={{ useId: id }}>
        <time dateTime={askedAt}>{absolute(askedAt)}</time>
      </Link>
      <Link to="/usage/uses" search={{ ...search, person: person.id }}>
        {personName(person)}
      </Link>
      <span>
        {labTitle(lab)} <span className="soft">{session ? t('uses.session') : protocol}</span>
      </span>
      {bench === null ? (
        <span className="soft">{t('uses.noBench')}</span>
      ) : (
        <Link to="/usage/uses" search={{ ...search, bench }}>
          {bench}
        </Link>
      )}
      <span>
        {lastsS === undefined ? t('uses.notStarted') : t('uses.lasted', { time: duration(Math.round(lastsS)) })}{' '}
        <span className="soft">{t('uses.waited', { time: duration(Math.round(waitS)) })}</span>
      </span>
      <span className={styles.ended}>
        <RunMark state={state} />
        {downloads === 0 ? null : <span className="soft">{t('uses.files', { count: downloads })}</span>}
      </span>
      <span className="soft">{from(use)}</span>
    </li>
  )
}
