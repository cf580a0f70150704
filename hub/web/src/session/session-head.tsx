import type { Session } from '@fernlab/shared/contracts/sessions'
import { IconVideo } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { plain } from '../run/plots.ts'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'

interface Props {
  readonly session: Session
  readonly title: string
  /** What can be done. */
  readonly children?: ReactNode
  readonly below?: ReactNode
}

/** What is driven, by whom, and what can be done about it; it stays in sight. */
export function SessionHead({ session, title, children, below }: Props) {
  const { t } = useWords()
  return (
    <header className={styles.head}>
      <div className={styles.title}>
        <h1>{title}</h1>
        <p className="soft">
          {t('session.of', { name: session.person.name })}{' '}
          <Link to="/labs/$labId" params={{ labId: session.lab }}>
            {t('session.toLab')}
          </Link>
        </p>
      </div>
      <div className={styles.actions}>{children}</div>
      {session.films === undefined || session.state === 'closed' ? null : (
        <p className={styles.filmed} role="note">
          <IconVideo size={16} aria-hidden="true" />
          {t('session.filmed', { cameras: session.films.map(plain).join(', ') })}
        </p>
      )}
      {below}
    </header>
  )
}
