import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import { Link } from '@tanstack/react-router'
import records from '../frame/records.module.css'
import { useWords } from '../words/use-words.ts'
import styles from './audit.module.css'
import { changeLines } from './change-lines.ts'

/** One entry; who, what and to whom lead to all entries of the same. */
export function EntryRow({ entry }: { entry: AuditEntry }) {
  const { t, absolute } = useWords()
  const { at, person, personName, address, action, subject, subjectName } = entry
  return (
    <li className={`${records.record} ${styles.entry}`}>
      <time dateTime={at} className="soft">
        {absolute(at)}
      </time>
      {person === undefined ? (
        <span className="soft">{t('audit.byItself')}</span>
      ) : (
        <span className={styles.who}>
          <Link to="/audit" search={(before) => ({ ...before, person })}>
            {personName ?? person}
          </Link>
          {address === undefined ? null : <span className="soft">{t('audit.fromWhere', { address })}</span>}
        </span>
      )}
      <Link to="/audit" search={(before) => ({ ...before, action })} className={styles.action}>
        {action}
      </Link>
      <Link to="/audit" search={(before) => ({ ...before, subject })}>
        {subjectName ?? subject}
      </Link>
      <span className={styles.change}>
        {changeLines(entry, t('audit.nothing')).map((line) => (
          <span key={line.name ?? ''}>
            {line.name === undefined ? null : <span className="soft">{line.name}: </span>}
            {'said' in line ? line.said : `${line.before} → ${line.after}`}
          </span>
        ))}
      </span>
    </li>
  )
}
