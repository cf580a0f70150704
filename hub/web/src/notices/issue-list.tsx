import styles from './notices.module.css'
import { Refusal } from './refusal.tsx'

interface Props {
  readonly issues: readonly { readonly path: string; readonly message: string }[]
  /** Puts a message into the language of the page, where these are of a kind of their own. */
  readonly say?: (message: string) => string
}

/** What exactly was refused, a line each; nothing without any. */
export function IssueList({ issues, say }: Props) {
  if (issues.length === 0) return null
  return (
    <ul className={styles.issues}>
      {issues.map(({ path, message }) => (
        <li key={path + message}>{say === undefined ? <Refusal text={message} /> : say(message)}</li>
      ))}
    </ul>
  )
}
