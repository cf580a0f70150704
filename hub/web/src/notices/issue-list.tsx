import styles from './notices.module.css'

interface Props {
  readonly issues: readonly { readonly path: string; readonly message: string }[]
  /** Puts a message into the language of the page. */
  readonly say?: (message: string) => string
}

/** What exactly was refused, a line each; nothing without any. */
export function IssueList({ issues, say = (message) => message }: Props) {
  if (issues.length === 0) return null
  return (
    <ul className={styles.issues}>
      {issues.map(({ path, message }) => (
        <li key={path + message}>{say(message)}</li>
      ))}
    </ul>
  )
}
